/**
 * Reductions: sums, extremes, means, variances.
 *
 * @module
 */
import { isFloat } from "../../base/dtype.ts";
import { ShapeError } from "../../base/errors.ts";
import { fmtShape, normalizeAxes, normalizeAxis, type Shape, sizeOf } from "../../base/shape.ts";
import {
  abs,
  add,
  cast,
  div,
  eq,
  exp,
  gt,
  log,
  mul,
  ne,
  not,
  or,
  sqrt,
  square,
  sub,
  where,
} from "../../graph/elementwise.ts";
import { constant, scalar } from "../../graph/leaves.ts";
import type { Node } from "../../graph/node.ts";
import { gather } from "../../graph/products.ts";
import { reduce } from "../../graph/reduce.ts";
import { detach, expand, keepAxes, reshape, slice } from "../../graph/views.ts";
import { composite } from "./composite.ts";

/** Options of reductions. */
export interface ReduceOptions {
  /** The axis or axes to fold; all of them if left out. Negative ones count from the end. */
  readonly axis?: number | readonly number[];
  /** Whether the folded axes stay, with size 1. */
  readonly keepdim?: boolean;
}

/** Options of {@link variance} and {@link deviation}. */
export interface VarOptions extends ReduceOptions {
  /** What is subtracted from the number of elements: 1 (the default) for a sample, 0 for a population. */
  readonly correction?: number;
}

/** Sum; integers stay integers, bools are counted. */
export function sum(x: Node, { axis, keepdim = false }: ReduceOptions): Node {
  return fold("sum", number(x), normalizeAxes(axis, x.shape.length, "sum"), keepdim);
}

/** Mean in f32. */
export function mean(x: Node, { axis, keepdim = false }: ReduceOptions): Node {
  const axes = normalizeAxes(axis, x.shape.length, "take the mean");
  const f = cast(x, "f32");
  return reduction("mean", ratio(fold("sum", f, axes, keepdim), count(x.shape, axes)), f, axes, keepdim);
}

/** Variance in f32 about the mean. */
export function variance(x: Node, { axis, correction = 1, keepdim = false }: VarOptions): Node {
  const axes = normalizeAxes(axis, x.shape.length, "take the variance");
  const f = cast(x, "f32");
  const n = count(x.shape, axes);
  if (x.size === 0) return ratio(fold("sum", f, axes, keepdim), 0, n === 0);
  return ratio(fold("sum", square(centered(f, axes)), axes, keepdim), Math.max(0, n - correction), n === 0);
}

/** Distances from the mean, by way of those from the first element: equal elements give 0, however the mean is rounded. */
function centered(x: Node, axes: readonly number[]): Node {
  const first = slice(x, x.shape.map(() => 0), x.shape.map((n, i) => axes.includes(i) ? 1 : n));
  const far = sub(x, detach(first));
  return sub(far, ratio(fold("sum", far, axes, true), count(x.shape, axes)));
}

/**
 * Standard deviation in f32; its derivative where all elements are equal is 0. Distances from the mean are measured by the
 * largest of them, whose square may be beyond f32.
 */
export function deviation(x: Node, { axis, correction = 1, keepdim = false }: VarOptions): Node {
  const axes = normalizeAxes(axis, x.shape.length, "take the standard deviation");
  const f = cast(x, "f32");
  const n = count(x.shape, axes), free = Math.max(0, n - correction);
  if (x.size === 0) return ratio(fold("sum", f, axes, keepdim), free, true);
  const far = centered(f, axes);
  const largest = detach(fold("max", abs(far), axes, true));
  const equal = eq(largest, constant(0));
  const unit = where(or(equal, gt(largest, constant(LARGEST_F32))), constant(1), largest);
  const squares = fold("sum", square(div(far, unit)), axes, true);
  // the slope of the root at 0 is infinite: it is taken elsewhere
  const root = where(equal, constant(0), sqrt(where(equal, constant(1), squares)));
  const y = ratio(mul(root, unit), Math.sqrt(free));
  return keepdim ? y : drop(y, axes);
}

/**
 * The largest (or smallest) value. With one axis the gradient goes to the first place that holds it, otherwise equal
 * values share it evenly.
 */
