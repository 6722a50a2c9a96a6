/**
 * Changes of shape, and looking up by index, as free functions.
 *
 * @module
 */
import type { Shape } from "../../base/shape.ts";
import type { PadOptions } from "../fn/pad.ts";
import type { SliceRange } from "../fn/shape.ts";
import type { Tensor } from "../tensor.ts";

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
