/**
 * Operations on shapes: reshape, slices, repeats, joins.
 *
 * @module
 */
import { ShapeError } from "../../base/errors.ts";
import { shown } from "../../base/options.ts";
import { fmtShape, normalizeAxes, normalizeAxis, sameShape, type Shape } from "../../base/shape.ts";
import { add, cast, commonType, ge, where } from "../../graph/elementwise.ts";
import { constant, coord, scalar } from "../../graph/leaves.ts";
import { valueType } from "../../base/dtype.ts";
import type { Node } from "../../graph/node.ts";
import { cat as join } from "../../graph/products.ts";
import {
  expand as repeat,
  flip as reverse,
  permute as reorder,
  reshape as view,
  slice as part,
} from "../../graph/views.ts";

/** `x` under another shape; one size may be -1 and is worked out. */
export function reshape(x: Node, shape: Shape): Node {
  if (!Array.isArray(shape)) throw noShape(x, shape, "a shape is an array, as in [2, 3]");
  let unknown = -1, known = 1;
  for (let i = 0; i < shape.length; i++) {
    const n = shape[i];
    if (n === -1 && unknown < 0) unknown = i;
    else if (!Number.isInteger(n) || n < 0) {
      throw noShape(x, shape, `sizes are whole numbers, one of them -1, got ${n}`);
    } else known *= n;
  }
  const size = x.size;
  if (unknown < 0) {
    if (known !== size) throw noShape(x, shape, `the number of elements must stay, got ${size} and ${known}`);
    return view(x, shape);
  }
  if (known === 0 || size % known !== 0) throw noShape(x, shape, `${size} elements do not fill it`);
  return view(x, shape.map((n, i) => i === unknown ? size / known : n));
}

function noShape(x: Node, shape: Shape, why: string): ShapeError {
  return new ShapeError(`Cannot reshape ${fmtShape(x.shape)} to ${fmtShape(shape)}: ${why}`);
}

/** `x` repeated to `shape`; -1 keeps a size. */
export function expand(x: Node, shape: Shape): Node {
  if (!Array.isArray(shape)) {
    throw new ShapeError(`Cannot expand ${fmtShape(x.shape)} to ${shown(shape)}: a shape is an array, as in [2, 3]`);
  }
  const lead = shape.length - x.shape.length;
  const full = shape.map((n, i) => n === -1 && i >= lead ? x.shape[i - lead] : n);
  const fits = lead >= 0 && x.shape.every((n, i) => n === full[i + lead] || n === 1) &&
    full.every((n) => Number.isInteger(n) && n >= 0);
  if (!fits) {
    throw new ShapeError(
      `Cannot expand ${fmtShape(x.shape)} to ${fmtShape(shape)}: only sizes of 1 can grow, and new axes come in front`,
    );
  }
  return repeat(x, full);
}

/** Axis `i` of the result is axis `axes[i]` of `x`. */
export function permute(x: Node, axes: readonly number[]): Node {
  if (!Array.isArray(axes)) {
    throw new ShapeError(`Cannot permute ${fmtShape(x.shape)} by ${shown(axes)}: axes stand in an array, as in [1, 0]`);
  }
  const rank = x.shape.length;
  const order = axes.map((a) => normalizeAxis(a, rank, "permute"));
  if (order.length !== rank || new Set(order).size !== rank) {
    throw new ShapeError(`Cannot permute ${fmtShape(x.shape)} by [${axes.join(", ")}]: every axis must come once`);
  }
  return reorder(x, order);
}

/** `x` with two axes exchanged. */
export function transpose(x: Node, a: number, b: number): Node {
  const rank = x.shape.length;
  const i = normalizeAxis(a, rank, "transpose"), j = normalizeAxis(b, rank, "transpose");
  const order = x.shape.map((_, k) => k === i ? j : k === j ? i : k);
  return reorder(x, order);
}

