/**
 * Checks an adapter, and measures it: one command, under ten minutes, no network. What fails is written down, and the rest goes on.
 *
 *     deno task gpu:check [--minutes N] [--only part,part] [--quick] [--dawn] [--prepare]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { dawnDriver } from "../tests/support/dawn.ts";
import { page, tally } from "./gpu_check/page.ts";
import { partsOf } from "./gpu_check/plan.ts";
import { prepare } from "./gpu_check/prepare.ts";
import { rounds } from "./gpu_check/rounds.ts";
import { type Outcome, run } from "./gpu_check/run.ts";

const USAGE = `Checks a WebGPU adapter, and measures it; the results go to bench/results/.

Usage: deno task gpu:check [options]

  --minutes N   when to stop (default 9); each part gets a share, and what does not come to its turn is left out
  --only LIST   parts whose names begin so: adapter, peak, conformance, products, nets, recorded, bench, torch
  --quick       small sizes and a sample of the cases: whether everything runs
  --dawn        Dawn (npm:webgpu) in place of Deno's own WebGPU
  --prepare     loads what a run needs into Deno's cache, and runs nothing: afterwards no network is needed
  --help        show this text

The exit code is 1 where numbers were wrong or a part failed.`;

const root = new URL("../", import.meta.url).pathname;

/** Reads the command line; a bad option is one clear line and exit code 2. */
function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: "string", default: "9" },
        only: { type: "string" },
        quick: { type: "boolean", default: false },
        dawn: { type: "boolean", default: false },
        prepare: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (!(Number(values.minutes) > 0)) throw new Error(`--minutes is a number above 0, got ${values.minutes}`);
    return values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message.split("\n")[0] : error} (--help shows the options)`);
    Deno.exit(2);
  }
}

/** The commit that is checked; empty where there is none. */
async function commit(): Promise<string> {
  try {
    const args = ["rev-parse", "--short", "HEAD"];
    const { success, stdout } = await new Deno.Command("git", { args, cwd: root, stderr: "null" }).output();
    return success ? `, commit ${new TextDecoder().decode(stdout).trim()}` : "";
  } catch {
    return "";
  }
}

/** The peak of f32 that a part has measured; 0 before. */
function peakOf(outcomes: readonly Outcome[]): number {
  const result = outcomes.find(({ part }) => part === "peak")?.result;
  return Number(result?.rows.find(([dtype]) => dtype === "f32")?.[1] ?? 0);
}

/** A file as a whole or not at all, whatever happens to this process meanwhile. */
async function writeWhole(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(`${path}.part`, text);
  await Deno.rename(`${path}.part`, path);
}

async function main(): Promise<number> {
  const { help, only, quick, dawn, minutes, ...options } = readOptions(), started = performance.now();
  if (help) {
    console.log(USAGE);
    return 0;
  }
  if (options.prepare) return await prepare();
  const until = started + Number(minutes) * 60_000, left = () => (until - performance.now()) / 1000;
  const driver = dawn ? await dawnDriver() : { env: {} };
  if (driver === null) {
    console.error("Cannot check Dawn: it finds no driver that it takes (see `deno task test:dawn`)");
    return 1;
  }
  const parts = partsOf({ quick, dawn })
    .filter(({ name }) => only?.split(",").some((start) => name.startsWith(start)) ?? true);
  if (parts.length === 0) {
    console.error(`No part begins with ${only} (--help shows them)`);
    return 2;
  }
  const date = new Date().toISOString(), folder = `${root}bench/results/`;
  const how = `deno task gpu:check ${Deno.args.join(" ")}, Deno ${Deno.version.deno}${await commit()}`;
  const name = `gpu-${date.slice(0, 19).replaceAll(":", "")}`;
  await Deno.mkdir(folder, { recursive: true });
  let peak = 0;
  const outcomes = await rounds(parts, {
    left,
    run: (part, share) => run(part, driver.env, share, peak),
    tell: async ({ part, state, seconds, why }, all) => {
      peak = peakOf(all);
      console.log(`${state.padEnd(8)} ${seconds.toFixed(1).padStart(6)} s  ${part}${why && `: ${why.slice(0, 160)}`}`);
      await writeWhole(`${folder}${name}.json`, JSON.stringify({ date, how, outcomes: all }, null, 2) + "\n");
      await writeWhole(`${folder}${name}.md`, page({ date, how }, all));
    },
  });
  console.log(`${tally(outcomes)}; written to bench/results/${name}.json and .md`);
  return outcomes.some(({ state }) => state === "wrong" || state === "failed") ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main());
