/**
 * The long form of the test of damaged files: `deno task test:fuzz`, with a number of files and a seed if wanted.
 *
 * @module
 */
import { init } from "../../src/tensor/mod.ts";
import { fuzz } from "./fuzz.ts";

const [files = "10000", seed = "1"] = Deno.args;
await init({ device: "cpu", threads: 1 });
const before = Deno.memoryUsage().rss;
const { wrong, ...report } = await fuzz(Number(files), Number(seed));
console.log(
  JSON.stringify({ ...report, wrong: wrong.length, rssGrowthMiB: (Deno.memoryUsage().rss - before) / 2 ** 20 }),
);
for (const line of wrong.slice(0, 10)) console.log(line);
Deno.exit(wrong.length === 0 ? 0 : 1);
