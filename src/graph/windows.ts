/**
 * Windows that slide over the last axes, and the way back: sums of what overlapping windows hold of one element.
 *
 * @module
 */
import type { Shape } from "../base/shape.ts";
import { constant } from "./leaves.ts";
import { Node } from "./node.ts";
import { cat } from "./products.ts";
import { reduce } from "./reduce.ts";
import { defineOp } from "./registry.ts";
import { expand, permute, reshape, slice } from "./views.ts";

/** How windows lie along each axis: place `o`, tap `k` is element `o * stride + k * dilation - before`. */
export interface WindowSpec {
  readonly stride: readonly number[];
  readonly before: readonly number[];
  readonly dilation: readonly number[];
}

/**
 * `[..., size...]` as `[..., places, taps, places, taps, ...]` over the last axes; `attr` is the number of those axes, then
 * strides, paddings in front, dilations, and 1 if what lies outside is -infinity rather than 0.
 */
export const WINDOWS = defineOp({
  name: "windows",
  kind: "view",
  cost: 2,
  vjp: (dy, node) => {
    const spec = windowSpec(node.attr);
    const [x] = node.inputs;
    return [foldWindows(dy, spec, x.shape.slice(-spec.stride.length))];
  },
});

/**
 * `y[..., q, t, ...] = x[..., q + shift - t * slope, t, ...]` for the axes `attr[0]` and the next, 0 outside; `attr` goes on with shift
 * and slope. It lines up, along `t`, the places of windows that hold the same element.
 */
export const SHEAR = defineOp({
  name: "shear",
  kind: "view",
  cost: 2,
  vjp: (dy, node) => {
    const [axis, shift, slope] = node.attr;
    return [shear(dy, axis, -shift, -slope, node.inputs[0].shape[axis])];
  },
});

/** What lies outside, by a `WINDOWS` node's `attr`. */
export function outsideOf(attr: readonly number[]): number {
  return attr[attr.length - 1] === 1 ? -Infinity : 0;
}

/** The spec in a node's `attr`. */
export function windowSpec(attr: readonly number[]): WindowSpec {
  const [d] = attr;
  return {
    stride: attr.slice(1, 1 + d),
    before: attr.slice(1 + d, 1 + 2 * d),
    dilation: attr.slice(1 + 2 * d, 1 + 3 * d),
  };
}

/** A spec as `attr`. */
export function windowAttr({ stride, before, dilation }: WindowSpec): number[] {
  return [stride.length, ...stride, ...before, ...dilation];
}

/**
 * Windows of `taps[i]` elements at `places[i]` places over the last axes of f32 `x`.
 *
 * @param lowest Whether what lies outside is -infinity, which no maximum takes, rather than 0.
 */
export function windows(
  x: Node,
  spec: WindowSpec,
  places: readonly number[],
  taps: readonly number[],
  lowest = false,
): Node {
  const lead = x.shape.slice(0, x.shape.length - places.length);
  const shape = [...lead, ...places.flatMap((n, i) => [n, taps[i]])];
  return new Node(WINDOWS, [x], shape, x.dtype, [...windowAttr(spec), lowest ? 1 : 0]);
}

function shear(x: Node, axis: number, shift: number, slope: number, size: number): Node {
  if (shift === 0 && slope === 0 && size === x.shape[axis]) return x;
  return new Node(SHEAR, [x], x.shape.map((n, i) => i === axis ? size : n), x.dtype, [axis, shift, slope]);
}

/** Elements `r, r + stride, ...` of one axis, and the taps of windows that hold them. */
export interface Phase {
  /** Element `q` of the phase is held by tap `first + t * step` of window `q + shift - t * slope`, for `t` below `count`. */
  readonly first: number;
  readonly step: number;
  readonly count: number;
  readonly shift: number;
  readonly slope: number;
}

/** The phase of elements `r` modulo the stride, for windows of `taps` elements. */
export function phaseOf(r: number, stride: number, before: number, dilation: number, taps: number): Phase {
  const common = gcd(stride, dilation);
  const step = stride / common;
  let first = 0; // the smallest tap k with (r + before - k dilation) divisible by the stride
  while (first < Math.min(step, taps) && (r + before - first * dilation) % stride !== 0) first++;
  const count = first < step && first < taps ? Math.ceil((taps - first) / step) : 0;
  return { first, step, count, shift: (r + before - first * dilation) / stride, slope: dilation / common };
}

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/**
 * Puts together what was computed for each phase of the last axes: `part` gets the residues, one an axis, and gives
 * `[..., ceil(size / stride)...]`; the result is `[..., size...]`.
 */
export function interleave(
  stride: readonly number[],
  size: readonly number[],
  part: (residues: readonly number[], counts: readonly number[]) => Node,
): Node {
  const d = stride.length;
  const counts = size.map((n, i) => Math.ceil(n / stride[i]));
  const phases = stride.reduce((a, b) => a * b, 1);
  const parts: Node[] = [];
  for (let p = 0; p < phases; p++) {
    const residues = new Array<number>(d);
    for (let i = d - 1, rest = p; i >= 0; i--) {
      residues[i] = rest % stride[i];
      rest = Math.floor(rest / stride[i]);
    }
    parts.push(part(residues, counts));
  }
  if (phases === 1) return parts[0];
  const lead = parts[0].shape.slice(0, -d);
  const r = lead.length;
  const all = reshape(cat(parts.map((p) => reshape(p, [1, ...p.shape])), 0), [...stride, ...lead, ...counts]);
  const axes = [...lead.map((_, i) => d + i), ...stride.flatMap((_, i) => [d + r + i, i])];
  const whole = reshape(permute(all, axes), [...lead, ...counts.map((n, i) => n * stride[i])]);
  return slice(whole, whole.shape.map(() => 0), [...lead, ...size]);
}

/** The transpose of {@link windows}: element `i` of the last axes is the sum of what windows hold of it. */
export function foldWindows(dy: Node, { stride, before, dilation }: WindowSpec, size: readonly number[]): Node {
  const d = size.length;
  const lead: Shape = dy.shape.slice(0, -2 * d);
  const r = lead.length;
  const apart = size.every((n, i) => {
    const [places, taps] = dy.shape.slice(r + 2 * i);
    return stride[i] === taps && dilation[i] === 1 && before[i] === 0 && places * taps === n;
  });
  // windows side by side hold each element once, as those of a pool over the whole image do
  if (apart) return reshape(dy, [...lead, ...size]);
  return interleave(stride, size, (residues, counts) => {
    let part = dy;
    for (let i = 0; i < d; i++) {
      const axis = r + 2 * i;
      const phase = phaseOf(residues[i], stride[i], before[i], dilation[i], dy.shape[axis + 1]);
      if (phase.count === 0) return expand(constant(0), [...lead, ...counts]);
      const starts = part.shape.map((_, a) => a === axis + 1 ? phase.first : 0);
      const steps = part.shape.map((_, a) => a === axis + 1 ? phase.step : 1);
      const picked = slice(part, starts, part.shape.map((n, a) => a === axis + 1 ? phase.count : n), steps);
      part = shear(picked, axis, phase.shift, phase.slope, counts[i]);
    }
    const axes = counts.map((_, i) => r + 2 * i + 1).filter((a) => part.shape[a] > 1);
    return reshape(reduce("sum", part, axes), [...lead, ...counts]);
  });
}