/** `x` without axes of size 1: all of them, or those in `axis`. */
export function squeeze(x: Node, axis?: number | readonly number[]): Node {
  if (axis === undefined) return view(x, x.shape.filter((n) => n !== 1));
  const axes = normalizeAxes(axis, x.shape.length, "squeeze");
  for (const a of axes) {
    if (x.shape[a] !== 1) throw new ShapeError(`Cannot squeeze axis ${a} of ${fmtShape(x.shape)}: its size is not 1`);
  }
  return view(x, x.shape.filter((_, i) => !axes.includes(i)));
}

/** `x` with a new axis of size 1 in place `axis`. */
export function unsqueeze(x: Node, axis: number): Node {
  const a = normalizeAxis(axis, x.shape.length + 1, "unsqueeze");
  return view(x, [...x.shape.slice(0, a), 1, ...x.shape.slice(a)]);
}

/** `x` in reverse order along some axes; all of them if left out. */
export function flip(x: Node, axes?: number | readonly number[]): Node {
  let y = x;
  for (const a of normalizeAxes(axes, x.shape.length, "flip")) y = reverse(y, a);
  return y;
}

/** `x` moved along axes: elements that leave at the end come in at the start. */
export function roll(x: Node, shift: number | readonly number[], axis: number | readonly number[]): Node {
  const shifts = typeof shift === "number" ? [shift] : shift;
  const axes = typeof axis === "number" ? [axis] : axis;
  if (shifts.length !== axes.length) {
    throw new ShapeError(
      `Cannot roll by ${shifts.length} shifts along ${axes.length} axes: there must be one for each`,
    );
  }
  let y = x;
  axes.forEach((at, i) => {
    const a = normalizeAxis(at, x.shape.length, "roll");
    const n = x.shape[a];
    if (!Number.isInteger(shifts[i])) throw new ShapeError(`Cannot roll by ${shifts[i]}: shifts are whole numbers`);
    const k = n === 0 ? 0 : ((shifts[i] % n) + n) % n;
    if (k === 0) return;
    y = join([range(y, a, n - k, k), range(y, a, 0, n - k)], a);
  });
  return y;
}

/** `count` elements from `start` on along `axis`. */
function range(x: Node, axis: number, start: number, count: number): Node {
  return part(x, x.shape.map((_, i) => i === axis ? start : 0), x.shape.map((n, i) => i === axis ? count : n));
}

/**
 * What is taken along an axis: from `start` up to, not including, `end`, every `step`-th; null for the whole. Numbers
 * below 0 count from the end, and ends beyond the axis stop at it, as in Python.
 */
export type SliceRange = readonly [start: number | null, end?: number | null, step?: number] | null;

/** Part of `x`: one range an axis; axes without one stay whole. */
export function slice(x: Node, ranges: readonly SliceRange[]): Node {
  if (!Array.isArray(ranges)) {
    throw new ShapeError(
      `Cannot slice by ${shown(ranges)}: ranges stand in an array, one an axis, as in [[0, 1], null]`,
    );
  }
  if (ranges.length > x.shape.length) {
    throw new ShapeError(`Cannot slice ${fmtShape(x.shape)} along ${ranges.length} axes: it has ${x.shape.length}`);
  }
  const starts: number[] = [], steps: number[] = [], shape: number[] = [];
  for (const range of ranges) {
    if (range === null || range === undefined || Array.isArray(range)) continue;
    throw new ShapeError(`Cannot slice by ${shown(range)}: each axis has a range, as in [0, 1], or null for the whole`);
  }
  x.shape.forEach((n, i) => {
    const [first, last = null, step = 1] = ranges[i] ?? [null];
    if (!Number.isInteger(step) || step === 0 || !whole(first) || !whole(last)) {
      throw new ShapeError(
        `Cannot slice by [${first}, ${last}, ${step}]: bounds are whole numbers or null, the step a whole number but 0`,
      );
    }
    const low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
    const bound = (v: number) => Math.min(high, Math.max(low, v < 0 ? v + n : v));
    const start = first === null ? (step > 0 ? 0 : n - 1) : bound(first);
    const end = last === null ? (step > 0 ? n : -1) : bound(last);
    const count = Math.max(0, Math.ceil((end - start) / step));
    starts.push(count === 0 ? 0 : start);
    steps.push(count === 0 ? 1 : step);
    shape.push(count);
  });
  return part(x, starts, shape, steps);
}

