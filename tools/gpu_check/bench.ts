/**
 * The part of `deno task gpu:check` that times a workload of the benchmark, and next to it the others' on the same adapter and
 * PyTorch on CUDA: `bench.ts bench:<workload> [--quick] [--dawn] [--peak GFLOPS] --seconds N`.
 *
 * @module
 */
import { Late, measure, ours, peers, type Runner } from "../../bench/runners.ts";
import type { Measurement } from "../../bench/measure.ts";
import { rowsOf } from "../../bench/report.ts";
import { isWorkload, unitOf, type Workload } from "../../bench/workloads.ts";
import { type PartArgs, partArgs, type PartResult, report, resultOf } from "./result.ts";

const HEAD = ["workload", "runner", "on", "median", "unit", "Anneal is", ""];

/** GFLOP of a step: those of the products and convolutions, forward and twice that backward. */
const GFLOP: Partial<Record<Workload, number>> = {
  "resnet18": 14,
  "resnet18-224": 700,
  "mm2048": 17,
  "mm4096": 137,
};

/** Steps without which there is no figure: two are compared, and the first is slow. */
const FEWEST_STEPS = 8;

/** Seconds of the fewest steps at half of the peak, which nobody reaches on a slow adapter; 0 where the peak is not known. */
export function leastSeconds(workload: Workload, peak: number): number {
  return peak > 0 ? FEWEST_STEPS * (GFLOP[workload] ?? 0) / (0.5 * peak) : 0;
}

/** Those who take part: Anneal, then the others on this adapter and on CUDA; PyTorch on the CPU is no rival here. */
async function contenders(workload: Workload, flags: readonly string[]): Promise<{ own: Runner; others: Runner[] }> {
  const { present } = await peers("webgpu", flags);
  const others = present.filter(({ backend, only }) => backend !== "cpu" && (only?.includes(workload) ?? true));
  return { own: ours("webgpu", flags), others };
}

const figure = (value: number): number => Number(value.toPrecision(4));

/** A row of the table, what differs, and the measurement; `text` stands where there is none. */
type Entry = { readonly runner: Runner } & ({ readonly measured: Measurement } | { readonly text: string });

function rowsFor(workload: Workload, entries: readonly Entry[]): { rows: (string | number)[][]; wrong: string[] } {
  const [first] = entries, own = first !== undefined && "measured" in first ? first.measured : null;
  const wrong: string[] = [];
  const rows = entries.map((entry) => {
    const { runner } = entry;
    if ("text" in entry) return [workload, runner.id, runner.backend, entry.text, "", "", ""];
    const { measured } = entry;
    if (own === null) throw new Error("nothing to compare with");
    const [ourRow, theirs] = rowsOf(workload, [[{ peer: measured, ours: own }]]);
    const { rate, agrees, note, backend, timesAsFast } = measured === own ? ourRow : theirs;
    if (!agrees) {
      wrong.push(`${workload}: ${measured.runner} on ${backend} has ${measured.check}, Anneal ${own.check}`);
    }
    const times = measured === own ? "" : `${timesAsFast!.toPrecision(3)} x`;
    return [workload, measured.runner, backend, figure(rate), unitOf(workload), times, note];
  });
  return { rows, wrong };
}

async function bench(workload: Workload, { quick, dawn, peak, left }: PartArgs): Promise<PartResult> {
  const least = leastSeconds(workload, peak);
  if (least > left()) {
    return resultOf({ head: HEAD, absent: `even at half of the peak the fewest steps take ${Math.ceil(least)} s` });
  }
  const preload = ["--no-lock", "--preload", new URL("../../tests/support/dawn_preload.ts", import.meta.url).pathname];
  const flags = ["--no-check", "--cached-only", ...(dawn ? preload : [])];
  const { own, others } = await contenders(workload, flags);
  const entries: Entry[] = [], faults: string[] = [], late: string[] = [];
  for (const [i, runner] of [own, ...others].entries()) {
    report(resultOf({ head: HEAD, ...rowsFor(workload, entries), faults, whole: false, at: runner.id }));
    const limit = left() / (i === 0 ? 1 + others.length / 2 : others.length + 1 - i);
    try {
      if (limit < 2) throw new Late();
      entries.push({ runner, measured: await measure(runner, workload, { secs: quick ? 0.2 : 1.5, limit }) });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (error instanceof Late) late.push(runner.id);
      else if (runner.id.startsWith("Anneal")) faults.push(text);
      entries.push({
        runner,
        text: error instanceof Late ? `none within ${Math.max(0, Math.round(limit))} s` : lastLine(text),
      });
      if (i === 0) break; // nothing to compare with
    }
  }
  const at = late.length === 0 ? "" : `no figure of ${late.join(", ")}`;
  return resultOf({ head: HEAD, ...rowsFor(workload, entries), faults, whole: late.length === 0, at });
}

/** What an error says, in short. */
export function lastLine(text: string): string {
  const line = text.split("\n").findLast((line) => /error/i.test(line)) ?? text.split("\n").at(-1)!;
  return `no figure: ${line.trim().slice(0, 160)}`;
}

if (import.meta.main) {
  const args = partArgs(Deno.args), [, workload] = args.name.split(":");
  if (!isWorkload(workload)) throw new Error(`There is no workload ${workload}`);
  report(await bench(workload, args));
  Deno.exit(0);
}
