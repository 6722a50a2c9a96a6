import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import { combinedCos, combineScheds, SchedCos, SchedLin, SchedNo } from "../../src/schedule/mod.ts";

/** `lr` of fit_one_cycle(2) over 10 batches an epoch, lrMax 1e-2: behaviour notes, 10.2. */
const oneCycleLr = [
  4.0e-4,
  .00131671843,
  .00371671843,
  .00668328157,
  .00908328157,
  .01,
  .00989073910,
  .00956773161,
  .00904509452,
  .00834566958,
  .007500025,
  .00654511952,
  .00552268709,
  .00447741291,
  .00345498048,
  .002500075,
  .00165443042,
  9.5500548e-4,
  4.3236839e-4,
  1.0936090e-4,
]; // deno-fmt-ignore
const oneCycleMom = [
  .95, .94045, .91545, .88455, .85955, .85, .85109, .85432, .85955, .86654, .875, .88455, .89477, .90523, .91545, .925,
  .93346, .94045, .94568, .94891,
];

function close(got: readonly number[], want: readonly number[], tolerance: number): void {
  assertEquals(got.length, want.length);
  want.forEach((w, i) => assertAlmostEquals(got[i], w, tolerance, `entry ${i}`));
}

Deno.test("combineScheds() gives the values that fastai's notebook asserts", () => {
  const sched = combineScheds([0.3, 0.2, 0.5], [SchedLin(0, 1), SchedNo(1, 1), SchedCos(1, 0)]);
  const got = [0, 0.15, 0.3, 0.4, 0.5, 0.7, 1].map(sched);
  close(got, [0, 0.5, 1, 1, 1, 0.5 + Math.cos(0.4 * Math.PI) / 2, 0], 1e-12);
});

Deno.test("combinedCos() gives the values that fastai's notebook asserts", () => {
  const pos = [0, 0.1, 0.25, 0.5, 1];
  close(pos.map(combinedCos(0.25, 0.5, 1, 0)), [0.5, 0.67275, 1, 0.75, 0], 1e-5);
  const groups: number[][] = pos.map(combinedCos(0.25, [0.25, 0.5], [0.5, 1], [0, 0]));
  close(groups.flat(), [0.25, 0.5, 0.33638, 0.67275, 0.5, 1, 0.375, 0.75, 0, 0], 1e-5);
});

Deno.test("combinedCos() is the one-cycle curve of lr and mom", () => {
  const pos = oneCycleLr.map((_, i) => i / 20);
  close(pos.map(combinedCos(0.25, 1e-2 / 25, 1e-2, 1e-2 / 1e5)), oneCycleLr, 1e-9);
  close(pos.map(combinedCos(0.25, 0.95, 0.85, 0.95)), oneCycleMom, 5.1e-6); // five digits are noted
});

Deno.test("combinedCos() spreads a number over the groups of an array", () => {
  assertEquals(combinedCos(0.5, [1, 2], 3, 0)(0.5), [3, 3]);
  assertEquals(combinedCos(0.5, 0, 1, [2, 4])(1), [2, 4]);
  assertEquals(combinedCos(0.5, 0, 1, [2, 4])(0), [0, 0]);
});

Deno.test("pcts that add up to 1 only within rounding are taken", () => {
  for (
    const pcts of [Array(10).fill(0.1), [0.7, 0.2, 0.1], [0.6, 0.3, 0.1], Array(3).fill(1 / 3), [0.5, 0.5 + 9e-10]]
  ) {
    assertEquals(combineScheds(pcts, pcts.map((_, i) => SchedNo(i, i)))(1), pcts.length - 1);
  }
});

Deno.test("a boundary belongs to the later part, whatever rounding does to it", () => {
  const sgdr = combineScheds([1 / 7, 2 / 7, 4 / 7], [SchedCos(1e-3, 0), SchedCos(1e-3, 0), SchedCos(1e-3, 0)]);
  for (const batch of [0, 10, 30]) assertEquals(sgdr(batch / 70), 1e-3); // fastai gives 7.9e-17 at 30
  let drifted = 0;
  for (let i = 0; i < 30; i++) drifted += 1 / 70;
  assertEquals(sgdr(drifted), 1e-3);
  assertEquals(combineScheds([0.1, 0.2, 0.7], [0, 1, 2].map((i) => SchedNo(i, i)))(0.3), 2);
  assertEquals(combineScheds([0.5, 0.5], [SchedLin(0, 1), SchedLin(5, 6)])(0.5 - 1e-8) < 1, true);
});

Deno.test("SGDR restarts where it should for every mult and number of cycles", () => {
  for (let mult = 1; mult <= 5; mult++) {
    for (let cycles = 1; cycles <= 8; cycles++) {
      const lengths = Array.from({ length: cycles }, (_, i) => mult ** i), total = lengths.reduce((a, b) => a + b);
      const sched = combineScheds(lengths.map((n) => n / total), lengths.map(() => SchedCos(1, 0)));
      let start = 0;
      for (const n of lengths) {
        assertEquals(sched(start / total), 1, `mult ${mult}, cycles ${cycles}, start ${start}`);
        start += n;
      }
    }
  }
});

Deno.test("parts without length are skipped, and a last one answers at 1", () => {
  assertEquals(combinedCos(0, 5, 1, 0)(0), 1);
  assertEquals(combinedCos(1, 0, 1, 7)(1), 7); // fastai: NaN
  assertAlmostEquals(combinedCos(1, 0, 1, 7)(0.999999), 1, 1e-9);
  const sched = combineScheds([0.5, 0, 0.5], [SchedNo(1, 1), SchedNo(2, 2), SchedNo(3, 3)]);
  assertEquals([0.4, 0.5, 0.6].map(sched), [1, 3, 3]);
});

Deno.test("combined schedules nest", () => {
  const inner = combineScheds([0.5, 0.5], [SchedNo(1, 1), SchedNo(2, 2)]);
  const outer = combineScheds([0.5, 0.5], [inner, SchedNo(3, 3)]);
  assertEquals([0, 0.2, 0.25, 0.3, 0.5, 1].map(outer), [1, 1, 2, 2, 3, 3]);
});

const two = [SchedNo(1, 1), SchedNo(2, 2)];
for (
  const [title, make, message] of [
    ["a missing schedule", () => combineScheds([0.2, 0.3, 0.5], two), "got 3 pcts and 2 schedules"],
    ["no schedule", () => combineScheds([], []), "at least one is needed"],
    ["a negative pct", () => combineScheds([-0.5, 1.5], two), "each pct must be at least 0, got -0.5"],
    ["a NaN pct", () => combineScheds([NaN, 1], two), "each pct must be at least 0, got NaN"],
    ["a wrong sum", () => combineScheds([0.5, 0.4], two), "pcts must add up to 1, got 0.9"],
    ["a position above 1", () => combineScheds([0.5, 0.5], two)(1.1), "at 1.1: the position must be in [0, 1]"],
    ["a position below 0", () => combineScheds([0.5, 0.5], two)(-0.1), "the position must be in [0, 1]"],
    ["a NaN position", () => combineScheds([0.5, 0.5], two)(NaN), "at NaN"],
    ["a pct outside [0, 1]", () => combinedCos(1.2, 0, 1, 0), "pct must be in [0, 1], got 1.2"],
    ["unequal groups", () => combinedCos(0.5, [1, 2], [1, 2], [1, 2, 3]), "must have one length"],
  ] as const
) {
  Deno.test(`${title} is a ConfigError`, () => {
    assertThrows(make, ConfigError, message);
  });
}
