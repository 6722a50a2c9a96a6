import { assert, assertEquals } from "@std/assert";
import { killAndResume } from "./killer.ts";

Deno.test("processes killed at random moments go on with the same bits and lose no checkpoint", async () => {
  const report = await killAndResume({ kills: 6, seed: 20 });
  assert(report.kills >= 6 && report.runs >= 1, JSON.stringify(report));
  assertEquals([report.different, report.lost], [0, 0], JSON.stringify(report));
});
