import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import {
  minimum,
  slide,
  slideWith,
  steep,
  type SuggestFunc,
  type Suggestion,
  trimCurve,
  valley,
} from "../../src/fit/suggest.ts";
import golden from "../golden/lr_find.json" with { type: "json" };

const funcs: Record<string, SuggestFunc> = { valley, slide, minimum, steep };

/** Where fastai has a defect, and Anneal does better on purpose. */
const defects: Record<string, string> = {
  "first drop then rise, valley": "index -1 wraps round to the largest learning rate; here it is the first point",
  "only 1 points": "too few points: fastai's slide and steep fail; here every suggestion is null",
  "only 2 points": "too few points: fastai's slide fails, its valley wraps round; here every suggestion is null",
  "only 5 points": "too few points: fastai's slide fails; here every suggestion is null",
  "only 15 points": "too few points: fastai's slide fails; here every suggestion is null",
};
/** Where float32 decides between points that are equal but for rounding, as fastai's straight lines are. */
const roundedTies: Record<string, string> = {
  "falling line, steep": "the slope is the same everywhere, so rounding alone picks the point",
  "rising line, steep": "the slope is the same everywhere, so rounding alone picks the point",
};

type Recorded = { value: number; x: number; y: number } | { error: string };

function found(got: Suggestion): { suggestion: number; point: readonly [number, number] } {
  if (got.suggestion === null) throw new Error(`no suggestion: ${got.reason}`);
  return got;
}

Deno.test("lr_find.json holds 18 curves", () => assertEquals(golden.curves.length, 18));

for (const { name, lrs, losses, numIt, suggestions } of golden.curves) {
  for (const [method, recorded] of Object.entries(suggestions as Record<string, Recorded>)) {
    const label = `${name}, ${method}`;
    if (name in defects || label in defects || label in roundedTies) continue;
    Deno.test(`${method} on the curve "${name}" is fastai's`, () => {
      assert("value" in recorded);
      const { suggestion, point } = found(funcs[method](lrs, losses, numIt));
      assertAlmostEquals(suggestion, recorded.value, 1e-6 * recorded.value);
      assertAlmostEquals(point[0], recorded.x, 1e-6 * recorded.x);
      assertAlmostEquals(point[1], recorded.y, 1e-6 * recorded.y);
    });
  }
}

for (const { name, options, lrs, losses, suggestions } of golden.runs) {
  Deno.test(`suggestions after the run "${name}" are fastai's`, () => {
    const numIt = options.num_it ?? 100;
    const curve = trimCurve(lrs, losses, numIt);
    assertEquals(curve.shortened, false);
    for (const [method, value] of Object.entries(suggestions)) {
      const { suggestion } = found(funcs[method](curve.lrs, curve.losses, numIt));
      assertAlmostEquals(suggestion, value, 1e-6 * value, method);
    }
  });
}

/** fastai's default grid after its cut: 85 points. */
const grid = Array.from({ length: 85 }, (_, i) => 1e-7 * 10 ** (8 * (i + 10) / 100));
const on = (f: (i: number) => number) => grid.map((_, i) => f(i));

Deno.test("valley clamps to the first point where fastai wraps round to the last", () => {
  assertEquals(found(valley(grid, on((i) => i < 2 ? 5 - i : 6 + 0.1 * i), 100)), {
    suggestion: grid[0],
    point: [grid[0], 5],
  });
});

Deno.test("valley, slide and minimum give the indices of the behaviour notes", () => {
  const bowl = on((i) => {
    const x = Math.log10(grid[i]);
    return 1 + 2 / (1 + Math.exp(3 * (x + 2.5))) + Math.exp(2.5 * (x + 0.2));
  });
  const curves: [string, number[], Record<string, number>][] = [
    ["3 - 0.02 i", on((i) => 3 - 0.02 * i), { valley: grid[41], slide: grid[69], minimum: grid[84] / 10 }],
    ["1", on(() => 1), { valley: grid[0], slide: grid[69], minimum: grid[0] / 10, steep: grid[0] }],
    ["parabola", on((i) => (i - 50) ** 2 / 1000 + 1), {
      valley: grid[24],
      slide: grid[0],
      minimum: grid[50] / 10,
      steep: grid[0],
    }],
    ["2 + 0.01 i", on((i) => 2 + 0.01 * i), { valley: grid[0], minimum: grid[0] / 10 }],
    ["bowl", bowl, { valley: grid[29], slide: grid[13], minimum: grid[61] / 10, steep: grid[46] }],
  ];
  for (const [name, losses, want] of curves) {
    for (const [method, value] of Object.entries(want)) {
      assertEquals(found(funcs[method](grid, losses, 100)).suggestion, value, `${method} of ${name}`);
    }
  }
});

