/**
 * Code for single instructions on four lanes: arithmetic, comparisons, casts, random numbers. A bool is a mask, -1 or 0.
 *
 * @module
 */
import type { ValueType } from "../../../base/dtype.ts";
import type { BinaryOp, UnaryOp } from "../../contract.ts";
import type { MathName } from "../kernel_build.ts";
import { type Fn, LANE, OP } from "./code.ts";
import type { Context } from "./context.ts";

const F32: Partial<Record<BinaryOp, number>> = {
  add: OP.f32x4Add,
  sub: OP.f32x4Sub,
  mul: OP.f32x4Mul,
  div: OP.f32x4Div,
  max: OP.f32x4Max,
  min: OP.f32x4Min,
  eq: OP.f32x4Eq,
  ne: OP.f32x4Ne,
  lt: OP.f32x4Lt,
  le: OP.f32x4Le,
  gt: OP.f32x4Gt,
  ge: OP.f32x4Ge,
};

const SIGNED: Partial<Record<BinaryOp, number>> = {
  add: OP.i32x4Add,
  sub: OP.i32x4Sub,
  mul: OP.i32x4Mul,
  max: OP.i32x4MaxS,
  min: OP.i32x4MinS,
  eq: OP.i32x4Eq,
  ne: OP.i32x4Ne,
  lt: OP.i32x4LtS,
  le: OP.i32x4LeS,
  gt: OP.i32x4GtS,
  ge: OP.i32x4GeS,
  and: OP.v128And,
  or: OP.v128Or,
  xor: OP.v128Xor,
};

const UNSIGNED: Partial<Record<BinaryOp, number>> = {
  ...SIGNED,
  max: OP.i32x4MaxU,
  min: OP.i32x4MinU,
  lt: OP.i32x4LtU,
  le: OP.i32x4LeU,
  gt: OP.i32x4GtU,
  ge: OP.i32x4GeU,
};

/** Operations that go lane by lane through a function of one lane. */
function scalarFunction(op: BinaryOp, type: ValueType): MathName | undefined {
  if (type === "f32") return op === "pow" || op === "mod" ? op : undefined;
  const unsigned = type !== "i32";
  if (op === "div") return unsigned ? "divU" : "divS";
  if (op === "mod") return unsigned ? "modU" : "modS";
  return op === "shl" || op === "shr" ? op : undefined;
}


/** Pushes `a op b`; both are locals of `type`. */
export function pushBinary(fn: Fn, context: Context, op: BinaryOp, type: ValueType, a: number, b: number): void {
  const name = scalarFunction(op, type);
  if (name === undefined) {
    const code = (type === "f32" ? F32 : type === "i32" ? SIGNED : UNSIGNED)[op];
    fn.get(a).get(b).op(code ?? OP.v128And);
    return;
  }
  const index = context.math(name);
  const [extract, replace] = type === "f32"
    ? [LANE.f32x4Extract, LANE.f32x4Replace]
    : [LANE.i32x4Extract, LANE.i32x4Replace];
  fn.get(a);
  for (let lane = 0; lane < 4; lane++) {
    fn.get(a).lane(extract, lane).get(b).lane(extract, lane).call(index).lane(replace, lane);
  }
}

const MATH: Partial<Record<UnaryOp, MathName>> = {
  exp: "exp",
  log: "log",
  log1p: "log1p",
  sin: "sin",
  cos: "cos",
  tanh: "tanh",
  erf: "erf",
};

const DIRECT: Partial<Record<UnaryOp, number>> = {
  neg: OP.f32x4Neg,
  abs: OP.f32x4Abs,
  sqrt: OP.f32x4Sqrt,
  floor: OP.f32x4Floor,
  ceil: OP.f32x4Ceil,
  round: OP.f32x4Nearest,
};

/** Pushes `op a`; `a` is a local of `type`. */
export function pushUnary(fn: Fn, context: Context, op: UnaryOp, type: ValueType, a: number): void {
  if (op === "not") fn.get(a).op(OP.v128Not);
  else if (type !== "f32") pushIntegerUnary(fn, op, type, a);
  else if (op === "reciprocal") fn.f32x4(1).get(a).op(OP.f32x4Div);
  else if (op === "rsqrt") fn.f32x4(1).get(a).op(OP.f32x4Sqrt).op(OP.f32x4Div);
  else if (op === "sign") {
    // (x > 0) - (x < 0), and x itself where it is NaN
    fn.f32x4(1).get(a).f32x4(0).op(OP.f32x4Gt).op(OP.v128And);
    fn.f32x4(1).get(a).f32x4(0).op(OP.f32x4Lt).op(OP.v128And).op(OP.f32x4Sub);
    fn.get(a).get(a).get(a).op(OP.f32x4Eq).op(OP.v128Bitselect);
  } else {
    const name = MATH[op];
    fn.get(a);
    if (name !== undefined) fn.call(context.math(name));
    else fn.op(DIRECT[op] ?? OP.f32x4Abs);
  }
}

function pushIntegerUnary(fn: Fn, op: UnaryOp, type: ValueType, a: number): void {
  if (op === "neg") fn.get(a).op(OP.i32x4Neg);
  else if (op === "abs") {
    fn.get(a);
    if (type === "i32") fn.op(OP.i32x4Abs);
  } else {
    // masks are -1: (x < 0) - (x > 0)
    fn.get(a).v128([0, 0, 0, 0]).op(OP.i32x4LtS).get(a).v128([0, 0, 0, 0]).op(OP.i32x4GtS).op(OP.i32x4Sub);
  }
}

/** Pushes `a`, a local of type `from`, as type `to`. */
export function pushCast(fn: Fn, from: ValueType, to: ValueType, a: number): void {
  fn.get(a);
  if (from === to) return;
  if (from === "bool") {
    if (to === "f32") fn.f32x4(1).op(OP.v128And);
    else fn.v128([1, 1, 1, 1]).op(OP.v128And);
  } else if (to === "bool") {
    if (from === "f32") fn.f32x4(0).op(OP.f32x4Ne);
    else fn.v128([0, 0, 0, 0]).op(OP.i32x4Ne);
  } else if (from === "f32") fn.op(to === "i32" ? OP.i32x4TruncSatF32S : OP.i32x4TruncSatF32U);
  else if (to === "f32") fn.op(from === "i32" ? OP.f32x4ConvertI32S : OP.f32x4ConvertI32U);
}

/** Pushes a constant of `type`. */
export function pushConst(fn: Fn, value: number, type: ValueType): void {
  if (type === "f32") fn.f32x4(value);
  else {
    const word = type === "bool" ? (value !== 0 ? -1 : 0) : value | 0;
    fn.v128([word, word, word, word]);
  }
}
