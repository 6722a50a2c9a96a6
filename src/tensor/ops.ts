/**
 * The operations of tensors as free functions: `ops.softmax(x)` is `x.softmax()`. Functions of two operands also take a
 * number first: `ops.sub(1, x)`.
 *
 * @module
 */
import type { Dtype } from "../base/dtype.ts";
import { DtypeError } from "../base/errors.ts";
import { shown } from "../base/options.ts";
import type { Shape } from "../base/shape.ts";
import { scalar } from "../graph/leaves.ts";
import type { ClampOptions, GeluOptions, SoftplusOptions } from "./fn/activation.ts";
import type { ConvOptions, ConvTransposeOptions, PerAxis } from "./fn/conv.ts";
import type { GridSampleOptions, InterpolateOptions } from "./fn/image.ts";
import { numberLike } from "./fn/number.ts";
import type { PadOptions } from "./fn/pad.ts";
import type { AvgPoolOptions, MaxPoolOptions } from "./fn/pool.ts";
import type { SliceRange } from "./fn/shape.ts";
import type { AxisOptions } from "./fn/softmax.ts";
import type { ArgOptions, ReduceOptions, VarOptions } from "./fn/statistics.ts";
import { Tensor } from "./tensor.ts";

export { cat, oneHot, stack, where } from "./create.ts";

/** A tensor, or a number that takes the type of the tensor it meets. */
export type Operand = Tensor | number;

/** The left operand as a tensor. */
function left(a: Operand, b: Operand): Tensor {
  if (a instanceof Tensor) return a;
  if (typeof a !== "number") {
    throw new DtypeError(
      `Cannot compute with ${shown(a)}: operands are tensors and numbers, tensor(…) makes one of numbers and arrays`,
    );
  }
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
  return left(a, b).div(b);
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

/** Natural logarithm. */
export function log(x: Tensor): Tensor {
  return x.log();
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

/** Sine of radians. */
export function sin(x: Tensor): Tensor {
  return x.sin();
}

/** Cosine of radians. */
export function cos(x: Tensor): Tensor {
  return x.cos();
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

/** Product of matrices `[..., m, k]` and `[..., k, n]`, batch axes broadcasting; vectors as rows left and columns right. */
export function matmul(x: Tensor, other: Tensor): Tensor {
  return x.matmul(other);
}

/** Sum over some axes, or all. */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  return x.sum(options);
}

/** Mean over some axes, or all; f32. */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  return x.mean(options);
}

/** Largest value. With `axis` a number the gradient goes to the first place that holds it, else ties share it. */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor {
  return x.max(options);
}

/** Smallest value. With `axis` a number the gradient goes to the first place that holds it, else ties share it. */
export function min(x: Tensor, options: ReduceOptions = {}): Tensor {
  return x.min(options);
}

/** Index of the first largest element along `axis`, i32. */
export function argmax(x: Tensor, options: ArgOptions = {}): Tensor {
  return x.argmax(options);
}

/** Index of the first smallest element along `axis`, i32. */
export function argmin(x: Tensor, options: ArgOptions = {}): Tensor {
  return x.argmin(options);
}

/** log(sum(exp(x))), safe for large numbers. */
export function logsumexp(x: Tensor, options: ReduceOptions = {}): Tensor {
  return x.logsumexp(options);
}

/** Whether any element is not 0, bool. */
export function any(x: Tensor, options: ReduceOptions = {}): Tensor {
  return x.any(options);
}

/** Whether no element is 0, bool. */
export function all(x: Tensor, options: ReduceOptions = {}): Tensor {
  return x.all(options);
}

/** Variance; `correction` (1) is subtracted from the number of elements. */
function variance(x: Tensor, options: VarOptions = {}): Tensor {
  return x.var(options);
}

/** Standard deviation; `correction` (1) is subtracted from the number of elements. */
export function std(x: Tensor, options: VarOptions = {}): Tensor {
  return x.std(options);
}

/** exp(x) / sum(exp(x)) along `axis` (-1). */
export function softmax(x: Tensor, options: AxisOptions = {}): Tensor {
  return x.softmax(options);
}

/** log(softmax(x)) along `axis` (-1). */
export function logSoftmax(x: Tensor, options: AxisOptions = {}): Tensor {
  return x.logSoftmax(options);
}

/** Running sums along `axis` (-1). */
export function cumsum(x: Tensor, options: AxisOptions = {}): Tensor {
  return x.cumsum(options);
}

/** The `k` largest values along `axis` (-1), largest first, and their indices (i32). */
export function topk(x: Tensor, k: number, options: AxisOptions = {}): { values: Tensor; indices: Tensor } {
  return x.topk(k, options);
}

/** The elements in row-major order under another shape; one size may be -1. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  return x.reshape(shape);
}

/** Repeated along axes of size 1 and new ones in front; -1 keeps a size. */
export function expand(x: Tensor, shape: Shape): Tensor {
  return x.expand(shape);
}

/** Axis `i` of the result is axis `axes[i]` of `x`. */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  return x.permute(axes);
}

/** Two axes exchanged; the last two if left out. */
export function transpose(x: Tensor, a: number = -2, b: number = -1): Tensor {
  return x.transpose(a, b);
}