Deno.test("fewer than 16 points, or none, give null and the reason", () => {
  for (const [method, suggest] of Object.entries(funcs)) {
    for (const n of [0, 1, 15]) {
      const got = suggest(grid.slice(0, n), on((i) => -i).slice(0, n), 100);
      assert(got.suggestion === null, method);
      assert(got.reason.includes(`the curve has ${n} points, and at least 16 are needed`), got.reason);
    }
    assert(suggest(grid.slice(0, 16), on((i) => -i).slice(0, 16), 100).suggestion !== null, method);
  }
});

Deno.test("a NaN ends the curve, and is named when too little is left", () => {
  const losses = on((i) => i < 60 ? 3 - 0.02 * i : i === 60 ? NaN : 0);
  for (const [method, suggest] of Object.entries(funcs)) {
    assertEquals(suggest(grid, losses, 100), suggest(grid.slice(0, 60), losses.slice(0, 60), 100), method);
  }
  const early = valley(grid, on((i) => i < 7 ? 1 : NaN), 100);
  assert(early.suggestion === null && early.reason.includes("7 points before the loss became NaN"));
});

Deno.test("an infinite loss is kept and never suggested by minimum", () => {
  assertEquals(found(minimum(grid, on((i) => i === 3 ? Infinity : 100 - i), 100)).suggestion, grid[84] / 10);
});

Deno.test("slideWith takes the interval, the threshold and a factor", () => {
  const losses = on((i) => (i - 50) ** 2 / 1000 + 1);
  const half = found(slideWith({ adjustValue: 0.5 })(grid, losses, 100));
  assertEquals(half, { suggestion: grid[0] / 2, point: [grid[0] / 2, losses[0]] });
  assertEquals(found(slideWith({ thresh: 1 })(grid, losses, 100)).suggestion, grid[69]);
  assertEquals(found(slideWith({ thresh: 1, lrDiff: 20 })(grid, losses, 100)).suggestion, grid[64]);
  const wide = slideWith({ lrDiff: 90 })(grid, losses, 100);
  assert(wide.suggestion === null && wide.reason.includes("lrDiff 90 needs at least 91"));
  const between = found(slideWith({ thresh: 1, adjustValue: Math.sqrt(grid[1] / grid[0]) })(grid, losses, 100));
  assertAlmostEquals(between.point[1], (losses[69] + losses[70]) / 2, 1e-9); // half way on a logarithmic axis
});

Deno.test("trimCurve cuts a tenth of numIt in front and 5 points behind", () => {
  const xs = Array.from({ length: 100 }, (_, i) => i + 1);
  assertEquals(trimCurve(xs, xs, 100), { lrs: xs.slice(10, 95), losses: xs.slice(10, 95), shortened: false });
  assertEquals(trimCurve(xs, xs, 5).lrs.length, 95);
  const nan = xs.map((x) => x > 40 ? NaN : x);
  assertEquals(trimCurve(xs, nan, 100).losses, xs.slice(10, 40));
});

Deno.test("trimCurve cuts less, and says so, where fewer than 16 points would be left", () => {
  const cut = (n: number) => {
    const xs = Array.from({ length: n }, (_, i) => i);
    const { lrs, shortened } = trimCurve(xs, xs, 100);
    return [lrs[0], lrs.at(-1), shortened];
  };
  assertEquals(cut(31), [10, 25, false]);
  assertEquals(cut(30), [9, 24, true]);
  assertEquals(cut(21), [0, 15, true]);
  assertEquals(cut(18), [0, 15, true]);
  assertEquals(cut(7), [0, 6, true]);
  assertEquals(trimCurve([], [], 100), { lrs: [], losses: [], shortened: true });
});

for (
  const [title, call, message] of [
    ["unequal lengths", () => valley([1, 2], [1], 100), "got 2 and 1"],
    ["numIt 0", () => trimCurve([1], [1], 0), "numIt must be a positive integer, got 0"],
    ["lrDiff 0", () => slideWith({ lrDiff: 0 }), "lrDiff must be a positive integer, got 0"],
    ["a negative thresh", () => slideWith({ thresh: -1 }), "thresh must be at least 0, got -1"],
    ["adjustValue NaN", () => slideWith({ adjustValue: NaN }), "with adjustValue NaN: it takes a number"],
  ] as const
) {
  Deno.test(`${title} is a ConfigError`, () => {
    assertThrows(call, ConfigError, message);
  });
}
