/**
 * The lazy array that users hold.
 *
 * @module
 */
import type { Dtype } from "../base/dtype.ts";
import { checkOptions } from "../base/options.ts";
import type { Shape } from "../base/shape.ts";
import * as el from "../graph/elementwise.ts";
import * as functions from "../graph/functions.ts";
import { scalar } from "../graph/leaves.ts";
import type { Node } from "../graph/node.ts";
import { detach } from "../graph/views.ts";
import { CONV, CONV_TRANSPOSE, nodesOf } from "./conv_options.ts";
import * as activation from "./fn/activation.ts";
import { convolve, type ConvOptions, convTranspose, type ConvTransposeOptions, type PerAxis } from "./fn/conv.ts";
import { cumsum } from "./fn/cumsum.ts";
import * as image from "./fn/image.ts";
import * as lookup from "./fn/lookup.ts";
import { matmul } from "./fn/matmul.ts";
import { powNumber } from "./fn/number.ts";
import * as tables from "./fn/option_tables.ts";
import { pad, type PadOptions } from "./fn/pad.ts";
import * as pool from "./fn/pool.ts";
import * as shaping from "./fn/shape.ts";
import { type AxisOptions, logSoftmax, softmax } from "./fn/softmax.ts";
import { topk } from "./fn/sort.ts";
import * as stats from "./fn/statistics.ts";
import { TensorHandle } from "./handle.ts";
import { nodeOf, operand } from "./operand.ts";

/**
 * An array of numbers on a device, or the expression that computes it. Operations return at once and compute nothing;
 * reading (`data()`, `array()`, `item()`) is asynchronous and computes what it needs.
 *
 * Operands broadcast by NumPy's rule. Axes may be negative and then count from the end. Integers divided by integers give
 * f32, comparisons give bool, means are f32.
 */
export class Tensor extends TensorHandle {
  // --- two operands

