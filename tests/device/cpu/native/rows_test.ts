import { assertEquals, assertThrows } from "@std/assert";
import { onLevels, withFunctions } from "./support.ts";

const ROWS = 0, A = 4096, B = 65536, C = 3 * 65536, GUARD = 1234.5;
const whole = (i: number) => (i * 7919 + (i >> 3) * 31) % 9 - 4;

onLevels("products of a row are right for every number of columns, and nothing beside them is touched", (level) => {
  withFunctions(level, 4, ({ words, ints, lanes, row }) => {
    for (let i = B / 4; i < C / 4; i++) words[i] = whole(i);
    for (const kc of [0, 1, 2, 7, 60]) {
      for (let k = 0; k < kc; k++) {
        [ints[ROWS / 4 + k], words[A / 4 + k]] = [(k * 301 - (k % 3) * 400) * 4, whole(k + 5)];
      }
      const offsets = [...ints.subarray(0, kc)], from = B + 4000;
      for (let count = 1; count <= 9 * lanes + 1; count++) {
        for (const add of [0, 1]) {
          words.fill(GUARD, C / 4 - 8, C / 4 + count + 8);
          row(kc, A, from, ROWS, C, count, add, Math.min(0, ...offsets), Math.max(0, ...offsets));
          for (let j = -8; j < count + 8; j++) {
            let want = GUARD;
            if (j >= 0 && j < count) {
              want = add === 1 ? GUARD : 0;
              for (let k = 0; k < kc; k++) want += words[A / 4 + k] * words[(from + offsets[k]) / 4 + j];
            }
            if (words[C / 4 + j] !== want) {
              assertEquals(words[C / 4 + j], want, `${count} columns, ${kc} terms, column ${j}`);
            }
          }
        }
      }
    }
  });
});

onLevels("rows that do not lie in memory are refused before the call", (level) => {
  withFunctions(level, 4, ({ row }) => {
    const end = 4 * 65536;
    const call = (a: number, b: number, rows: number, c: number, low = 0, high = 0) =>
      row(4, a, b, rows, c, 20, 0, low, high);
    call(end - 16, end - 80, end - 16, C);
    assertThrows(() => call(end - 12, B, ROWS, C), RangeError);
    assertThrows(() => call(A, end - 76, ROWS, C), RangeError);
    assertThrows(() => call(A, end - 80, ROWS, C, 0, 4), RangeError);
    assertThrows(() => call(A, 0, ROWS, C, -4), RangeError);
    assertThrows(() => call(A, B, end - 12, C), RangeError);
    assertThrows(() => call(A, B, ROWS, end - 76), RangeError);
    assertThrows(() => row(4, A, B, ROWS, C, 0, 0, 0, 0), RangeError);
  });
});