function whole(n: number | null): boolean {
  return n === null || Number.isInteger(n);
}

/** `x` cut along `axis` into pieces of the given sizes, or of one size, the last piece being what is left. */
export function split(x: Node, sizes: number | readonly number[], axis: number): Node[] {
  const a = normalizeAxis(axis, x.shape.length, "split");
  const n = x.shape[a];
  let list: readonly number[];
  if (typeof sizes === "number") {
    if (!Number.isInteger(sizes) || sizes < 1) {
      throw new ShapeError(`Cannot split into pieces of ${sizes}: the size is a whole number from 1`);
    }
    list = Array.from({ length: Math.max(1, Math.ceil(n / sizes)) }, (_, i) => Math.min(sizes, n - i * sizes));
  } else list = sizes;
  if (!Array.isArray(list)) {
    throw new ShapeError(`Cannot split into ${String(sizes)}: it takes a size, or an array of them`);
  }
  if (list.reduce((s, m) => s + m, 0) !== n || list.some((m) => !Number.isInteger(m) || m < 0)) {
    throw new ShapeError(`Cannot split ${n} elements into [${list.join(", ")}]: the sizes must add up to ${n}`);
  }
  let start = 0;
  return list.map((m) => range(x, a, (start += m) - m, m));
}

/** The lower triangle of matrices: entries above the `k`-th diagonal become 0. */
export function tril(x: Node, k: number): Node {
  const rank = x.shape.length;
  if (!Number.isInteger(k)) throw new ShapeError(`Cannot take the triangle below diagonal ${k}: it is a whole number`);
  if (rank < 2) throw new ShapeError(`Cannot take the triangle of ${fmtShape(x.shape)}: it needs two axes`);
  const n = x.shape[rank - 2], m = x.shape[rank - 1];
  // row + k >= column
  const keep = ge(add(coord([n, 1], 0), scalar(k, "i32")), coord([1, m], 1));
  return where(keep, x, constant(0, valueType(x.dtype)));
}

/** Tensors after each other along `axis`, in the type that all fit in. */
export function cat(parts: readonly Node[], axis: number): Node {
  if (parts.length === 0) throw new ShapeError("Cannot concatenate nothing: give at least one tensor");
  const [first] = parts;
  const a = normalizeAxis(axis, first.shape.length, "concatenate");
  let dtype = first.dtype;
  for (const p of parts) {
    if (p.shape.length !== first.shape.length || p.shape.some((n, i) => i !== a && n !== first.shape[i])) {
      throw new ShapeError(
        `Cannot concatenate ${fmtShape(first.shape)} and ${
          fmtShape(p.shape)
        } along axis ${a}: the other sizes must be equal`,
      );
    }
    if (p.dtype !== dtype) dtype = commonType(p.dtype, dtype);
  }
  return join(parts.map((p) => cast(p, dtype)), a);
}

/** Tensors of one shape next to each other along a new axis. */
export function stack(parts: readonly Node[], axis: number): Node {
  for (const p of parts) {
    if (!sameShape(p.shape, parts[0].shape)) {
      throw new ShapeError(
        `Cannot stack ${fmtShape(parts[0].shape)} and ${fmtShape(p.shape)}: the shapes must be equal`,
      );
    }
  }
  if (parts.length === 0) throw new ShapeError("Cannot stack nothing: give at least one tensor");
  return cat(parts.map((p) => unsqueeze(p, axis)), axis < 0 ? axis + parts[0].shape.length + 1 : axis);
}
