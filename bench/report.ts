/**
 * From measurements to the table: medians, ratios, and whether everyone computed the same.
 *
 * @module
 */
import type { Measurement } from "./measure.ts";
import { unitOf, type Workload } from "./workloads.ts";

/** A peer's process and ours right after it. */
export interface Pair {
  /** The peer's. */
  readonly peer: Measurement;
  /** Ours. */
  readonly ours: Measurement;
}

/** One line of the table. */
export interface Row {
  /** What was measured. */
  readonly workload: Workload;
  /** Unit of the rates. */
  readonly unit: string;
  /** Name and version. */
  readonly runner: string;
  /** What it computed on. */
  readonly backend: string;
  /** Median of all blocks. */
  readonly rate: number;
  /** Slowest block. */
  readonly lowest: number;
  /** Fastest block. */
  readonly highest: number;
  /** Number of blocks. */
  readonly blocks: number;
  /** How many times as fast as this runner ours is: the median over rounds of ours right after it; null for ours. */
  readonly timesAsFast: number | null;
  /** See `Subject.check`. */
  readonly check: readonly number[];
  /** Whether `check` is ours; true for ours. */
  readonly agrees: boolean;
  /** See `Subject.note`. */
  readonly note: string;
}

/** Largest difference of the first losses, or of elements of products; where operands are of f16, losses differ in the third digit. */
const TOLERANCE = { f32: 1e-3, f16: 3e-2 } as const;

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * The rows of a workload: ours, then the others.
 *
 * @param byPeer The pairs of each peer, one a round; ours alone where there are no peers.
 */
export function rowsOf(workload: Workload, byPeer: readonly (readonly Pair[])[]): Row[] {
  const own = byPeer.flat().map(({ ours }) => ours);
  if (own.length === 0) return [];
  const row = (runs: readonly Measurement[], timesAsFast: number | null): Row => {
    const rates = runs.flatMap((run) => run.rates), { runner, backend, check, note = "" } = runs[0];
    return {
      workload,
      unit: unitOf(workload),
      runner,
      backend,
      rate: median(rates),
      lowest: Math.min(...rates),
      highest: Math.max(...rates),
      blocks: rates.length,
      timesAsFast,
      check,
      agrees: runs.every((run) => agree(run.check, own[0].check, isHalf(backend) ? TOLERANCE.f16 : TOLERANCE.f32)),
      note,
    };
  };
  const others = byPeer.filter((pairs) => pairs.length > 0).map((pairs) =>
    row(pairs.map(({ peer }) => peer), median(pairs.map(({ peer, ours }) => median(ours.rates) / median(peer.rates))))
  );
  return [row(own, null), ...others];
}

/** Whether numbers that both have are equal within the tolerance. */
export function agree(a: readonly number[], b: readonly number[], tolerance: number = TOLERANCE.f32): boolean {
  const n = Math.min(a.length, b.length);
  return n > 0 && a.slice(0, n).every((v, i) => Math.abs(v - b[i]) <= tolerance);
}

/** Whether what a runner computed on, in its own words, says that operands were of f16. */
function isHalf(backend: string): boolean {
  return backend.endsWith("f16");
}

/** The rows as text in columns. */
export function table(rows: readonly Row[]): string {
  const head = [
    "workload",
    "runner",
    "backend",
    "median",
    "lowest",
    "highest",
    "unit",
    "blocks",
    "Anneal is",
    "check",
    "",
  ];
  const lines = rows.map((r) => [
    r.workload,
    r.runner,
    r.backend,
    ...[r.rate, r.lowest, r.highest].map(figure),
    r.unit,
    String(r.blocks),
    r.timesAsFast === null ? "" : `${r.timesAsFast.toPrecision(3)} x`,
    r.check.map((v) => v.toFixed(4)).join(" "),
    [r.agrees ? "" : "DIFFERS", r.note].filter((s) => s !== "").join("; "),
  ]);
  const all = [head, ...lines];
  const widths = head.map((_, i) => Math.max(...all.map((line) => line[i].length)));
  const right = new Set([3, 4, 5, 7, 8]);
  return all.map((line) =>
    line.map((cell, i) => right.has(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i])).join("  ").trimEnd()
  ).join("\n");
}

function figure(value: number): string {
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}
