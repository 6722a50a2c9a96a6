/**
 * Runs of a one-axis domain in which every segment number stays the same, as a table in memory.
 *
 * @module
 */
import type { Inst } from "../../contract.ts";
import { MEM, OP, T } from "./code.ts";
import type { Form, Limit, Nest } from "./nest.ts";

/** Whether a body asks for segment numbers. */
export function hasSegments(body: readonly Inst[]): boolean {
  return body.some(({ k }) => k === "segment");
}

/** The table: rows of `start, end, number for each segment instruction`. */
export interface SegmentTable {
  readonly words: Int32Array;
  readonly rows: number;
  /** The column of `segment` instruction `i` behind start and end. */
  column(i: number): number;
  /** Moves `forms` to the start of row `at` (a local), sets `row` to its address; gives the row's length. */
  enter(nest: Nest, forms: readonly Form[], address: number, at: number, row: number): Limit;
}

/**
 * Cuts `[0, n)` wherever a segment of `body` or of `cuts` starts, and into pieces of at most `chunk` (a multiple of 4)
 * counted from the last cut.
 */
export function segmentTable(n: number, body: readonly Inst[], cuts: readonly number[], chunk: number): SegmentTable {
  const insts = body.flatMap((inst, i) => inst.k === "segment" ? [{ i, starts: inst.starts, at: -1 }] : []);
  const edges = new Set<number>([0, ...cuts]);
  for (const { starts } of insts) starts.forEach((start) => edges.add(start));
  const bounds = [...edges].filter((edge) => edge < n).sort((a, b) => a - b);
  const rows: number[] = [];
  bounds.forEach((from, b) => {
    const to = bounds[b + 1] ?? n;
    for (const inst of insts) {
      while (inst.at + 1 < inst.starts.length && inst.starts[inst.at + 1] <= from) inst.at++;
    }
    for (let start = from; start < to; start += chunk) {
      rows.push(start, Math.min(start + chunk, to), ...insts.map(({ at }) => at));
    }
  });
  const stride = 2 + insts.length;
  return {
    words: Int32Array.from(rows),
    rows: rows.length / stride,
    column: (i) => insts.findIndex((inst) => inst.i === i),
    enter: ({ fn }, forms, address, at, row) => {
      const start = fn.local(T.i32), count = fn.local(T.i32);
      fn.get(at).i32(stride * 4).op(OP.i32Mul).i32(address).op(OP.i32Add).tee(row).mem(MEM.i32Load).set(start);
      fn.get(row).mem(MEM.i32Load, 4).get(start).op(OP.i32Sub).set(count);
      for (const { local, strides: [step] } of forms) {
        if (step !== 0) fn.get(start).i32(step).op(OP.i32Mul).get(local).op(OP.i32Add).set(local);
      }
      return { local: count };
    },
  };
}
