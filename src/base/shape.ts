/**
 * Arithmetic on shapes: sizes, strides, axes, broadcasting.
 *
 * @module
 */
import { ShapeError } from "./errors.ts";

/** Sizes of a tensor's axes, outermost first. `[]` is a scalar. */
export type Shape = readonly number[];

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  let n = 1;
  for (let i = 0; i < shape.length; i++) n *= shape[i];
  return n;
}

/** `[2, 3]` as users read it. */
export function fmtShape(shape: Shape): string {
  return Array.isArray(shape) ? `[${shape.join(", ")}]` : String(shape);
}

/** Strides, in elements, of a contiguous row-major tensor. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  for (let i = shape.length - 1, s = 1; i >= 0; i--) {
    strides[i] = s;
    s *= shape[i];
  }
  return strides;
}

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** `axis` counted from the front; `what` names the operation in the error. */
export function normalizeAxis(axis: number, rank: number, what: string): number {
  const a = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || a < 0 || a >= rank) {
    throw new ShapeError(`Cannot ${what} along axis ${axis}: the tensor has ${rank} axes`);
  }
  return a;
}

/** Axes counted from the front, ascending, each once. `undefined` means all. */
export function normalizeAxes(axis: number | readonly number[] | undefined, rank: number, what: string): number[] {
  if (axis === undefined) return Array.from({ length: rank }, (_, i) => i);
  const axes = (typeof axis === "number" ? [axis] : [...axis]).map((a) => normalizeAxis(a, rank, what));
  axes.sort((x, y) => x - y);
  for (let i = 1; i < axes.length; i++) {
    if (axes[i] === axes[i - 1]) throw new ShapeError(`Cannot ${what} along axis ${axes[i]} twice`);
  }
  return axes;
}

/** The common shape of two operands by NumPy's rule; `what` names the operation in the error. */
export function broadcastShapes(a: Shape, b: Shape, what: string): Shape {
  if (sameShape(a, b)) return a;
  if (b.length === 0) return a;
  if (a.length === 0) return b;
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(
        `Cannot ${what} ${fmtShape(a)} and ${
          fmtShape(b)
        }: sizes must be equal or 1, counted from the last axis, got ${x} and ${y}`,
      );
    }
    out[i] = x === 1 ? y : x;
  }
  return out;
}

/** Throws unless every entry is a whole number >= 0. */
export function checkShape(shape: Shape, what: string): void {
  if (!Array.isArray(shape)) {
    throw new ShapeError(`Cannot ${what} shape ${fmtShape(shape)}: a shape is an array, as in [2, 3]`);
  }
  for (const n of shape) {
    if (!Number.isInteger(n) || n < 0) {
      throw new ShapeError(`Cannot ${what} shape ${fmtShape(shape)}: sizes are whole numbers from 0, got ${n}`);
    }
  }
}
