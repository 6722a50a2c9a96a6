/**
 * Rows of reductions: what is known after how many passes over a row, and what is the same for all of it.
 *
 * @module
 */
import type { ReduceKernel, ReduceKind } from "./contract.ts";
import { closure, reduceDepths } from "./data_flow.ts";
import { operandsOf } from "./instructions.ts";

/** One reduction: instruction `id` folds instruction `a` over the row. */
export interface Reduction {
  readonly id: number;
  readonly kind: ReduceKind;
  readonly a: number;
}

/** How a kernel goes over its rows. */
export interface RowPasses {
  /** Per instruction: after how many passes over the row it is known. */
  readonly level: readonly number[];
  /** Per instruction: whether it is invariant along the row. */
  readonly perRow: readonly boolean[];
  /** The reductions that each pass forms, in the order of the body; what no output needs is left out. */
  readonly passes: readonly (readonly Reduction[])[];
}

/** Follows {@link RowPasses} through the body of a kernel. */
export function rowPasses({ outer, inner, body, outs }: ReduceKernel): RowPasses {
  const level = reduceDepths(body);
  const perRow: boolean[] = [];
  const still = ({ strides }: { readonly strides: readonly number[] }) =>
    strides.slice(outer.length).every((s) => s === 0);
  for (const inst of body) {
    const own = inst.k === "load"
      ? [inst.view, ...inst.guards ?? []].every(still)
      : inst.k === "coord"
      ? still(inst)
      : inst.k !== "segment" || inner.length === 0;
    perRow.push(inst.k === "reduce" || (own && operandsOf(inst).every((a) => perRow[a])));
  }
  const passes: Reduction[][] = [];
  for (const id of closure(body, outs.map((out) => out.value))) {
    const inst = body[id];
    if (inst.k === "reduce") (passes[level[id] - 1] ??= []).push({ id, kind: inst.kind, a: inst.a });
  }
  return { level, perRow, passes };
}

/** What a row's passes and its outputs per row need that is computed for each element, or once a row. */
export function rowRoots(outs: ReduceKernel["outs"], passes: RowPasses["passes"]): number[] {
  return [...outs.map((out) => out.value), ...passes.flat().flatMap(({ id, a }) => [id, a])];
}
