/**
 * Tensors of the float64 references: a shape and its elements, row-major. Written for reading, not for speed.
 *
 * @module
 */

/** A tensor of a reference. Integers and flags are kept as float64 too. */
export interface Ref {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Number of elements. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Makes a tensor; throws unless the elements fill the shape. */
export function ref(shape: readonly number[], data: Iterable<number>): Ref {
  const elements = Float64Array.from(data);
  if (elements.length !== sizeOf(shape)) throw new Error(`${elements.length} elements do not fill [${shape}]`);
  return { shape, data: elements };
}

/** Calls `visit` with each coordinate of `shape` in row-major order; the array is the same every time. */
export function forEachCoord(shape: readonly number[], visit: (c: number[], i: number) => void): void {
  const c = shape.map(() => 0);
  for (let i = 0; i < sizeOf(shape); i++) {
    visit(c, i);
    for (let axis = shape.length - 1; axis >= 0 && ++c[axis] === shape[axis]; axis--) c[axis] = 0;
  }
}

/** The tensor whose element at coordinate `c` is `f(c)`. */
export function build(shape: readonly number[], f: (c: number[]) => number): Ref {
  const data = new Float64Array(sizeOf(shape));
  forEachCoord(shape, (c, i) => data[i] = f(c));
  return { shape, data };
}

/** The element at coordinate `c`. */
export function at(x: Ref, c: readonly number[]): number {
  let i = 0;
  x.shape.forEach((n, axis) => {
    if (!(c[axis] >= 0 && c[axis] < n)) throw new Error(`[${c}] is outside [${x.shape}]`);
    i = i * n + c[axis];
  });
  return x.data[i];
}

/** Axis counted from the front. */
export function axisOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** `c` with `value` on one axis. */
export function withAxis(c: readonly number[], axis: number, value: number): number[] {
  return c.map((v, i) => i === axis ? value : v);
}

/** Applies `f` to every element. */
export function mapped(x: Ref, f: (v: number) => number): Ref {
  return { shape: x.shape, data: x.data.map((v) => f(v)) };
}

/** The common shape of several, by NumPy's rule. */
export function broadcastShape(...shapes: (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = shapes.map((s) => s[s.length - rank + i] ?? 1);
    const size = sizes.find((n) => n !== 1) ?? 1;
    if (sizes.some((n) => n !== 1 && n !== size)) throw new Error(`shapes ${JSON.stringify(shapes)} do not fit`);
    return size;
  });
}

/** The element that broadcasting puts at coordinate `c`, whose last axes are `x`'s. */
export function broadcastAt(x: Ref, c: readonly number[]): number {
  const own = c.slice(c.length - x.shape.length);
  return at(x, own.map((v, i) => x.shape[i] === 1 ? 0 : v));
}

/** Applies `f` to elements that broadcasting brings together. */
export function zipped(f: (...values: number[]) => number, ...xs: Ref[]): Ref {
  return build(broadcastShape(...xs.map((x) => x.shape)), (c) => f(...xs.map((x) => broadcastAt(x, c))));
}
