import { assert, assertEquals } from "@std/assert";
import { type Outcome, page, run } from "../../tools/gpu_check.ts";

const deno = (code: string) => [Deno.execPath(), "eval", code];

Deno.test("parts of the GPU check fail, are stopped or left out, and the rest is told", async () => {
  const table = { head: ["n", "ms"], rows: [[4, 0.5]], wrong: [] as string[] };
  const good = deno(`console.log('noise\\n${JSON.stringify(table)}')`);
  const bad = deno(`console.log('${JSON.stringify({ ...table, rows: [[8, "a|b"]], wrong: ["8 is wrong"] })}')`);
  const later = performance.now() + 60_000;
  const outcomes: Outcome[] = [];
  for (
    const [command, seconds, until] of [
      [good, 30, later],
      [bad, 30, later],
      [deno("console.error('no adapter'); Deno.exit(3)"), 30, later],
      [deno("console.log('no table')"), 30, later],
      [["/nonexistent/python3"], 30, later],
      [good, 30, performance.now() + 1000],
      [deno("setTimeout(() => {}, 60_000)"), 1, later],
    ] as const
  ) outcomes.push(await run({ name: `part${outcomes.length}`, command, seconds }, {}, until));
  const states = outcomes.map(({ state }) => state);
  assertEquals(states, ["passed", "wrong", "failed", "failed", "failed", "left out", "failed"]);
  const text = page("today", outcomes);
  assert(text.includes("| n | ms |\n| --- | --- |\n| 4 | 0.5 |\n| 8 | a\\|b |\n"), text);
  assert(text.includes("part1: 8 is wrong") && text.includes("no adapter") && text.includes("no table"), text);
  assert(text.includes("| part5 | left out |"), text);
});
