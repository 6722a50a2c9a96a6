import { assert, assertEquals, assertThrows } from "@std/assert";
import { onLevels, withFunctions } from "./support.ts";

/** Whole numbers from -4 to 4: products and sums of them are exact in any order. */
const whole = (i: number) => (i * 7919 + (i >> 3) * 31) % 9 - 4;
const GUARD = 1234.5;

for (const kc of [0, 1, 2, 3, 7, 33, 256]) {
  onLevels(`every number of rows and columns, depth ${kc}: right sums, and nothing beside them is touched`, (level) => {
    withFunctions(level, 8, ({ words, lanes, rows: height, tiles }) => {
      const width = 3 * lanes, a = 4096, next = (kc + 1) * height * 4;
      for (let rows = 1; rows <= 2 * height + 1; rows++) {
        const panels = Math.ceil(rows / height),
          b = a + panels * next,
          ldc = width * 4 + 12,
          c = b + kc * width * 4 + 28;
        for (let i = a / 4; i < c / 4; i++) words[i] = whole(i);
        for (let columns = 1; columns <= width; columns++) {
          const add = (rows + columns) % 2, count = (rows * ldc) / 4 + 16, wide = Math.ceil(columns / lanes) * lanes;
          words.fill(GUARD, c / 4 - 8, c / 4 + count);
          tiles(kc, a, b, c, ldc, rows, columns, add, next);
          for (let i = -8; i < count; i++) {
            const row = Math.floor(i * 4 / ldc), column = i - row * ldc / 4;
            let want = GUARD;
            if (i >= 0 && row < rows && column < columns) {
              want = add ? GUARD : 0;
              const from = (a + Math.floor(row / height) * next) / 4 + row % height;
              for (let k = 0; k < kc; k++) want += words[from + k * height] * words[b / 4 + k * wide + column];
            }
            if (words[c / 4 + i] !== want) {
              assertEquals(words[c / 4 + i], want, `${rows} x ${columns}, element ${i}, add ${add}`);
            }
          }
        }
      }
    });
  });
}

onLevels("sums are formed in the order of k, with one rounding each", (level) => {
  withFunctions(level, 1, ({ words, lanes, rows, tiles }) => {
    const a = 1024, b = 4096, c = 16384;
    words[a / 4] = -1;
    words[a / 4 + rows] = 1 + 2 ** -12;
    for (let j = 0; j < 3 * lanes; j++) [words[b / 4 + j], words[b / 4 + 3 * lanes + j]] = [1, 1 + 2 ** -12];
    tiles(2, a, b, c, 3 * lanes * 4, 1, 3 * lanes, 0, 0);
    for (let j = 0; j < 3 * lanes; j++) assertEquals(words[c / 4 + j], 2 ** -11 + 2 ** -24);
  });
});

onLevels("NaN and infinity travel", (level) => {
  withFunctions(level, 1, ({ words, lanes, rows, tiles }) => {
    const a = 1024, b = 4096, c = 16384;
    words.set([NaN, Infinity, 1].slice(0, rows), a / 4);
    words.fill(1, b / 4, b / 4 + 3 * lanes);
    words[b / 4 + 1] = 0;
    tiles(1, a, b, c, 3 * lanes * 4, 3, 2, 0, 0);
    const at = (i: number, j: number) => words[c / 4 + i * 3 * lanes + j];
    assert(Number.isNaN(at(0, 0)) && Number.isNaN(at(0, 1)) && Number.isNaN(at(1, 1)));
    assertEquals([at(1, 0), at(2, 0), at(2, 1)], [Infinity, 1, 0]);
  });
});

onLevels("what does not lie in memory is refused before the call; memory that grew is seen", (level) => {
  withFunctions(level, 1, ({ memory, lanes, rows, tiles }) => {
    const end = 65536, width = 3 * lanes, panel = 8 * rows * 4, right = 8 * width * 4;
    const call = (a: number, b: number, c: number, next = 0) => tiles(8, a, b, c, width * 4, rows + 1, width, 0, next);
    const product = (rows + 1) * width * 4;
    call(end - panel, end - right, end - product);
    assertThrows(() => call(end - panel + 4, 0, 1024), RangeError);
    assertThrows(() => call(end - panel, 0, 1024, 4), RangeError);
    assertThrows(() => call(0, end - right + 4, 1024), RangeError);
    assertThrows(() => call(0, 0, end - product + 4), RangeError);
    assertThrows(() => call(-64, 0, 1024), RangeError, "4294967232");
    for (const [count, columns] of [[0, 8], [-1, 8], [1, 0], [1, width + 1]]) {
      assertThrows(() => tiles(8, 0, 0, 1024, 4, count, columns, 0, 0), RangeError);
    }
    memory.grow(1);
    call(end, end, end);
    assertThrows(() => call(2 * end - panel + 4, 0, 1024), RangeError);
  });
});
