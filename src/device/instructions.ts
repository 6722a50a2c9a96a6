/**
 * What can be said of a kernel's instructions without running them.
 *
 * @module
 */
import { type ValueType, valueType } from "../base/dtype.ts";
import type { BinaryOp, Inst } from "./contract.ts";

/** Instructions of two operands that give bool. */
export const COMPARISONS: ReadonlySet<BinaryOp> = new Set(["eq", "ne", "lt", "le", "gt", "ge"]);

/** Types of the instructions' values. */
export function typesOf(body: readonly Inst[]): ValueType[] {
  const types: ValueType[] = [];
  for (const inst of body) types.push(typeOf(inst, types));
  return types;
}

function typeOf(inst: Inst, types: readonly ValueType[]): ValueType {
  switch (inst.k) {
    case "load":
      return valueType(inst.view.dtype);
    case "const":
    case "scalar":
    case "cast":
      return inst.type;
    case "coord":
    case "segment":
      return "i32";
    case "random":
      return inst.dist === "bits" ? "u32" : "f32";
    case "unary":
      return types[inst.a];
    case "binary":
      return COMPARISONS.has(inst.op) ? "bool" : types[inst.a];
    case "select":
      return types[inst.a];
    case "reduce":
      return inst.kind === "argmax" || inst.kind === "argmin" ? "i32" : types[inst.a];
    case "acc":
      return "f32";
  }
}

/** Instructions that an instruction refers to. */
export function operandsOf(inst: Inst): readonly number[] {
  switch (inst.k) {
    case "load":
      return inst.index ? [inst.index.value] : [];
    case "random":
      return [inst.index];
    case "cast":
    case "unary":
    case "reduce":
      return [inst.a];
    case "binary":
      return [inst.a, inst.b];
    case "select":
      return [inst.cond, inst.a, inst.b];
    default:
      return [];
  }
}
