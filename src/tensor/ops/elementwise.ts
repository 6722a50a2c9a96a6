/**
 * Element-wise operations as free functions.
 *
 * @module
 */
import type { Dtype } from "../../base/dtype.ts";
import { scalar } from "../../graph/leaves.ts";
import type { ClampOptions, GeluOptions, SoftplusOptions } from "../fn/activation.ts";
import { numberLike } from "../fn/number.ts";
import { type Operand, refuseOperand } from "../operand.ts";
import { Tensor } from "../tensor.ts";

/** The left operand as a tensor. */
function left(a: Operand, b: Operand): Tensor {
  if (a instanceof Tensor) return a;
  if (typeof a !== "number") return refuseOperand(a);
  return new Tensor(b instanceof Tensor ? numberLike(a, b.dtype) : scalar(a));
}

/** `a + b` */
export function add(a: Operand, b: Operand): Tensor {
  return left(a, b).add(b);
}

/** `a - b` */
export function sub(a: Operand, b: Operand): Tensor {
  return left(a, b).sub(b);
}

/** `a * b` */
export function mul(a: Operand, b: Operand): Tensor {
  return left(a, b).mul(b);
}

/** `a / b`, f32 also for integers. */
export function div(a: Operand, b: Operand): Tensor {
  return (typeof a === "number" ? new Tensor(scalar(a)) : left(a, b)).div(b);
}

/** `a` to the power of `b`, f32. */
export function pow(a: Operand, b: Operand): Tensor {
  return left(a, b).pow(b);
}

/** The larger of two elements; NaN if either is. Equal ones share the gradient. */
export function maximum(a: Operand, b: Operand): Tensor {
  return left(a, b).maximum(b);
}

/** The smaller of two elements; NaN if either is. Equal ones share the gradient. */
export function minimum(a: Operand, b: Operand): Tensor {
  return left(a, b).minimum(b);
}

/** `a = b`, bool. */
export function eq(a: Operand, b: Operand): Tensor {
  return left(a, b).eq(b);
}

/** `a != b`, bool. */
export function ne(a: Operand, b: Operand): Tensor {
  return left(a, b).ne(b);
}

/** `a < b`, bool. */
export function lt(a: Operand, b: Operand): Tensor {
  return left(a, b).lt(b);
}

/** `a <= b`, bool. */
export function le(a: Operand, b: Operand): Tensor {
  return left(a, b).le(b);
}

/** `a > b`, bool. */
export function gt(a: Operand, b: Operand): Tensor {
  return left(a, b).gt(b);
}

/** `a >= b`, bool. */
export function ge(a: Operand, b: Operand): Tensor {
  return left(a, b).ge(b);
}

/** Whether both are not 0, bool. */
export function and(a: Operand, b: Operand): Tensor {
  return left(a, b).and(b);
}

/** Whether either is not 0, bool. */
export function or(a: Operand, b: Operand): Tensor {
  return left(a, b).or(b);
}

/** As another type: to integers towards zero, saturating; to bool `!= 0`. */
export function cast(x: Tensor, dtype: Dtype): Tensor {
  return x.cast(dtype);
}
/** `x` as f16, half precision: half the memory. */
export function half(x: Tensor): Tensor {
  return x.half();
}
/** `x` as f32. */
export function float(x: Tensor): Tensor {
  return x.float();
}

/** The same values as a constant: no gradient flows through it. */
export function detach(x: Tensor): Tensor {
  return x.detach();
}

/** `-x` */
export function neg(x: Tensor): Tensor {
  return x.neg();
}

/** e^x */
export function exp(x: Tensor): Tensor {
  return x.exp();
}

/** e^x - 1, exact for small x. */
export function expm1(x: Tensor): Tensor {
  return x.expm1();
}

/** Natural logarithm. */
export function log(x: Tensor): Tensor {
  return x.log();
}

/** Logarithm to the base 2. */
export function log2(x: Tensor): Tensor {
  return x.log2();
}

