import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import {
  annealer,
  SchedCos,
  schedCos,
  SchedExp,
  schedExp,
  SchedLin,
  schedLin,
  SchedNo,
  schedNo,
  SchedPoly,
} from "../../src/schedule/mod.ts";

const quarters = [0, 0.25, 0.5, 0.75, 1];

function close(got: readonly number[], want: readonly number[], tolerance: number): void {
  assertEquals(got.length, want.length);
  want.forEach((w, i) => assertAlmostEquals(got[i], w, tolerance));
}

Deno.test("annealers give the values that fastai's notebook asserts", () => {
  assertEquals(quarters.map(SchedLin(0, 2)), [0, 0.5, 1, 1.5, 2]);
  close(quarters.map(SchedCos(0, 2)), [0, 1 - Math.SQRT1_2, 1, 1 + Math.SQRT1_2, 2], 1e-12);
  assertEquals(quarters.map(SchedNo(0, 2)), [0, 0, 0, 0, 0]);
  close(quarters.map(SchedExp(1, 2)), [1, 1.189207115, 1.414213562, 1.681792831, 2], 1e-9);
  assertEquals(quarters.map(SchedPoly(0, 2, 2)), [0, 0.125, 0.5, 1.125, 2]);
});

Deno.test("the formulas of three arguments give what the schedules give", () => {
  for (const p of [0, 0.1, 0.7, 1, 1.5, -0.5]) {
    assertEquals(schedLin(0, 2, p), SchedLin(0, 2)(p));
    assertEquals(schedCos(0, 2, p), SchedCos(0, 2)(p));
    assertEquals(schedNo(0, 2, p), SchedNo(0, 2)(p));
    assertEquals(schedExp(1, 2, p), SchedExp(1, 2)(p));
    assertEquals(schedCos([0, 1], 2, p), SchedCos([0, 1], 2)(p));
  }
});

Deno.test("types: numbers give a number, arrays an array, with no cast", () => {
  const scalar: number = SchedCos(0, 2)(0.25);
  const groups: number[] = SchedCos([0, 1], [2, 3])(1);
  const mixed: number[] = SchedLin([1e-3, 1e-2], 0)(0.5);
  const other: number[] = SchedPoly(0, [1, 2], 2)(0.5);
  const three: number = schedExp(1, 2, 0.5);
  assertAlmostEquals(scalar, 1 - Math.SQRT1_2);
  assertEquals(groups, [2, 3]);
  assertEquals(mixed, [5e-4, 5e-3]);
  assertEquals(other, [0.25, 0.5]);
  assertAlmostEquals(three, Math.SQRT2);
});

Deno.test("a number next to an array counts for every group", () => {
  assertEquals(SchedNo(0.5, [1, 2, 3])(0.2), [0.5, 0.5, 0.5]);
  assertEquals(SchedExp([1, 4], 4)(0.5), [2, 4]);
});

Deno.test("a position outside [0, 1] goes on along the formula", () => {
  assertEquals(SchedLin(0, 2)(1.5), 3);
  assertEquals(SchedPoly(0, 2, 2)(-1), 2);
  assertAlmostEquals(SchedCos(0, 2)(2), 0, 1e-15); // the cosine turns round
});

Deno.test("SchedPoly with power 0 is its end everywhere, as 0^0 is 1", () => {
  assertEquals(quarters.map(SchedPoly(3, 5, 0)), [5, 5, 5, 5, 5]);
});

Deno.test("annealer() makes an annealer of a formula, for numbers and arrays", () => {
  const half = annealer((s, e, p) => s + (e - s) * p);
  assertEquals(half(0, 1)(0.5), 0.5);
  assertEquals(half([0, 1], [1, 3])(0.5), [0.5, 2]);
});

Deno.test("a schedule keeps its own copy of the arrays it was made with", () => {
  const start = [0, 1], sched = SchedLin(start, 2);
  start[0] = 100;
  assertEquals(sched(0), [0, 1]);
});

Deno.test("SchedExp takes two negative ends and ends whose product underflows", () => {
  assertAlmostEquals(SchedExp(-1, -4)(0.5), -2);
  assertAlmostEquals(SchedExp(1e-200, 1e-220)(0.5), 1e-210, 1e-219);
});

for (
  const [title, make, message] of [
    ["unequal lengths", () => SchedCos([1, 2], [1, 2, 3]), "start and end must have one length, got 2 and 3"],
    ["an empty array", () => SchedLin([], 1), "start must not be empty"],
    ["a NaN start", () => SchedLin(NaN, 1), "start must be finite, got NaN"],
    ["an infinite end in an array", () => SchedNo(1, [1, Infinity]), "end must be finite, got Infinity"],
    ["start 0 in SchedExp", () => SchedExp(0, 1), "Cannot make SchedExp(0, 1): start and end must have one sign"],
    ["end 0 in SchedExp", () => SchedExp(1, 0), "must have one sign and not be 0"],
    ["opposite signs in one group", () => SchedExp([1, -1], 2), "Cannot make SchedExp(-1, 2)"],
    ["opposite signs in schedExp", () => schedExp(-1, 1, 0.5), "must have one sign"],
    ["a negative power", () => SchedPoly(0, 1, -1), "power must be a finite number of at least 0, got -1"],
    ["a NaN power", () => SchedPoly(0, 1, NaN), "power must be"],
  ] as const
) {
  Deno.test(`${title} is a ConfigError`, () => {
    assertThrows(make, ConfigError, message);
  });
}
