import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import {
  annealer,
  combinedCos,
  combineScheds,
  SchedCos,
  SchedExp,
  schedFromJson,
  SchedLin,
  SchedNo,
  SchedPoly,
  type Schedule,
} from "../../src/schedule/mod.ts";

const scheds: Record<string, Schedule> = {
  lin: SchedLin(0, 2),
  cos: SchedCos([1, 2], 0),
  no: SchedNo(1, 1),
  exp: SchedExp(1e-3, 10),
  poly: SchedPoly([0, 1], [2, 3], 2.5),
  combined: combineScheds([0.25, 0.75], [SchedLin(0, 1), combinedCos(0.5, 1, 2, 0)]),
};

for (const [name, sched] of Object.entries(scheds)) {
  Deno.test(`a schedule of kind ${name} survives JSON`, () => {
    const back = schedFromJson(JSON.parse(JSON.stringify(sched)));
    for (const p of [0, 0.1, 0.25, 0.6, 1]) assertEquals(back(p), sched(p));
    assertEquals(back.toJSON(), sched.toJSON());
  });
}

Deno.test("the JSON of a schedule is its kind, start and end", () => {
  assertEquals(JSON.stringify(SchedCos(0, 2)), '{"kind":"cos","start":0,"end":2}');
  assertEquals(JSON.stringify({ lr: SchedPoly(0, 2, 3) }), '{"lr":{"kind":"poly","start":0,"end":2,"power":3}}');
});

Deno.test("a change to a schedule's JSON does not reach the schedule", () => {
  const sched = SchedLin([0, 1], 2), json = sched.toJSON();
  if (json.kind === "lin" && Array.isArray(json.start)) json.start[0] = 100;
  assertEquals(sched(0), [0, 1]);
});

const mine = annealer(function wave(s, e, p) {
  return s + (e - s) * Math.sin(p);
});
for (
  const [title, make, message] of [
    ["JSON of a formula of one's own", () => JSON.stringify(mine(0, 1)), "the schedule wave as JSON"],
    [
      "JSON around a formula of one's own",
      () => JSON.stringify(combineScheds([1], [mine(0, 1)])),
      "made by annealer()",
    ],
    ["JSON around a bare function", () => JSON.stringify(combineScheds([1], [(p) => p])), "a function of your own"],
    ["an unknown kind", () => schedFromJson({ kind: "wild" }), 'kind "wild"'],
    ["no object", () => schedFromJson(3), "an object with a kind is needed, got 3"],
    ["a missing end", () => schedFromJson({ kind: "lin", start: 1 }), "end must be a number or an array of numbers"],
    ["a missing power", () => schedFromJson({ kind: "poly", start: 1, end: 2 }), "power must be a number"],
    ["missing parts", () => schedFromJson({ kind: "combined", pcts: [1] }), "pcts and scheds must be arrays"],
    ["null for NaN", () => schedFromJson({ kind: "cos", start: null, end: 1 }), "got null"],
  ] as const
) {
  Deno.test(`${title} is a ConfigError`, () => {
    assertThrows(make, ConfigError, message);
  });
}
