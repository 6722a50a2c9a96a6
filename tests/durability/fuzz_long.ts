/**
 * The long form of the tests by random: damaged files, then random calls on random views on every device, strategy by strategy.
 * `deno task test:fuzz`, with a number of files, a seed and a number of calls if wanted.
 *
 * @module
 */
import type { Device } from "../../src/device/contract.ts";
import { STRATEGIES } from "../../src/device/webgpu/kernels/plan.ts";
import { init } from "../../src/tensor/mod.ts";
import { disagreements, KINDS, randomCase } from "../oracle/random_graphs.ts";
import { openOnce } from "../support/devices.ts";
import { adapter, sharedWebgpu } from "../support/webgpu.ts";
import { fuzz } from "./fuzz.ts";

const [files = "10000", seed = "1", calls = "3000"] = Deno.args;
await init({ device: "cpu", threads: 1 });
const before = Deno.memoryUsage().rss;
const { wrong, ...report } = await fuzz(Number(files), Number(seed));
console.log(
  JSON.stringify({ ...report, wrong: wrong.length, rssGrowthMiB: (Deno.memoryUsage().rss - before) / 2 ** 20 }),
);
for (const line of wrong.slice(0, 10)) console.log(line);

const devices: (readonly [string, Device])[] = [["cpu", await openOnce("cpu")]];
if (adapter !== null) { for (const strategy of STRATEGIES) devices.push([strategy, await sharedWebgpu(strategy)]); }
let disagreed = 0;
for (let i = 0; i < Number(calls); i++) {
  const at = Number(seed) * 1_000_003 + i;
  let lines: string[];
  try {
    lines = await disagreements(randomCase(i, at), devices);
  } catch (error) {
    lines = [`${error instanceof Error ? error.stack : error}`];
  }
  for (const line of lines) console.log(`${KINDS[i % KINDS.length]}, seed ${at}: ${line}`);
  disagreed += lines.length;
}
console.log(JSON.stringify({ calls: Number(calls), devices: devices.map(([name]) => name), wrong: disagreed }));
Deno.exit(wrong.length === 0 && disagreed === 0 ? 0 : 1);