/** log(1 + x), exact for small x. */
export function log1p(x: Tensor): Tensor {
  return x.log1p();
}

/** Square root. */
export function sqrt(x: Tensor): Tensor {
  return x.sqrt();
}

/** 1 / sqrt(x) */
export function rsqrt(x: Tensor): Tensor {
  return x.rsqrt();
}

/** 1 / x */
export function reciprocal(x: Tensor): Tensor {
  return x.reciprocal();
}

/** |x|; its derivative at 0 is 0. */
export function abs(x: Tensor): Tensor {
  return x.abs();
}

/** x^2 */
export function square(x: Tensor): Tensor {
  return x.square();
}

/** Sine of radians: to six digits up to 1e5, of larger numbers fewer, from about 1e7 on none; in [-1, 1] always. */
export function sin(x: Tensor): Tensor {
  return x.sin();
}

/** Cosine of radians: to six digits up to 1e5, of larger numbers fewer, from about 1e7 on none; in [-1, 1] always. */
export function cos(x: Tensor): Tensor {
  return x.cos();
}

/** Arc sine, in radians; NaN beyond -1 and 1. */
export function asin(x: Tensor): Tensor {
  return x.asin();
}

/** Arc cosine, in radians; NaN beyond -1 and 1. */
export function acos(x: Tensor): Tensor {
  return x.acos();
}

/** Arc tangent, in radians. */
export function atan(x: Tensor): Tensor {
  return x.atan();
}

/** Hyperbolic tangent. */
export function tanh(x: Tensor): Tensor {
  return x.tanh();
}

/** The error function. */
export function erf(x: Tensor): Tensor {
  return x.erf();
}

/** 1 / (1 + e^-x) */
export function sigmoid(x: Tensor): Tensor {
  return x.sigmoid();
}

/** max(x, 0); its derivative at 0 is 0. */
export function relu(x: Tensor): Tensor {
  return x.relu();
}

/** min(max(x, 0), 6) */
export function relu6(x: Tensor): Tensor {
  return x.relu6();
}

/** x sigmoid(x) */
export function silu(x: Tensor): Tensor {
  return x.silu();
}

/** x tanh(softplus(x)) */
export function mish(x: Tensor): Tensor {
  return x.mish();
}

/** x relu6(x + 3) / 6 */
export function hardswish(x: Tensor): Tensor {
  return x.hardswish();
}

/** relu6(x + 3) / 6 */
export function hardsigmoid(x: Tensor): Tensor {
  return x.hardsigmoid();
}

/** Largest whole number that is not larger. */
export function floor(x: Tensor): Tensor {
  return x.floor();
}

/** Smallest whole number that is not smaller. */
export function ceil(x: Tensor): Tensor {
  return x.ceil();
}

/** Nearest whole number, halves to even. */
export function round(x: Tensor): Tensor {
  return x.round();
}

/** -1, 0 or 1. */
export function sign(x: Tensor): Tensor {
  return x.sign();
}

/** Whether the element is 0, bool. */
export function not(x: Tensor): Tensor {
  return x.not();
}

/** `x` above 0, `slope * x` elsewhere. */
export function leakyRelu(x: Tensor, slope: number = 0.01): Tensor {
  return x.leakyRelu(slope);
}

/** `x` above 0, `alpha * (e^x - 1)` elsewhere. */
export function elu(x: Tensor, alpha: number = 1): Tensor {
  return x.elu(alpha);
}

/** x P(x), P the normal distribution or its approximation by tanh. */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  return x.gelu(options);
}

/** log(1 + e^(beta x)) / beta */
export function softplus(x: Tensor, options: SoftplusOptions = {}): Tensor {
  return x.softplus(options);
}

/** `x` limited to `[min, max]`; its derivative at a bound is 1. */
export function clamp(x: Tensor, options: ClampOptions): Tensor {
  return x.clamp(options);
}