/** Without axes of size 1: all of them, or those given. */
export function squeeze(x: Tensor, axis?: number | readonly number[]): Tensor {
  return x.squeeze(axis);
}

/** With a new axis of size 1 in place `axis`. */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  return x.unsqueeze(axis);
}

/** In reverse order along some axes, or all. */
export function flip(x: Tensor, axes?: number | readonly number[]): Tensor {
  return x.flip(axes);
}

/** Moved along axes (0); what leaves at the end comes in at the start. */
export function roll(
  x: Tensor,
  shift: number | readonly number[],
  options: { readonly axis?: number | readonly number[] } = {},
): Tensor {
  return x.roll(shift, options);
}

/** Part of the tensor: `[start, end, step]` or null for each axis, as Python's slices. */
export function slice(x: Tensor, ranges: readonly SliceRange[]): Tensor {
  return x.slice(ranges);
}

/** Pieces along `axis` (0) of the given sizes, or of one size, the last piece being what is left. */
export function split(
  x: Tensor,
  sizes: number | readonly number[],
  options: { readonly axis?: number } = {},
): Tensor[] {
  return x.split(sizes, options);
}

/** The lower triangle of matrices: 0 above the `k`-th diagonal. */
export function tril(x: Tensor, k: number = 0): Tensor {
  return x.tril(k);
}

/** With `[before, after]` elements around each axis; negative numbers cut off. */
export function pad(x: Tensor, widths: readonly (readonly [number, number])[], options: PadOptions = {}): Tensor {
  return x.pad(widths, options);
}

/**
 * Rows along `axis` (0) by `indices` `[n]`. An index out of range is a ShapeError where the host knows the indices; where
 * only the device does, what it asks for is NaN: -2^31 for i32, 2^32 - 1 for u32, false for bool.
 */
export function indexSelect(x: Tensor, indices: Tensor, options: { readonly axis?: number } = {}): Tensor {
  return x.indexSelect(indices, options);
}

/** Elements along `axis` (0), each by an index of its own; the result has the shape of `indices`. See {@link indexSelect}. */
export function gather(x: Tensor, indices: Tensor, options: { readonly axis?: number } = {}): Tensor {
  return x.gather(indices, options);
}

/**
 * `x` plus each element of `src` where its index says along `axis` (0). An index out of range is a ShapeError where the host
 * knows the indices; where only the device does, the line that it points along is NaN.
 */
export function scatterAdd(x: Tensor, indices: Tensor, src: Tensor, options: { readonly axis?: number } = {}): Tensor {
  return x.scatterAdd(indices, src, options);
}

/** Sequences `[n, cin, l]` by a weight `[cout, cin / groups, taps]`: `[n, cout, places]`. */
export function conv1d(x: Tensor, weight: Tensor, options: ConvOptions<Tensor> = {}): Tensor {
  return x.conv1d(weight, options);
}

/** Images `[n, cin, h, w]` by a weight `[cout, cin / groups, kh, kw]`: `[n, cout, oh, ow]`. */
export function conv2d(x: Tensor, weight: Tensor, options: ConvOptions<Tensor> = {}): Tensor {
  return x.conv2d(weight, options);
}

/** Images `[n, cin, h, w]` by a weight `[cin, cout / groups, kh, kw]`, as the gradient of a convolution spreads them. */
export function convTranspose2d(x: Tensor, weight: Tensor, options: ConvTransposeOptions<Tensor> = {}): Tensor {
  return x.convTranspose2d(weight, options);
}

/** The largest element of each window of images `[n, c, h, w]`; the gradient goes to the first of equal ones. */
export function maxPool2d(x: Tensor, kernel: PerAxis, options: MaxPoolOptions = {}): Tensor {
  return x.maxPool2d(kernel, options);
}

/** The mean of each window of images `[n, c, h, w]`. */
export function avgPool2d(x: Tensor, kernel: PerAxis, options: AvgPoolOptions = {}): Tensor {
  return x.avgPool2d(kernel, options);
}

/** The means of `size` windows that together cover images `[n, c, h, w]`: `[n, c, ...size]`. */
export function adaptiveAvgPool2d(x: Tensor, size: PerAxis): Tensor {
  return x.adaptiveAvgPool2d(size);
}

/** The largest elements of `size` windows that together cover images `[n, c, h, w]`: `[n, c, ...size]`. */
export function adaptiveMaxPool2d(x: Tensor, size: PerAxis): Tensor {
  return x.adaptiveMaxPool2d(size);
}

/** Images `[n, c, h, w]` at another size. */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  return x.interpolate(options);
}

/** Values of images `[n, c, h, w]` at the points of `grid`, `[n, oh, ow, 2]` as (x, y) in [-1, 1]. */
export function gridSample(x: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor {
  return x.gridSample(grid, options);
}

/** Points to sample images of `size` `[n, c, h, w]` at, for these affine maps `[n, 2, 3]`: `[n, h, w, 2]`. */
export function affineGrid(x: Tensor, size: Shape, options: { readonly alignCorners?: boolean } = {}): Tensor {
  return x.affineGrid(size, options);
}

export { variance as var };
