/**
 * The long form of the kill test: `deno task test:kill`, with a number of kills and a seed if wanted.
 *
 * @module
 */
import { killAndResume } from "./killer.ts";

const [kills = "200", seed = "1"] = Deno.args;
const report = await killAndResume({
  kills: Number(kills),
  seed: Number(seed),
  withinMs: 600,
  tell: (line) => console.log(line),
});
console.log(JSON.stringify(report, null, 2));
Deno.exit(report.different + report.lost === 0 ? 0 : 1);
