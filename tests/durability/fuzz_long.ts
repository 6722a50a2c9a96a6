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
import { fuzz, type FuzzReport } from "./fuzz.ts";
import { fuzzTorch } from "./fuzz_torch.ts";

const [files = "10000", seed = "1", calls = "3000"] = Deno.args;
await init({ device: "cpu", threads: 1 });
const wrong: string[] = [];
for (const series of [fuzz, fuzzTorch]) {
  const before = Deno.memoryUsage().rss;
  const report: FuzzReport = await series(Number(files), Number(seed));
  const rssGrowthMiB = (Deno.memoryUsage().rss - before) / 2 ** 20;
  console.log(JSON.stringify({ what: series.name, ...report, wrong: report.wrong.length, rssGrowthMiB }));
  for (const line of report.wrong.slice(0, 10)) console.log(line);
  wrong.push(...report.wrong);
}

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
