import { assert, assertEquals } from "@std/assert";
import {
  combinedCos,
  combineScheds,
  SchedCos,
  SchedExp,
  SchedLin,
  SchedNo,
  SchedPoly,
  type Schedule,
  type ScheduleValue,
} from "../../src/schedule/mod.ts";
import golden from "../golden/schedules.json" with { type: "json" };

type Case = { name: string; args: unknown[]; pos: number[]; value: ScheduleValue[] };
const cases = golden.cases as Case[];
const makers = { SchedLin, SchedCos, SchedNo, SchedExp };

function make(name: string, args: unknown[]): Schedule {
  const [a, b, c, d] = args;
  if (name === "combineScheds") {
    const parts = b as [string, ...unknown[]][];
    return combineScheds(a as number[], parts.map(([kind, ...rest]) => make(kind, rest)));
  }
  if (name === "combinedCos") {
    return combinedCos(a as number, b as ScheduleValue, c as ScheduleValue, d as ScheduleValue);
  }
  if (name === "SchedPoly") return SchedPoly(a as ScheduleValue, b as ScheduleValue, c as number);
  return makers[name as keyof typeof makers](a as ScheduleValue, b as ScheduleValue);
}

const flat = (v: ScheduleValue): readonly number[] => typeof v === "number" ? [v] : v;

Deno.test("schedules.json holds the cases that this test knows", () => assertEquals(cases.length, 44));

for (const { name, args, pos, value } of cases) {
  Deno.test(`${name}(${JSON.stringify(args).slice(1, -1)}) gives what fastai gave`, () => {
    const sched = make(name, args), combined = name.startsWith("combine");
    const largest = Math.max(...value.flatMap(flat).map(Math.abs));
    pos.forEach((p, i) => {
      const got = flat(sched(p)), want = flat(value[i]);
      assertEquals(got.length, want.length);
      want.forEach((w, g) => {
        // twelve digits were recorded; fastai keeps the boundaries of combined schedules in float32
        const allowed = combined ? 1e-6 * largest : 1e-11 * Math.abs(w) + 1e-15;
        assert(Math.abs(got[g] - w) <= allowed, `at ${p}, entry ${g}: ${got[g]}, fastai ${w}`);
      });
    });
  });
}
