/**
 * Activations made of simpler operations. Derivatives at kinks are those of PyTorch.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { add, and, cast, div, ge, gelu, geluTanh, gt, le, lt, mul, tanh, where } from "../../graph/elementwise.ts";
import { expm1Low } from "../../graph/functions.ts";
import { softplus as softplus1 } from "../../graph/elementwise.ts";
import { constant, scalar } from "../../graph/leaves.ts";
import type { Node } from "../../graph/node.ts";
import { composite } from "./composite.ts";
import { numberLike } from "./number.ts";

const zero = constant(0);
const one = constant(1);
const minusThree = constant(-3);
const three = constant(3);
const six = constant(6);

/** `x` above 0, `slope x` elsewhere; the slope at 0 is `slope`. */
export function leakyRelu(x: Node, slope: number): Node {
  const f = cast(x, "f32");
  return like(x, composite(where(gt(f, zero), f, mul(f, scalar(slope))), "leakyRelu", [f], { alpha: slope }));
}

/** `x` above 0, `alpha (e^x - 1)` elsewhere. */
export function elu(x: Node, alpha: number): Node {
  const f = cast(x, "f32");
  const low = le(f, zero);
  // e^x must not overflow where it is not used
  return like(x, composite(where(low, mul(scalar(alpha), expm1Low(where(low, f, zero))), f), "elu", [f], { alpha }));
}

/** Options of `gelu`. */
export interface GeluOptions {
  /** `"none"` (the default) for the normal distribution, `"tanh"` for its approximation. */
  readonly approximate?: "none" | "tanh";
}

/** `x P(x)`, P the normal distribution or its approximation by tanh. */
export function geluOf(x: Node, { approximate = "none" }: GeluOptions): Node {
  if (approximate === "none") return gelu(x);
  const f = cast(x, "f32");
  return like(x, composite(geluTanh(f), "geluTanh", [f]));
}

/** Options of `softplus`. */
export interface SoftplusOptions {
  /** Sharpness; 1 if left out. */
  readonly beta?: number;
  /** Where `beta x` is above it the result is `x`; 20 if left out. */
  readonly threshold?: number;
}

/** log(1 + e^(beta x)) / beta */
export function softplus(x: Node, { beta = 1, threshold = 20 }: SoftplusOptions): Node {
  const f = cast(x, "f32");
  if (beta === 1 && threshold === 20) return softplus1(f); // above 20 it equals x to f32's precision
  const b = scalar(beta);
  const scaled = mul(f, b);
  return where(gt(scaled, scalar(threshold)), f, div(softplus1(scaled), b));
}

/** Options of `clamp`; at least one bound. */
export interface ClampOptions {
  /** Lower bound; none if left out. */
  readonly min?: number;
  /** Upper bound; none if left out. */
  readonly max?: number;
}

/** `x` limited to `[min, max]`; its derivative at a bound is 1, and NaN stays. */
export function clamp(x: Node, { min, max }: ClampOptions): Node {
  if (min === undefined && max === undefined) {
    throw new ConfigError("Cannot clamp without a bound: give min, max or both");
  }
  const from = x.dtype === "bool" || x.dtype === "u8" ? cast(x, "i32") : x;
  let y = from;
  if (min !== undefined) y = bounded(lt, y, min);
  if (max !== undefined) y = bounded(gt, y, max);
  return composite(y, "clamp", [from], {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  });
}

function bounded(beyond: (a: Node, b: Node) => Node, x: Node, bound: number): Node {
  const b = numberLike(bound, x.dtype);
  return where(beyond(x, b), b, x);
}

/** `x` limited to [0, 6]; the derivative at 0 and 6 is 0. */
export function relu6(x: Node): Node {
  const f = cast(x, "f32");
  return like(x, composite(where(le(f, zero), zero, where(ge(f, six), six, f)), "clamp", [f], { min: 0, max: 6 }));
}

/** x tanh(softplus(x)) */
export function mish(x: Node): Node {
  const f = cast(x, "f32");
  return like(x, composite(mul(f, tanh(softplus1(f))), "mish", [f]));
}

/** relu6(x + 3) / 6; its derivative at -3 and 3 is 0. */
export function hardsigmoid(x: Node): Node {
  const f = cast(x, "f32");
  const y = where(le(f, minusThree), zero, where(ge(f, three), one, div(add(f, three), six)));
  return like(x, composite(y, "hardsigmoid", [f]));
}

/** x relu6(x + 3) / 6; its derivative at -3 is 0 and at 3 is 1. */
export function hardswish(x: Node): Node {
  const f = cast(x, "f32");
  // what is not used is 0: its slope would be infinite where x is
  const inner = where(and(gt(f, minusThree), lt(f, three)), f, zero);
  const middle = div(mul(inner, add(inner, three)), six);
  return like(x, composite(where(le(f, minusThree), zero, where(lt(f, three), middle, f)), "hardswish", [f]));
}

/** `y`, computed in f32, as f16 where `x` is. */
export function like({ dtype }: Node, y: Node): Node {
  return dtype === "f16" ? cast(y, "f16") : y;
}
