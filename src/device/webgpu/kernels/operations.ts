/**
 * WGSL text of the contract's instructions. Types are the aliases `F I U B`, so that the same text works on one element
 * or on four.
 *
 * @module
 */
import type { ValueType } from "../../../base/dtype.ts";
import type { BinaryOp, Inst, UnaryOp } from "../../contract.ts";

/** Alias of a value type. */
export const ALIAS: Record<ValueType, string> = { f32: "F", i32: "I", u32: "U", bool: "B" };

const FLOAT_UNARY: Record<UnaryOp, (x: string) => string> = {
  neg: (x) => `-${x}`,
  abs: (x) => `abs(${x})`,
  sign: (x) => `sign_f(${x})`,
  exp: (x) => `exp_f(${x})`,
  log: (x) => `log_f(${x})`,
  log1p: (x) => `log1p_f(${x})`,
  sqrt: (x) => `sqrt(${x})`,
  rsqrt: (x) => `F(1.0) / sqrt(${x})`, // inverseSqrt may be a rough estimate
  reciprocal: (x) => `F(1.0) / ${x}`,
  sin: (x) => `sin_f(${x})`,
  cos: (x) => `cos_f(${x})`,
  tanh: (x) => `tanh_f(${x})`,
  erf: (x) => `erf_f(${x})`,
  floor: (x) => `floor(${x})`,
  ceil: (x) => `ceil(${x})`,
  round: (x) => `round(${x})`,
  not: (x) => `!${x}`,
};

/** One-operand instruction on a value of `type`. */
export function unaryText(op: UnaryOp, type: ValueType, x: string): string {
  if (op === "sign" && type === "i32") return `sign(${x})`;
  return FLOAT_UNARY[op](x);
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

const COMPARISONS: ReadonlySet<BinaryOp> = new Set(["eq", "ne", "lt", "le", "gt", "ge"]);

/** Types of a body's instructions; `u8` loads as i32. */
export function typesOf(body: readonly Inst[]): ValueType[] {
  const types: ValueType[] = [];
  for (const inst of body) types.push(typeOf(inst, types));
  return types;
}

function typeOf(inst: Inst, types: readonly ValueType[]): ValueType {
  switch (inst.k) {
    case "load":
      return inst.view.dtype === "u8" ? "i32" : inst.view.dtype;
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

/** Instructions that `inst` refers to. */
export function operandsOf(inst: Inst): readonly number[] {
  switch (inst.k) {
    case "load":
      return inst.index === undefined ? [] : [inst.index.value];
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

/** `targets` and everything they refer to, ascending; `stop` says what is known already. */
export function closure(
  body: readonly Inst[],
  targets: Iterable<number>,
  stop: (i: number) => boolean = () => false,
): number[] {
  const seen = new Set<number>();
  const stack = [...targets];
  while (stack.length > 0) {
    const i = stack.pop()!;
    if (seen.has(i) || stop(i)) continue;
    seen.add(i);
    stack.push(...operandsOf(body[i]));
  }
  return [...seen].sort((a, b) => a - b);
}
