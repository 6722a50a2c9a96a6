/**
 * WGSL text of the contract's instructions. Types are the aliases `F I U B`, so that the same text works on one element
 * or on four.
 *
 * @module
 */
import type { ValueType } from "../../../base/dtype.ts";
import type { BinaryOp, UnaryOp } from "../../contract.ts";

/** Alias of a value type. */
export const ALIAS: Record<ValueType, string> = { f32: "F", i32: "I", u32: "U", bool: "B" };

/** What WGSL has itself; the others are functions of `shaders/math.wgsl`, `<op>_f`. */
const BUILT_IN: Partial<Record<UnaryOp, (x: string) => string>> = {
  neg: (x) => `-${x}`,
  abs: (x) => `abs(${x})`,
  sqrt: (x) => `sqrt(${x})`,
  rsqrt: (x) => `F(1.0) / sqrt(${x})`, // inverseSqrt may be a rough estimate
  reciprocal: (x) => `F(1.0) / ${x}`,
  floor: (x) => `floor(${x})`,
  ceil: (x) => `ceil(${x})`,
  round: (x) => `round(${x})`,
  not: (x) => `!${x}`,
};

/** One-operand instruction on a value of `type`. */
export function unaryText(op: UnaryOp, type: ValueType, x: string): string {
  if (op === "sign" && type === "i32") return `sign(${x})`;
  if (op === "neg" && type === "f32") return `neg_f(${x})`;
  return BUILT_IN[op]?.(x) ?? `${op}_f(${x})`;
}

const OPERATORS: Partial<Record<BinaryOp, string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
  and: "&",
  or: "|",
  xor: "^",
  shl: "<<",
  shr: ">>",
};

/** Two-operand instruction on values of `type`. */
export function binaryText(op: BinaryOp, type: ValueType, a: string, b: string): string {
  if (type === "bool") return boolText(op, a, b);
  switch (op) {
    case "div":
      return type === "f32" ? `${a} / ${b}` : `div_${type[0]}(${a}, ${b})`;
    case "mod":
      return `mod_${type[0]}(${a}, ${b})`;
    case "pow":
      return `pow_f(${a}, ${b})`;
    case "max":
    case "min":
      return type === "f32" ? `nan_${op}(${a}, ${b})` : `${op}(${a}, ${b})`;
    case "ne":
      return `!(${a} == ${b})`; // some compilers take != for "less or greater", which NaN is not
    case "sub":
      return type === "f32" ? `${a} + neg_f(${b})` : `${a} - ${b}`;
    // GLSL need not keep NaN: a choice by a comparison may become the larger or smaller one, which is never NaN
    case "lt":
    case "le":
      return type === "f32" ? `${op}_f(${a}, ${b})` : `${a} ${OPERATORS[op]} ${b}`;
    case "gt":
    case "ge":
      return type === "f32" ? `${op === "gt" ? "lt" : "le"}_f(${b}, ${a})` : `${a} ${OPERATORS[op]} ${b}`;
    case "shl":
    case "shr":
      return `${a} ${OPERATORS[op]} (${b} & U(31u))`;
    default:
      return `${a} ${OPERATORS[op]} ${b}`;
  }
}

// bool has no order and no arithmetic in WGSL: as 0 and 1 it has
function boolText(op: BinaryOp, a: string, b: string): string {
  switch (op) {
    case "and":
    case "or":
      return `${a} ${OPERATORS[op]} ${b}`;
    case "xor":
    case "ne":
      return `${a} != ${b}`;
    case "eq":
      return `${a} == ${b}`;
    case "max":
      return `${a} | ${b}`;
    case "min":
      return `${a} & ${b}`;
    default:
      return `U(${a}) ${OPERATORS[op]} U(${b})`;
  }
}

/** `x` of type `from` as `to`. */
export function castText(from: ValueType, to: ValueType, x: string): string {
  if (from === to) return x;
  if (to === "bool") return `!(${x} == ${ALIAS[from]}(0))`;
  if (from === "bool") return `select(${ALIAS[to]}(0), ${ALIAS[to]}(1), ${x})`;
  if (from === "f32") return to === "i32" ? `f_to_i(${x})` : `f_to_u(${x})`;
  return to === "f32" ? `F(${x})` : `bitcast<${ALIAS[to]}>(${x})`;
}