export function extreme(kind: "max" | "min", x: Node, { axis, keepdim = false }: ReduceOptions): Node {
  const what = kind === "max" ? "take the maximum" : "take the minimum";
  const axes = normalizeAxes(axis, x.shape.length, what);
  checkFilled(x.shape, axes, what);
  if (typeof axis !== "number" || !isFloat(x.dtype)) {
    const y = fold(kind, number(x), axes, keepdim);
    return x.dtype === "bool" ? cast(y, "bool") : y;
  }
  const at = fold(kind === "max" ? "argmax" : "argmin", x, axes, true);
  const y = gather(x, at, axes[0], at.shape);
  return reduction(kind, keepdim ? y : drop(y, axes), x, axes, keepdim);
}

/** Index of the first largest (or smallest) element, i32; without an axis, in row-major order of the whole tensor. */
export function argExtreme(kind: "argmax" | "argmin", x: Node, { axis, keepdim = false }: ArgOptions): Node {
  const what = kind === "argmax" ? "find the maximum" : "find the minimum";
  const axes = axis === undefined
    ? normalizeAxes(undefined, x.shape.length, what)
    : [normalizeAxis(axis, x.shape.length, what)];
  checkFilled(x.shape, axes, what);
  const y = axes.length === 0 ? constant(0, "i32") : fold(kind, number(x), axes, keepdim);
  y.bounds = [0, Math.max(0, count(x.shape, axes) - 1)];
  return y;
}

/** Options of `argmax` and `argmin`. */
export interface ArgOptions {
  /** The axis to search; all, in row-major order, if left out. */
  readonly axis?: number;
  /** Whether the axis stays, with size 1. */
  readonly keepdim?: boolean;
}

const LARGEST_F32 = 3.4028234663852886e38;

/** log(sum(exp(x))), safe for large numbers. */
export function logsumexp(x: Node, { axis, keepdim = false }: ReduceOptions): Node {
  const f = cast(x, "f32");
  const axes = normalizeAxes(axis, x.shape.length, "take the logsumexp");
  checkFilled(x.shape, axes, "take the logsumexp");
  const top = fold("max", f, axes, true);
  // subtracting an infinite maximum would give NaN
  const shift = detach(where(gt(abs(top), constant(LARGEST_F32)), constant(0), top));
  const y = add(log(fold("sum", exp(sub(f, shift)), axes, true)), shift);
  return reduction("logsumexp", keepdim ? y : drop(y, axes), f, axes, keepdim);
}

/** Whether any element is not 0. */
export function any(x: Node, { axis, keepdim = false }: ReduceOptions): Node {
  const axes = normalizeAxes(axis, x.shape.length, "test");
  return ne(fold("sum", cast(cast(x, "bool"), "i32"), axes, keepdim), constant(0, "i32"));
}

/** Whether no element is 0. */
export function all(x: Node, { axis, keepdim = false }: ReduceOptions): Node {
  const axes = normalizeAxes(axis, x.shape.length, "test");
  return eq(fold("sum", cast(not(x), "i32"), axes, keepdim), constant(0, "i32"));
}

/** `y` as one operation on `x`. */
function reduction(kind: string, y: Node, x: Node, axes: readonly number[], keepdim: boolean): Node {
  return composite(y, kind, [x], { axes, keepdim: keepdim ? 1 : 0 });
}

/** `x / n`. For sums of nothing NaN, said outright: compilers of shaders take 0 / n for 0. */
function ratio(x: Node, n: number, empty: boolean = n === 0): Node {
  return empty ? expand(scalar(NaN), x.shape) : div(x, scalar(n));
}

/** Number of elements along `axes`. */
function count(shape: Shape, axes: readonly number[]): number {
  let n = 1;
  for (const a of axes) n *= shape[a];
  return n;
}

/** bool and u8 as integers. */
function number(x: Node): Node {
  return x.dtype === "bool" || x.dtype === "u8" ? cast(x, "i32") : x;
}

function fold(
  kind: "sum" | "max" | "min" | "argmax" | "argmin",
  x: Node,
  axes: readonly number[],
  keepdim: boolean,
): Node {
  const y = reduce(kind, x, axes);
  return keepdim ? keepAxes(y, x.shape, axes) : y;
}

function drop(y: Node, axes: readonly number[]): Node {
  return reshape(y, y.shape.filter((_, i) => !axes.includes(i)));
}

function checkFilled(shape: Shape, axes: readonly number[], what: string): void {
  if (axes.some((a) => shape[a] === 0) && sizeOf(shape) === 0) {
    throw new ShapeError(`Cannot ${what} of ${fmtShape(shape)}: there is no element along axis ${axes.join(", ")}`);
  }
}
