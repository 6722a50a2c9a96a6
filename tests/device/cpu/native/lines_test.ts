import { assertEquals, assertThrows } from "@std/assert";
import { openNative } from "../../../../src/device/cpu/native/mod.ts";
import { onLevels, withFunctions } from "./support.ts";

const A = 1024, TAPS = 2048, TABLE = 4096, B = 65536, C = 2 * 65536, GUARD = 1234.5, LANES = 8, GROUP = 8;
/** Whole numbers from -4 to 4: products and sums of them are exact in any order. */
const whole = (i: number) => (i * 7919 + (i >> 3) * 31) % 9 - 4;

onLevels(
  "sums of vectors anywhere are right, side by side and every second number, and nothing beside them is touched",
  (level) => {
    withFunctions(level, 3, ({ words, ints, lines }) => {
      for (let i = B / 4; i < C / 4; i++) words[i] = whole(i);
      for (const spacing of [1, 2]) {
        for (const kc of [0, 1, 2, 9, 49, 64]) {
          const taps = Array.from({ length: kc }, (_, k) => (k * 13 - (k % 3) * 40) * 4);
          ints.set(taps, TAPS / 4);
          for (let k = 0; k < kc; k++) words[A / 4 + k] = whole(k + 5);
          for (const groups of [1, 2, 5]) {
            const vectors = groups * GROUP, count = vectors * LANES;
            const from = Array.from({ length: vectors }, (_, v) => B + 2048 + ((v * 37) % 90) * 28);
            from.forEach((address, v) => ints.set([address, v * LANES * 4], TABLE / 4 + 2 * v));
            words.fill(GUARD, C / 4 - 8, C / 4 + count + 8);
            lines(
              kc,
              A,
              TAPS,
              C,
              count,
              TABLE,
              groups,
              spacing,
              Math.min(...from) + Math.min(0, ...taps),
              Math.max(...from) + Math.max(0, ...taps),
            );
            for (let j = -8; j < count + 8; j++) {
              let want = GUARD;
              if (j >= 0 && j < count) {
                want = 0;
                const first = from[j >> 3] / 4 + (j & 7) * spacing;
                taps.forEach((tap, k) => want += words[A / 4 + k] * words[first + tap / 4]);
              }
              if (words[C / 4 + j] !== want) {
                assertEquals(words[C / 4 + j], want, `${groups} groups, ${kc} terms, ${j}`);
              }
            }
          }
        }
      }
    });
  },
);

onLevels("where lines end, the next vector is stored over what the last one has too many", (level) => {
  withFunctions(level, 3, ({ words, ints, lines }) => {
    for (let i = 0; i < 400; i++) words[B / 4 + i] = i;
    [words[A / 4], ints[TAPS / 4]] = [1, 0];
    for (let v = 0; v < GROUP; v++) ints.set([B + v * 200, v * 28], TABLE / 4 + 2 * v); // lines of 7
    lines(1, A, TAPS, C, 56, TABLE, 1, 1, B, B + 1400);
    for (let j = 0; j < 56; j++) assertEquals(words[C / 4 + j], Math.floor(j / 7) * 50 + j % 7);
  });
});

onLevels("sums of lines are formed in the order of k, with one rounding each", (level) => {
  withFunctions(level, 3, ({ words, ints, lines }) => {
    words.set([-1, 1 + 2 ** -12], A / 4);
    ints.set([0, 256], TAPS / 4);
    words.fill(1, B / 4, B / 4 + 64).fill(1 + 2 ** -12, B / 4 + 64, B / 4 + 128);
    for (let v = 0; v < GROUP; v++) ints.set([B, v * 32], TABLE / 4 + 2 * v);
    for (const spacing of [1, 2]) {
      lines(2, A, TAPS, C, 64, TABLE, 1, spacing, B, B + 256);
      for (let j = 0; j < 64; j++) assertEquals(words[C / 4 + j], 2 ** -11 + 2 ** -24);
    }
  });
});

onLevels("lines that do not lie in memory are refused before the call", (level) => {
  withFunctions(level, 3, ({ ints, lines }) => {
    const end = 3 * 65536;
    for (let v = 0; v < GROUP; v++) ints.set([B, v * 32], TABLE / 4 + 2 * v);
    const call = (a: number, taps: number, c: number, table: number, spacing = 1, low = B, high = B) =>
      lines(4, a, taps, c, 57, table, 1, spacing, low, high);
    call(A, TAPS, end - 256, TABLE);
    assertThrows(() => call(end - 12, TAPS, C, TABLE), RangeError);
    assertThrows(() => call(A, end - 12, C, TABLE), RangeError);
    assertThrows(() => call(A, TAPS, end - 252, TABLE), RangeError);
    assertThrows(() => call(A, TAPS, C, end - 60), RangeError);
    assertThrows(() => call(A, TAPS, C, TABLE, 1, -4), RangeError);
    assertThrows(() => call(A, TAPS, C, TABLE, 1, B, end - 28), RangeError);
    assertThrows(() => call(A, TAPS, C, TABLE, 2, B, end - 60), RangeError);
    assertThrows(() => call(A, TAPS, C, TABLE, 3), RangeError);
    assertThrows(() => lines(4, A, TAPS, C, 0, TABLE, 1, 1, B, B), RangeError);
    assertThrows(() => lines(4, A, TAPS, C, 8, TABLE, 0, 1, B, B), RangeError);
  });
});

onLevels("the last line of the memory, after which no vector has room, is left to WebAssembly", (level) => {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true }), end = 4 * 65536;
  const code = openNative(memory, level);
  if (typeof code === "string") throw new Error(code);
  const calls: string[] = [];
  const native = { ...code.imports(memory), lines: () => calls.push("lines"), thin: () => calls.push("thin") };
  const { exports } = new WebAssembly.Instance(code.native.loops, { env: { memory, abort() {} }, native });
  const convThin = exports.convThin as (...args: number[]) => void;
  for (const spacing of [1, 2]) {
    // one row of A, 3 x 3 taps, 2 images of 5 x 9 places
    const [d, width, step] = [1024, 30, spacing * 4], plane = 7 * width;
    const sizes = [1, 9, 1, 1, 9, 9, 9, 0, 0, 1, 1, 3, 3, 0, width * 4, 4, 2, 5, 9, plane * 4, width * 4, step, 1];
    new Int32Array(memory.buffer).set(sizes, d / 4);
    const bytes = (plane + 6 * width + 2 + 8 * spacing + 1) * 4, room = 7 * step + step - 4;
    const run = (b: number) => convThin(d, 2048, b, 4096, 96, 1, 0, 90, 0, 9, 65536);
    run(end - bytes - room);
    run(end - bytes);
    run(end - bytes - room - 4);
  }
  code.free();
  assertEquals(calls, ["lines", "thin", "lines", "lines", "thin", "lines"]);
});
