/**
 * Products, reductions, and what is computed along an axis, as free functions.
 *
 * @module
 */
import type { AxisOptions } from "../fn/softmax.ts";
import type { ArgOptions, ReduceOptions, VarOptions } from "../fn/statistics.ts";
import type { Tensor } from "../tensor.ts";

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

export { variance as var };
