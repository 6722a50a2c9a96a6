/**
 * What one instruction of a kernel's body computes, on four lanes: operands and result are locals.
 *
 * Values are v128: f32, i32 and u32 in lanes of 32 bits, bool as masks of ones or zeros.
 *
 * @module
 */
import type { ValueType } from "../../../base/dtype.ts";
import type { BinaryOp, UnaryOp } from "../../contract.ts";
import { type Fn, LANE, OP, T } from "./code.ts";
import type { Context } from "./context.ts";

const COMPARE = {
  f32: { eq: OP.f32x4Eq, ne: OP.f32x4Ne, lt: OP.f32x4Lt, le: OP.f32x4Le, gt: OP.f32x4Gt, ge: OP.f32x4Ge },
  i32: { eq: OP.i32x4Eq, ne: OP.i32x4Ne, lt: OP.i32x4LtS, le: OP.i32x4LeS, gt: OP.i32x4GtS, ge: OP.i32x4GeS },
  u32: { eq: OP.i32x4Eq, ne: OP.i32x4Ne, lt: OP.i32x4LtU, le: OP.i32x4LeU, gt: OP.i32x4GtU, ge: OP.i32x4GeU },
  bool: { eq: OP.i32x4Eq, ne: OP.i32x4Ne, lt: OP.i32x4GtS, le: OP.i32x4GeS, gt: OP.i32x4LtS, ge: OP.i32x4LeS },
} as const;

const ARITHMETIC = {
  f32: { add: OP.f32x4Add, sub: OP.f32x4Sub, mul: OP.f32x4Mul, div: OP.f32x4Div, max: OP.f32x4Max, min: OP.f32x4Min },
  i32: { add: OP.i32x4Add, sub: OP.i32x4Sub, mul: OP.i32x4Mul, max: OP.i32x4MaxS, min: OP.i32x4MinS },
  u32: { add: OP.i32x4Add, sub: OP.i32x4Sub, mul: OP.i32x4Mul, max: OP.i32x4MaxU, min: OP.i32x4MinU },
} as const;

/** Pushes `op` of locals `a` and `b`, both of `type`. */
export function emitBinary(f: Fn, context: Context, op: BinaryOp, type: ValueType, a: number, b: number): void {
  if (op in COMPARE.f32) {
    f.get(a).get(b).op(COMPARE[type][op as "eq"]);
    return;
  }
  if (op === "and" || op === "or" || op === "xor") {
    f.get(a).get(b).op(op === "and" ? OP.v128And : op === "or" ? OP.v128Or : OP.v128Xor);
    return;
  }
  const table = ARITHMETIC[type as "f32"] as Partial<Record<BinaryOp, number>> | undefined;
  const simple = table?.[op];
  if (simple !== undefined) f.get(a).get(b).op(simple);
  else if (op === "pow" || (op === "mod" && type === "f32")) {
    eachFloat(f, a, b, context.imports[op === "pow" ? "pow" : "fmod"]);
  } else eachInteger(f, op, type, a, b);
}

/** Calls a function of two f32 for each lane. */
function eachFloat(f: Fn, a: number, b: number, call: number): void {
  const out = f.local(T.v128);
  f.v128([0, 0, 0, 0]).set(out);
  for (let k = 0; k < 4; k++) {
    f.get(out).get(a).lane(LANE.f32x4Extract, k).get(b).lane(LANE.f32x4Extract, k).call(call).lane(LANE.f32x4Replace, k)
      .set(out);
  }
  f.get(out);
  f.release(out);
}

/** Quotients, remainders and shifts of each lane; by 0, quotients and remainders are 0. */
function eachInteger(f: Fn, op: BinaryOp, type: ValueType, a: number, b: number): void {
  const out = f.local(T.v128), y = f.local(T.i32);
  f.v128([0, 0, 0, 0]).set(out);
  for (let k = 0; k < 4; k++) {
    f.get(b).lane(LANE.i32x4Extract, k).set(y);
    const x = () => f.get(a).lane(LANE.i32x4Extract, k);
    if (op === "shl" || op === "shr") {
      f.get(out);
      x().get(y).op(op === "shl" ? OP.i32Shl : OP.i32ShrU).lane(LANE.i32x4Replace, k).set(out);
      continue;
    }
    const signed = type === "i32";
    f.get(y).if(() => {
      const divide = () => {
        f.get(out);
        x().get(y).op(op === "div" ? signed ? OP.i32DivS : OP.i32DivU : signed ? OP.i32RemS : OP.i32RemU);
        f.lane(LANE.i32x4Replace, k).set(out);
      };
      if (op === "div" && signed) { // the one quotient that does not fit: -2^31 / -1 wraps
        f.get(y).i32(-1).op(OP.i32Eq).if(() => {
          f.get(out).i32(0);
          x().op(OP.i32Sub).lane(LANE.i32x4Replace, k).set(out);
        }, divide);
      } else divide();
    });
  }
  f.get(out);
  f.release(out);
  f.release(y);
}

/** Pushes `op` of local `a`. */
export function emitUnary(f: Fn, context: Context, op: UnaryOp, type: ValueType, a: number): void {
  const one = () => f.f32x4(1);
  switch (op) {
    case "neg":
      f.get(a).op(type === "f32" ? OP.f32x4Neg : OP.i32x4Neg);
      return;
    case "abs":
      f.get(a).op(type === "f32" ? OP.f32x4Abs : OP.i32x4Abs);
      return;
    case "sign":
      if (type !== "f32") { // masks are -1: (x < 0) - (x > 0)
        f.get(a).v128([0, 0, 0, 0]).op(OP.i32x4LtS).get(a).v128([0, 0, 0, 0]).op(OP.i32x4GtS).op(OP.i32x4Sub);
        return;
      }
      one();
      f.f32x4(-1).get(a).get(a).f32x4(0).op(OP.f32x4Lt).op(OP.v128Bitselect);
      f.get(a).f32x4(0).op(OP.f32x4Gt).op(OP.v128Bitselect);
      return;
    case "sqrt":
      f.get(a).op(OP.f32x4Sqrt);
      return;
    case "rsqrt":
      one().get(a).op(OP.f32x4Sqrt).op(OP.f32x4Div);
      return;
    case "reciprocal":
      one().get(a).op(OP.f32x4Div);
      return;
    case "floor":
      f.get(a).op(OP.f32x4Floor);
      return;
    case "ceil":
      f.get(a).op(OP.f32x4Ceil);
      return;
    case "round":
      f.get(a).op(OP.f32x4Nearest);
      return;
    case "not":
      f.get(a).op(OP.v128Not);
      return;
    default:
      f.get(a).call(context.math.index(op));
  }
}

/** Pushes local `a` of type `from` as type `to`. */
export function emitCast(f: Fn, from: ValueType, to: ValueType, a: number): void {
  f.get(a);
  if (to === "bool") {
    if (from === "f32") f.f32x4(0).op(OP.f32x4Ne);
    else if (from !== "bool") f.v128([0, 0, 0, 0]).op(OP.i32x4Ne);
  } else if (from === "bool") {
    if (to === "f32") f.f32x4(1).op(OP.v128And);
    else f.v128([1, 1, 1, 1]).op(OP.v128And);
  } else if (to === "f32") {
    if (from === "i32") f.op(OP.f32x4ConvertI32S);
    else if (from === "u32") f.op(OP.f32x4ConvertI32U);
  } else if (from === "f32") f.op(to === "i32" ? OP.i32x4TruncSatF32S : OP.i32x4TruncSatF32U);
}
