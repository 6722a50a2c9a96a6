/**
 * Float64 references of operations that move elements.
 *
 * @module
 */
import { at, axisOf, build, type Ref, sizeOf, withAxis } from "./ref_core.ts";

/** The same elements in another shape; one -1 stands for what is left. */
export function reshape(x: Ref, shape: readonly number[]): Ref {
  const known = sizeOf(shape.filter((n) => n !== -1));
  const full = shape.map((n) => n === -1 ? x.data.length / known : n);
  if (sizeOf(full) !== x.data.length) throw new Error(`[${x.shape}] has no shape [${shape}]`);
  return { shape: full, data: x.data };
}

/** Repeats axes of size 1, and adds new ones in front; -1 keeps a size. */
export function expand(x: Ref, shape: readonly number[]): Ref {
  const lead = shape.length - x.shape.length;
  const full = shape.map((n, i) => n === -1 ? x.shape[i - lead] : n);
  return build(full, (c) => at(x, c.slice(lead).map((v, i) => x.shape[i] === 1 ? 0 : v)));
}

/** Axis i of the result is axis `axes[i]` of x. */
export function permute(x: Ref, axes: readonly number[]): Ref {
  const order = axes.map((a) => axisOf(a, x.shape.length));
  return build(order.map((a) => x.shape[a]), (c) => at(x, x.shape.map((_, a) => c[order.indexOf(a)])));
}

/** Swaps two axes. */
export function transpose(x: Ref, a: number, b: number): Ref {
  const [p, q] = [axisOf(a, x.shape.length), axisOf(b, x.shape.length)];
  return permute(x, x.shape.map((_, i) => i === p ? q : i === q ? p : i));
}

/** Drops one axis of size 1, or all of them. */
export function squeeze(x: Ref, axis?: number): Ref {
  const one = axis === undefined ? undefined : axisOf(axis, x.shape.length);
  return { shape: x.shape.filter((n, i) => n !== 1 || (one !== undefined && i !== one)), data: x.data };
}

/** Puts in an axis of size 1. */
export function unsqueeze(x: Ref, axis: number): Ref {
  const place = axisOf(axis, x.shape.length + 1);
  return { shape: x.shape.toSpliced(place, 0, 1), data: x.data };
}

/** Reverses axes. */
export function flip(x: Ref, axes: number | readonly number[]): Ref {
  const turned = [axes].flat().map((a) => axisOf(a, x.shape.length));
  return build(x.shape, (c) => at(x, c.map((v, i) => turned.includes(i) ? x.shape[i] - 1 - v : v)));
}

/** Shifts along an axis; what falls out comes in at the other end. */
export function roll(x: Ref, shift: number, { axis = 0 }: { axis?: number } = {}): Ref {
  const along = axisOf(axis, x.shape.length);
  const n = x.shape[along];
  return build(x.shape, (c) => at(x, withAxis(c, along, (((c[along] - shift) % n) + n) % n)));
}

/** Part of an axis: `[start, end, step]`, with Python's rules for negative numbers; null keeps the axis. */
export type SliceRange = readonly [start: number, end: number | null, step?: number] | null;

/** Part of every axis that has a range. */
export function slice(x: Ref, ranges: readonly SliceRange[]): Ref {
  const limit = (v: number, n: number): number => Math.min(Math.max(v < 0 ? v + n : v, 0), n);
  const parts = x.shape.map((n, i) => {
    const [start, end, step = 1] = ranges[i] ?? [0, null];
    const [from, to] = [limit(start, n), limit(end ?? n, n)];
    return { from, step, size: Math.max(0, Math.ceil((to - from) / step)) };
  });
  return build(parts.map((p) => p.size), (c) => at(x, c.map((v, i) => parts[i].from + v * parts[i].step)));
}

/** Consecutive parts of an axis. */
export function split(x: Ref, sizes: readonly number[], { axis = 0 }: { axis?: number } = {}): Ref[] {
  const along = axisOf(axis, x.shape.length);
  let from = 0;
  return sizes.map((size) => {
    const start = from;
    from += size;
    return build(withAxis(x.shape, along, size), (c) => at(x, withAxis(c, along, start + c[along])));
  });
}

/** Puts tensors one after the other along an axis. */
export function cat(xs: readonly Ref[], { axis = 0 }: { axis?: number } = {}): Ref {
  const along = axisOf(axis, xs[0].shape.length);
  const places = xs.flatMap((x) => Array.from({ length: x.shape[along] }, (_, i) => ({ x, i })));
  return build(withAxis(xs[0].shape, along, places.length), (c) => {
    const { x, i } = places[c[along]];
    return at(x, withAxis(c, along, i));
  });
}

/** Puts tensors of one shape along a new axis. */
export function stack(xs: readonly Ref[], { axis = 0 }: { axis?: number } = {}): Ref {
  return cat(xs.map((x) => unsqueeze(x, axis)), { axis: axisOf(axis, xs[0].shape.length + 1) });
}

/** The lower triangle of the last two axes: element (i, j) stays where j - i <= k. */
export function tril(x: Ref, k = 0): Ref {
  return build(x.shape, (c) => c[c.length - 1] - c[c.length - 2] <= k ? at(x, c) : 0);
}

/** How {@link pad} fills. */
export interface PadOptions {
  readonly mode?: "constant" | "reflect" | "replicate" | "circular";
  readonly value?: number;
}

/** Adds `[before, after]` elements to each axis; negative widths cut. */
export function pad(x: Ref, widths: readonly (readonly [number, number])[], options: PadOptions = {}): Ref {
  const { mode = "constant", value = 0 } = options;
  const shape = x.shape.map((n, i) => n + widths[i][0] + widths[i][1]);
  return build(shape, (c) => {
    const source = c.map((v, i) => sourceOf(v - widths[i][0], x.shape[i], mode));
    return source.every((v, i) => v >= 0 && v < x.shape[i]) ? at(x, source) : value;
  });
}

function sourceOf(i: number, n: number, mode: string): number {
  if (mode === "replicate") return Math.min(Math.max(i, 0), n - 1);
  if (mode === "reflect") return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
  return mode === "circular" ? ((i % n) + n) % n : i;
}

/** [n, c r r, h, w] to [n, c, h r, w r]. */
export function pixelShuffle(x: Ref, r: number): Ref {
  const [n, channels, h, w] = x.shape;
  return build(
    [n, channels / (r * r), h * r, w * r],
    ([b, c, i, j]) => at(x, [b, c * r * r + (i % r) * r + (j % r), Math.floor(i / r), Math.floor(j / r)]),
  );
}
