/**
 * Functions of one number that are written with several instructions, each with a derivative of its own.
 *
 * @module
 */
import { add, div, exp, float, mul, neg, rsqrt, sub, type Unary, unaryOp } from "./elementwise.ts";
import type { Emitter } from "./emitter.ts";
import { constant } from "./leaves.ts";
import type { Node } from "./node.ts";

const one = constant(1);

/** 2 t / (1 - t), t = tanh(x / 2): e^x - 1 without the digits that the subtraction costs where e^x is near 1. */
function expm1Of(e: Emitter, x: number): number {
  const t = e.unary("tanh", e.binary("mul", x, e.constant(0.5)));
  return e.binary("div", e.binary("add", t, t), e.binary("sub", e.constant(1), t));
}

const dExp = (dy: Node, x: Node): Node => mul(dy, exp(x));
const EXPM1_LOW = unaryOp("expm1Low", expm1Of, dExp, 18);
const EXPM1 = unaryOp(
  "expm1",
  (e, x) => {
    const whole = e.binary("sub", e.unary("exp", x), e.constant(1));
    return e.select(e.binary("le", x, e.constant(1)), expm1Of(e, x), whole);
  },
  dExp,
  30,
);
const LOG2 = unaryOp(
  "log2",
  (e, x) => e.binary("mul", e.unary("log", x), e.constant(Math.LOG2E)),
  (dy, x) => div(dy, mul(x, constant(Math.LN2))),
  11,
);

/** 1 / sqrt(1 - x^2), without losing the digits that the square loses near 1. */
const slope = (x: Node): Node => rsqrt(mul(sub(one, x), add(one, x)));
const ASIN = unaryOp(
  "asin",
  (e, x) => {
    const below = e.binary("sub", e.constant(1), x), above = e.binary("add", e.constant(1), x);
    return e.unary("atan", e.binary("div", x, e.unary("sqrt", e.binary("mul", below, above))));
  },
  (dy, x) => mul(dy, slope(x)),
  22,
);
const ACOS = unaryOp(
  "acos",
  (e, x) => {
    const below = e.binary("sub", e.constant(1), x), above = e.binary("add", e.constant(1), x);
    return e.binary("mul", e.constant(2), e.unary("atan", e.unary("sqrt", e.binary("div", below, above))));
  },
  (dy, x) => neg(mul(dy, slope(x))),
  22,
);

/** e^x - 1 with all its digits for `x` up to 1; it has fewer above, and none from about 17 on. */
export const expm1Low: Unary = (x) => float(EXPM1_LOW, x);
/** e^x - 1 */
export const expm1: Unary = (x) => float(EXPM1, x);
/** Logarithm to the base 2. */
export const log2: Unary = (x) => float(LOG2, x);
/** Arc sine, in radians; NaN beyond -1 and 1. */
export const asin: Unary = (x) => float(ASIN, x);
/** Arc cosine, in radians; NaN beyond -1 and 1. */
export const acos: Unary = (x) => float(ACOS, x);
