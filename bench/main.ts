/**
 * Speed of training next to other libraries: one table, one file in `bench/results/`.
 *
 *     deno task bench [workload ...] [--device cpu|webgpu] [--secs N] [--rounds N]
 *
 * Every measurement is a process of its own. A round runs each peer and, right after it, this module; ratios compare these
 * neighbours, so that a machine that slows down in between does not favour anyone.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { benchTitle, savePlot } from "./plot.ts";
import { type Pair, type Row, rowsOf, table } from "./report.ts";
import { type DeviceName, measure, ours, peers, type Runner } from "./runners.ts";
import { isWorkload, LARGE, type Workload, WORKLOADS } from "./workloads.ts";

const USAGE = `Measures training next to other libraries.

Usage: deno task bench [workload ...] [options]

  workload      ${WORKLOADS.join(", ")}; by default all but ${LARGE.join(" and ")}
  --device D    cpu (default), or webgpu ("deno task setup" finds an adapter first)
  --secs N      seconds of blocks a process, at least 5 blocks of 0.4 s (default 3)
  --rounds N    times that every peer and this module take turns (default 2)
  --help        show this text

Example: deno task bench mlp64 mlp256 --secs 5`;

interface Options {
  readonly workloads: readonly Workload[];
  readonly device: DeviceName;
  readonly secs: number;
  readonly rounds: number;
}

/** Reads the command line; a bad option is one clear line and exit code 2. */
function readOptions(args: string[]): Options {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        device: { type: "string", default: "cpu" },
        secs: { type: "string", default: "3" },
        rounds: { type: "string", default: "2" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      Deno.exit(0);
    }
    const unknown = positionals.find((name) => !isWorkload(name));
    if (unknown !== undefined) throw new Error(`workloads are ${WORKLOADS.join(", ")}, got ${unknown}`);
    const { device } = values, secs = Number(values.secs), rounds = Number(values.rounds);
    if (device !== "cpu" && device !== "webgpu") throw new Error(`--device is cpu or webgpu, got ${device}`);
    if (!(secs > 0 && secs <= 600)) throw new Error(`--secs is a number from above 0 to 600, got ${values.secs}`);
    if (!(Number.isInteger(rounds) && rounds > 0)) {
      throw new Error(`--rounds is a whole number from 1, got ${values.rounds}`);
    }
    const workloads = WORKLOADS.filter((w) => positionals.length === 0 ? !LARGE.includes(w) : positionals.includes(w));
    return { workloads, device, secs, rounds };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message.split("\n")[0] : error} (--help shows the options)`);
    Deno.exit(2);
  }
}

const failures: string[] = [];

/** A measurement, or null and a line among the failures. */
async function attempt(runner: Runner, workload: Workload, secs: number) {
  console.error(`${workload}: ${runner.id}`);
  try {
    return await measure(runner, workload, { secs });
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
    return null;
  }
}

/** All rounds of one workload. */
async function compare(workload: Workload, others: readonly Runner[], options: Options): Promise<Row[]> {
  const { device, secs, rounds } = options;
  const taking = others.filter(({ only }) => only === undefined || only.includes(workload));
  const byPeer: Pair[][] = taking.map(() => []);
  const failed = new Set<Runner>();
  for (let round = 0; round < rounds; round++) {
    for (const [i, runner] of taking.entries()) {
      if (failed.has(runner)) continue;
      const peer = await attempt(runner, workload, secs);
      if (peer === null) failed.add(runner);
      const own = await attempt(ours(device), workload, secs);
      if (own === null) return rowsOf(workload, byPeer); // it would fail again
      if (peer !== null) byPeer[i].push({ peer, ours: own });
    }
  }
  return rowsOf(workload, byPeer);
}

/** What the figures depend on. */
async function machine(): Promise<Record<string, string | number>> {
  const info = Deno.build.os === "linux" ? await Deno.readTextFile("/proc/cpuinfo") : "";
  return {
    cpu: info.match(/model name\s*:\s*(.*)/)?.[1] ?? "unknown",
    cores: navigator.hardwareConcurrency,
    os: Deno.build.target,
    deno: Deno.version.deno,
    loadAtStart: Deno.loadavg()[0],
  };
}

async function main(options: Options): Promise<number> {
  const facts = await machine();
  console.log(`${facts.cpu}, ${facts.cores} cores, Deno ${facts.deno}`);
  if (Number(facts.loadAtStart) > 0.5) {
    console.log(
      `Other programs are running (load ${Number(facts.loadAtStart).toFixed(1)}): the figures are not to be trusted`,
    );
  }
  const { present, absent } = await peers(options.device);
  absent.forEach((line) => console.log(line));
  const rows: Row[] = [];
  for (const workload of options.workloads) rows.push(...await compare(workload, present, options));
  console.log(`\n${table(rows)}\n`);
  failures.forEach((line) => console.log(line));
  const differing = rows.filter((r) => !r.agrees).map((r) => `${r.workload} of ${r.runner}`);
  if (differing.length > 0) console.log(`First losses or products differ from Anneal's: ${differing.join(", ")}`);

  const date = new Date().toISOString(), folder = new URL("results/", import.meta.url);
  const name = `${date.slice(0, 16).replace(":", "")}-${options.device}.json`;
  await Deno.mkdir(folder, { recursive: true });
  const { secs, rounds, device } = options;
  const text = JSON.stringify({ date, device, secs, rounds, machine: facts, absent, failures, rows }, null, 2);
  await Deno.writeTextFile(new URL(name, folder), text + "\n");
  const picture = name.replace(".json", ".png");
  await savePlot(rows, benchTitle({ device, date, machine: facts }), new URL(picture, folder));
  console.log(`Written to bench/results/${name} and ${picture}`);
  return failures.length + differing.length > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(readOptions(Deno.args)));
