/**
 * From timed blocks to the table that can be copied.
 *
 * @module
 */
import { agree, median } from "../../bench/report.ts";
import { titleOf, unitOf, type Workload } from "../../bench/workloads.ts";

/** What became of a library at one workload. */
export interface Result {
  readonly workload: Workload;
  readonly runner: string;
  /** What it computed on. */
  readonly backend: string;
  /** The speed in each round, in the workload's unit. */
  readonly rates: readonly number[];
  /** Numbers that must be everyone's. */
  readonly check: readonly number[];
  /** Why there are no speeds; else empty. */
  readonly failed: string;
}

/** Names of the columns, behind that of the workload. */
export const COLUMNS = ["library", "median", "Anneal is", "lowest to highest", "computes on", "remark"] as const;

/** Whose results the others are compared with. */
const OURS = "Anneal";

function figure(value: number): string {
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}

/** The row of a result among others: a cell for each column. */
export function cellsOf({ workload, runner, backend, rates, check, failed }: Result, all: readonly Result[]): string[] {
  if (rates.length === 0) return [runner, "–", "–", "–", backend, failed === "" ? "" : `fails: ${failed}`];
  const ours = all.find((r) => r.workload === workload && r.runner === OURS);
  const n = runner === OURS || ours === undefined ? 0 : Math.min(rates.length, ours.rates.length);
  // each round beside ours in it: a device that slows down favours nobody
  const times = n === 0 ? null : median(rates.slice(0, n).map((rate, i) => ours!.rates[i] / rate));
  return [
    runner,
    `${figure(median(rates))} ${unitOf(workload)}`,
    times === null ? "–" : `${times.toPrecision(3)} x as fast`,
    `${figure(Math.min(...rates))} to ${figure(Math.max(...rates))}`,
    backend,
    n > 0 && !agree(check, ours!.check) ? "its numbers differ" : "",
  ];
}

/** The table as Markdown, under lines that say where it was measured. */
export function markdownOf(results: readonly Result[], facts: readonly string[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((c) => c.replaceAll("|", "\\|")).join(" | ")} |`;
  const head = ["workload", ...COLUMNS];
  const rows = results.map((result) => [titleOf(result.workload), ...cellsOf(result, results)]);
  return [...facts, "", ...[head, head.map(() => "---"), ...rows].map(line)].join("\n");
}
