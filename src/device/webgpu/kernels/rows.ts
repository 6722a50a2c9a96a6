/**
 * What is known when, in a row of reductions.
 *
 * @module
 */
import type { Inst } from "../../contract.ts";
import { operandsOf } from "../../instructions.ts";
import { reduceDepths } from "../../data_flow.ts";
import type { Fold } from "./folds.ts";

/** Per instruction: after how many passes over the row it is known, and whether it is invariant along the row. */
export interface RowInfo {
  readonly level: readonly number[];
  readonly perRow: readonly boolean[];
  /** Passes over the row before its last outputs. */
  readonly levels: number;
}

/** Follows {@link RowInfo} through a body over `outerRank + innerRank` axes. */
export function rowInfo(body: readonly Inst[], outerRank: number, innerRank: number): RowInfo {
  const level = reduceDepths(body);
  const perRow: boolean[] = [];
  const still = (strides: readonly number[]) => strides.slice(outerRank).every((stride) => stride === 0);
  body.forEach((inst, i) => {
    const operands = operandsOf(inst);
    perRow[i] = inst.k === "reduce" ||
      (operands.every((a) => perRow[a]) &&
        (inst.k === "load" ? still(inst.view.strides) && (inst.guards ?? []).every((g) => still(g.strides)) : true) &&
        (inst.k !== "coord" || still(inst.strides)) &&
        (inst.k !== "segment" || innerRank === 0));
  });
  const levels = body.reduce((most, inst, i) => inst.k === "reduce" ? Math.max(most, level[i]) : most, 0);
  return { level, perRow, levels };
}

/** The reductions among `instructions`. */
export function foldsOf(body: readonly Inst[], instructions: readonly number[]): Fold[] {
  return instructions.flatMap((id) => {
    const inst = body[id];
    return inst.k === "reduce" ? [{ id, kind: inst.kind, a: inst.a }] : [];
  });
}