  #binary(op: (a: Node, b: Node) => Node, other: Tensor | number): Tensor {
    const a = this.node;
    return new Tensor(op(a, operand(other, a)));
  }
  /** `this + other` */
  add(other: Tensor | number): Tensor {
    return this.#binary(el.add, other);
  }
  /** `this - other` */
  sub(other: Tensor | number): Tensor {
    return this.#binary(el.sub, other);
  }
  /** `this * other` */
  mul(other: Tensor | number): Tensor {
    return this.#binary(el.mul, other);
  }
  /** `this / other`, f32 also for integers. */
  div(other: Tensor | number): Tensor {
    return typeof other === "number" ? new Tensor(el.div(this.node, scalar(other))) : this.#binary(el.div, other);
  }
  /** `this` to the power of `other`, f32. */
  pow(other: Tensor | number): Tensor {
    return new Tensor(typeof other === "number" ? powNumber(this.node, other) : el.pow(this.node, nodeOf(other)));
  }
  /** The larger of two elements; NaN if either is. Equal ones share the gradient. */
  maximum(other: Tensor | number): Tensor {
    return this.#binary(el.maximum, other);
  }
  /** The smaller of two elements; NaN if either is. Equal ones share the gradient. */
  minimum(other: Tensor | number): Tensor {
    return this.#binary(el.minimum, other);
  }
  /** `this = other`, bool. */
  eq(other: Tensor | number): Tensor {
    return this.#binary(el.eq, other);
  }
  /** `this != other`, bool. */
  ne(other: Tensor | number): Tensor {
    return this.#binary(el.ne, other);
  }
  /** `this < other`, bool. */
  lt(other: Tensor | number): Tensor {
    return this.#binary(el.lt, other);
  }
  /** `this <= other`, bool. */
  le(other: Tensor | number): Tensor {
    return this.#binary(el.le, other);
  }
  /** `this > other`, bool. */
  gt(other: Tensor | number): Tensor {
    return this.#binary(el.gt, other);
  }
  /** `this >= other`, bool. */
  ge(other: Tensor | number): Tensor {
    return this.#binary(el.ge, other);
  }
  /** Whether both are not 0, bool. */
  and(other: Tensor | number): Tensor {
    return this.#binary(el.and, other);
  }
  /** Whether either is not 0, bool. */
  or(other: Tensor | number): Tensor {
    return this.#binary(el.or, other);
  }

  // --- one operand

  /** The same values as a constant: no gradient flows through it. */
  detach(): Tensor {
    return new Tensor(detach(this.node));
  }
  /**
   * As another type: to integers towards zero, saturating; to bool `!= 0`; to f16 the nearest, infinity from 65520 on. u8 is
   * for storage and cannot be made.
   */
  cast(dtype: Dtype): Tensor {
    return new Tensor(el.cast(this.node, dtype));
  }
  /** As f16, half precision: half the memory. Computing with it is done in f32 and rounded to f16, sums stay f32. */
  half(): Tensor {
    return this.cast("f16");
  }
  /** As f32. */
  float(): Tensor {
    return this.cast("f32");
  }
  /** `-x` */
  neg(): Tensor {
    return new Tensor(el.neg(this.node));
  }
  /** e^x */
  exp(): Tensor {
    return new Tensor(el.exp(this.node));
  }
  /** e^x - 1, exact for small x. */
  expm1(): Tensor {
    return new Tensor(functions.expm1(this.node));
  }
  /** Natural logarithm. */
  log(): Tensor {
    return new Tensor(el.log(this.node));
  }
  /** Logarithm to the base 2. */
  log2(): Tensor {
    return new Tensor(functions.log2(this.node));
  }
  /** log(1 + x), exact for small x. */
  log1p(): Tensor {
    return new Tensor(el.log1p(this.node));
  }
  /** Square root. */
  sqrt(): Tensor {
    return new Tensor(el.sqrt(this.node));
  }
  /** 1 / sqrt(x) */
  rsqrt(): Tensor {
    return new Tensor(el.rsqrt(this.node));
  }
  /** 1 / x */
  reciprocal(): Tensor {
    return new Tensor(el.reciprocal(this.node));
  }
  /** |x|; its derivative at 0 is 0. */
  abs(): Tensor {
    return new Tensor(el.abs(this.node));
  }
  /** x^2 */
  square(): Tensor {
    return new Tensor(el.square(this.node));
  }
  /** Sine of radians: to six digits up to 1e5, of larger numbers fewer, from about 1e7 on none; in [-1, 1] always. */
  sin(): Tensor {
    return new Tensor(el.sin(this.node));
  }
  /** Cosine of radians: to six digits up to 1e5, of larger numbers fewer, from about 1e7 on none; in [-1, 1] always. */
  cos(): Tensor {
    return new Tensor(el.cos(this.node));
  }
  /** Arc sine, in radians; NaN beyond -1 and 1. */
  asin(): Tensor {
    return new Tensor(functions.asin(this.node));
  }
  /** Arc cosine, in radians; NaN beyond -1 and 1. */
  acos(): Tensor {
    return new Tensor(functions.acos(this.node));
  }
  /** Arc tangent, in radians. */
  atan(): Tensor {
    return new Tensor(el.atan(this.node));
  }
  /** Hyperbolic tangent. */
  tanh(): Tensor {
    return new Tensor(el.tanh(this.node));
  }
  /** The error function. */
  erf(): Tensor {
    return new Tensor(el.erf(this.node));
  }
  /** 1 / (1 + e^-x) */
  sigmoid(): Tensor {
    return new Tensor(el.sigmoid(this.node));
  }
  /** max(x, 0); its derivative at 0 is 0. */
  relu(): Tensor {
    return new Tensor(el.relu(this.node));
  }
  /** min(max(x, 0), 6) */
  relu6(): Tensor {
    return new Tensor(activation.relu6(this.node));
  }
  /** x sigmoid(x) */
  silu(): Tensor {
    return new Tensor(el.silu(this.node));
  }
  /** x tanh(softplus(x)) */
  mish(): Tensor {
    return new Tensor(activation.mish(this.node));
  }
  /** x relu6(x + 3) / 6 */
  hardswish(): Tensor {
    return new Tensor(activation.hardswish(this.node));
  }
  /** relu6(x + 3) / 6 */
  hardsigmoid(): Tensor {
    return new Tensor(activation.hardsigmoid(this.node));
  }
  /** Largest whole number that is not larger. */
  floor(): Tensor {
    return new Tensor(el.floor(this.node));
  }
  /** Smallest whole number that is not smaller. */
  ceil(): Tensor {
    return new Tensor(el.ceil(this.node));
  }
  /** Nearest whole number, halves to even. */
  round(): Tensor {
    return new Tensor(el.round(this.node));
  }
  /** -1, 0 or 1. */
  sign(): Tensor {
    return new Tensor(el.sign(this.node));
  }
  /** Whether the element is 0, bool. */
  not(): Tensor {
    return new Tensor(el.not(this.node));
  }
  /** `x` above 0, `slope * x` elsewhere. */
  leakyRelu(slope: number = 0.01): Tensor {
    return new Tensor(activation.leakyRelu(this.node, slope));
  }
  /** `x` above 0, `alpha * (e^x - 1)` elsewhere. */
  elu(alpha: number = 1): Tensor {
    return new Tensor(activation.elu(this.node, alpha));
  }
  /** x P(x), P the normal distribution or its approximation by tanh. */
  gelu(options: activation.GeluOptions = {}): Tensor {
    return new Tensor(activation.geluOf(this.node, checkOptions("gelu", options, tables.GELU)));
  }
  /** log(1 + e^(beta x)) / beta */
  softplus(options: activation.SoftplusOptions = {}): Tensor {
    return new Tensor(activation.softplus(this.node, checkOptions("softplus", options, tables.SOFTPLUS)));
  }
  /** `x` limited to `[min, max]`; its derivative at a bound is 1. */
  clamp(options: activation.ClampOptions): Tensor {
    return new Tensor(activation.clamp(this.node, checkOptions("clamp", options, tables.CLAMP)));
  }

  // --- products and reductions

  /** Product of matrices `[..., m, k]` and `[..., k, n]`, batch axes broadcasting; vectors as rows left and columns right. */
  matmul(other: Tensor): Tensor {
    return new Tensor(matmul(this.node, nodeOf(other)));
  }
  /** Sum over some axes, or all. */
  sum(options: stats.ReduceOptions = {}): Tensor {
    return new Tensor(stats.sum(this.node, checkOptions("sum", options, tables.REDUCE)));
  }
  /** Mean over some axes, or all; f32. */
  mean(options: stats.ReduceOptions = {}): Tensor {
    return new Tensor(stats.mean(this.node, checkOptions("mean", options, tables.REDUCE)));
  }
  /** Largest value. With `axis` a number the gradient goes to the first place that holds it, else ties share it. */
  max(options: stats.ReduceOptions = {}): Tensor {
    return new Tensor(stats.extreme("max", this.node, checkOptions("max", options, tables.REDUCE)));
  }
  /** Smallest value. With `axis` a number the gradient goes to the first place that holds it, else ties share it. */
  min(options: stats.ReduceOptions = {}): Tensor {
    return new Tensor(stats.extreme("min", this.node, checkOptions("min", options, tables.REDUCE)));
  }
  /** Index of the first largest element along `axis`, i32. */
  argmax(options: stats.ArgOptions = {}): Tensor {
    return new Tensor(stats.argExtreme("argmax", this.node, checkOptions("argmax", options, tables.ARG)));
  }
  /** Index of the first smallest element along `axis`, i32. */
  argmin(options: stats.ArgOptions = {}): Tensor {
    return new Tensor(stats.argExtreme("argmin", this.node, checkOptions("argmin", options, tables.ARG)));
  }
  /** log(sum(exp(x))), safe for large numbers. */
  logsumexp(options: stats.ReduceOptions = {}): Tensor {
    return new Tensor(stats.logsumexp(this.node, checkOptions("logsumexp", options, tables.REDUCE)));
  }
  /** Whether any element is not 0, bool. */
  any(options: stats.ReduceOptions = {}): Tensor {
    return new Tensor(stats.any(this.node, checkOptions("any", options, tables.REDUCE)));
  }
  /** Whether no element is 0, bool. */
  all(options: stats.ReduceOptions = {}): Tensor {
    return new Tensor(stats.all(this.node, checkOptions("all", options, tables.REDUCE)));
  }
  /** Variance; `correction` (1) is subtracted from the number of elements. */
  var(options: stats.VarOptions = {}): Tensor {
    return new Tensor(stats.variance(this.node, checkOptions("var", options, tables.VAR)));
  }
  /** Standard deviation; `correction` (1) is subtracted from the number of elements. */
  std(options: stats.VarOptions = {}): Tensor {
    return new Tensor(stats.deviation(this.node, checkOptions("std", options, tables.VAR)));
  }
  /** exp(x) / sum(exp(x)) along `axis` (-1). */
  softmax(options: AxisOptions = {}): Tensor {
    return new Tensor(softmax(this.node, checkOptions("softmax", options, tables.AXIS)));
  }
  /** log(softmax(x)) along `axis` (-1). */
  logSoftmax(options: AxisOptions = {}): Tensor {
    return new Tensor(logSoftmax(this.node, checkOptions("logSoftmax", options, tables.AXIS)));
  }
  /** Running sums along `axis` (-1). */
  cumsum(options: AxisOptions = {}): Tensor {
    return new Tensor(cumsum(this.node, checkOptions("cumsum", options, tables.AXIS)));
  }
  /** The `k` largest values along `axis` (-1), largest first, and their indices (i32). */
  topk(k: number, options: AxisOptions = {}): { values: Tensor; indices: Tensor } {
    checkOptions("topk", options, tables.AXIS);
    const { values, indices } = topk(this.node, k, options.axis ?? -1);
    return { values: new Tensor(values), indices: new Tensor(indices) };
  }

  // --- shapes

  /** The elements in row-major order under another shape; one size may be -1. */
  reshape(shape: Shape): Tensor {
    return new Tensor(shaping.reshape(this.node, shape));
  }
  /** Repeated along axes of size 1 and new ones in front; -1 keeps a size. */
  expand(shape: Shape): Tensor {
    return new Tensor(shaping.expand(this.node, shape));
  }
  /** Axis `i` of the result is axis `axes[i]` of this tensor. */
  permute(axes: readonly number[]): Tensor {
    return new Tensor(shaping.permute(this.node, axes));
  }
  /** Two axes exchanged; the last two if left out. */
  transpose(a: number = -2, b: number = -1): Tensor {
    return new Tensor(shaping.transpose(this.node, a, b));
  }
  /** Without axes of size 1: all of them, or those given. */
  squeeze(axis?: number | readonly number[]): Tensor {
    return new Tensor(shaping.squeeze(this.node, axis));
  }
  /** With a new axis of size 1 in place `axis`. */
  unsqueeze(axis: number): Tensor {
    return new Tensor(shaping.unsqueeze(this.node, axis));
  }
  /** In reverse order along some axes, or all. */
  flip(axes?: number | readonly number[]): Tensor {
    return new Tensor(shaping.flip(this.node, axes));
  }
  /** Moved along axes (0); what leaves at the end comes in at the start. */
  roll(shift: number | readonly number[], options: { readonly axis?: number | readonly number[] } = {}): Tensor {
    return new Tensor(shaping.roll(this.node, shift, checkOptions("roll", options, tables.AXES).axis ?? 0));
  }
  /** Part of the tensor: `[start, end, step]` or null for each axis, as Python's slices. */
  slice(ranges: readonly shaping.SliceRange[]): Tensor {
    return new Tensor(shaping.slice(this.node, ranges));
  }
  /** Pieces along `axis` (0) of the given sizes, or of one size, the last piece being what is left. */
  split(sizes: number | readonly number[], options: { readonly axis?: number } = {}): Tensor[] {
    checkOptions("split", options, tables.AXIS);
    return shaping.split(this.node, sizes, options.axis ?? 0).map((n) => new Tensor(n));
  }
  /** The lower triangle of matrices: 0 above the `k`-th diagonal. */
  tril(k: number = 0): Tensor {
    return new Tensor(shaping.tril(this.node, k));
  }
  /** With `[before, after]` elements around each axis; negative numbers cut off. */
  pad(widths: readonly (readonly [number, number])[], options: PadOptions = {}): Tensor {
    return new Tensor(pad(this.node, widths, checkOptions("pad", options, tables.PAD)));
  }

  // --- looking up: an index out of range is a ShapeError, where only the device knows it NaN (or -2^31, 2^32 - 1, false)

  /** Rows along `axis` (0) by `indices` `[n]`; one out of range is a ShapeError or, if only the device knows it, NaN. */
  indexSelect(indices: Tensor, options: { readonly axis?: number } = {}): Tensor {
    checkOptions("indexSelect", options, tables.AXIS);
    return new Tensor(lookup.indexSelect(this.node, indices.node, options.axis ?? 0));
  }
  /** Elements along `axis` (0), each by an index of its own; the result has the shape of `indices`. See `indexSelect`. */
  gather(indices: Tensor, options: { readonly axis?: number } = {}): Tensor {
    return new Tensor(lookup.gather(this.node, indices.node, checkOptions("gather", options, tables.AXIS).axis ?? 0));
  }
  /** This tensor plus each element of `src` where its index says along `axis` (0). One out of range makes that line NaN. */
  scatterAdd(indices: Tensor, src: Tensor, options: { readonly axis?: number } = {}): Tensor {
    checkOptions("scatterAdd", options, tables.AXIS);
    return new Tensor(lookup.scatterAdd(this.node, indices.node, src.node, options.axis ?? 0));
  }

  // --- images

  /** Sequences `[n, cin, l]` by a weight `[cout, cin / groups, taps]`: `[n, cout, places]`. */
  conv1d(weight: Tensor, options: ConvOptions<Tensor> = {}): Tensor {
    return new Tensor(convolve(this.node, weight.node, 1, nodesOf(checkOptions("conv1d", options, CONV))));
  }
  /** Images `[n, cin, h, w]` by a weight `[cout, cin / groups, kh, kw]`: `[n, cout, oh, ow]`. */
  conv2d(weight: Tensor, options: ConvOptions<Tensor> = {}): Tensor {
    return new Tensor(convolve(this.node, weight.node, 2, nodesOf(checkOptions("conv2d", options, CONV))));
  }
  /** Images `[n, cin, h, w]` by a weight `[cin, cout / groups, kh, kw]`, as the gradient of a convolution spreads them. */
  convTranspose2d(weight: Tensor, options: ConvTransposeOptions<Tensor> = {}): Tensor {
    checkOptions("convTranspose2d", options, CONV_TRANSPOSE);
    return new Tensor(convTranspose(this.node, weight.node, nodesOf(options)));
  }
  /** The largest element of each window of images `[n, c, h, w]`; the gradient goes to the first of equal ones. */
  maxPool2d(kernel: PerAxis, options: pool.MaxPoolOptions = {}): Tensor {
    return new Tensor(pool.maxPool(this.node, kernel, checkOptions("maxPool2d", options, tables.MAX_POOL)));
  }
  /** The mean of each window of images `[n, c, h, w]`. */
  avgPool2d(kernel: PerAxis, options: pool.AvgPoolOptions = {}): Tensor {
    return new Tensor(pool.avgPool(this.node, kernel, checkOptions("avgPool2d", options, tables.AVG_POOL)));
  }
  /** The means of `size` windows that together cover images `[n, c, h, w]`: `[n, c, ...size]`. */
  adaptiveAvgPool2d(size: PerAxis): Tensor {
    return new Tensor(pool.adaptiveAvgPool(this.node, size));
  }
  /** The largest elements of `size` windows that together cover images `[n, c, h, w]`: `[n, c, ...size]`. */
  adaptiveMaxPool2d(size: PerAxis): Tensor {
    return new Tensor(pool.adaptiveMaxPool(this.node, size));
  }
  /** Images `[n, c, h, w]` at another size. */
  interpolate(options: image.InterpolateOptions): Tensor {
    return new Tensor(image.interpolate(this.node, checkOptions("interpolate", options, tables.INTERPOLATE)));
  }
  /** Values of images `[n, c, h, w]` at the points of `grid`, `[n, oh, ow, 2]` as (x, y) in [-1, 1]. */
  gridSample(grid: Tensor, options: image.GridSampleOptions = {}): Tensor {
    checkOptions("gridSample", options, tables.GRID_SAMPLE);
    return new Tensor(image.gridSample(this.node, grid.node, options));
  }
  /** Points to sample images of `size` `[n, c, h, w]` at, for these affine maps `[n, 2, 3]`: `[n, h, w, 2]`. */
  affineGrid(size: Shape, options: { readonly alignCorners?: boolean } = {}): Tensor {
    checkOptions("affineGrid", options, tables.ALIGN);
    return new Tensor(image.affineGrid(this.node, size, options.alignCorners ?? false));
  }
}
