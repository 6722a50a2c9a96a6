import { assertEquals, assertThrows } from "@std/assert";
import { onLevels, withFunctions } from "./support.ts";

const SOURCE = 65536, TO = 2 * 65536, GUARD = -1;

onLevels("planes are copied with every border, and nothing beside them is touched", (level) => {
  withFunctions(level, 4, ({ words, pad }) => {
    for (let i = SOURCE / 4; i < TO / 4; i++) words[i] = 1 + i % 65521;
    for (let width = 1; width <= 48; width++) {
      for (const [left, right] of [[0, 0], [1, 1], [width, 0], [0, width], [3, 0], [1, 17]]) {
        if (left + right > width) continue;
        for (const [above, rows, below] of [[0, 3, 0], [1, 2, 1], [2, 0, 3], [0, 1, 2]]) {
          for (const [rowStep, planeStep] of [[61, 300], [-50, 200], [48, -150], [0, 0]]) {
            const height = above + rows + below, planes = 3, from = SOURCE + 4000, count = planes * height * width;
            words.fill(GUARD, TO / 4 - 16, TO / 4 + count + 16);
            pad(TO, from, planes, planeStep * 4, height, above, below, rowStep * 4, width, left, right);
            for (let i = -16; i < count + 16; i++) {
              const x = i % width, y = Math.floor(i / width) % height, plane = Math.floor(i / width / height);
              let want = i < 0 || i >= count ? GUARD : 0;
              if (want === 0 && x >= left && x < width - right && y >= above && y < above + rows) {
                want = words[from / 4 + plane * planeStep + (y - above) * rowStep + x];
              }
              if (words[TO / 4 + i] !== want) {
                assertEquals(words[TO / 4 + i], want, `${height} x ${width}, ${left} and ${right}, element ${i}`);
              }
            }
          }
        }
      }
    }
  });
}, "AVX-512"); // with AVX2 WebAssembly does it

onLevels("planes that do not lie in memory are refused before the call", (level) => {
  withFunctions(level, 4, ({ pad }) => {
    const end = 4 * 65536;
    const call = (to: number, from: number, planeStep = 256, rowStep = 64) =>
      pad(to, from, 2, planeStep, 4, 1, 1, rowStep, 18, 1, 1);
    if (level === "AVX-512") call(end - 2 * 4 * 18 * 4, end - 256 - 64 - 68);
    assertThrows(() => call(end - 2 * 4 * 18 * 4 + 4, SOURCE), RangeError);
    assertThrows(() => call(TO, end - 256 - 64 - 64), RangeError);
    assertThrows(() => call(TO, 0, -256), RangeError);
    assertThrows(() => call(TO, 0, 256, -64), RangeError);
    assertThrows(() => pad(TO, SOURCE, 1, 0, 4, 3, 2, 64, 18, 1, 1), RangeError);
    assertThrows(() => pad(TO, SOURCE, 1, 0, 4, 1, 1, 64, 49, 1, 1), RangeError);
    assertThrows(() => pad(TO, SOURCE, 0, 0, 4, 1, 1, 64, 18, 1, 1), RangeError);
  });
});
