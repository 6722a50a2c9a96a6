/**
 * Operations that move no numbers: they only say where an element is to be found.
 *
 * @module
 */
import { sameShape, type Shape, sizeOf } from "../base/shape.ts";
import { type Dtype, valueType } from "../base/dtype.ts";
import { cast } from "./elementwise.ts";
import { constant, LEAF, leaf } from "./leaves.ts";
import { Node } from "./node.ts";
import { defineOp } from "./registry.ts";

/** The same elements in row-major order under another shape. */
export const RESHAPE = defineOp({
  name: "reshape",
  kind: "view",
  cost: 0,
  vjp: (dy, node) => [reshape(dy, node.inputs[0].shape)],
});

/** Axis `i` of the result is axis `attr[i]` of the input. Its derivative: `view_gradients.ts`. */
export const PERMUTE = defineOp({ name: "permute", kind: "view", cost: 0 });

/**
 * Repeats axes of size 1; new axes come in front. With an `attr` it stops gradients: see {@link detach}. Its derivative:
 * `view_gradients.ts`.
 */
export const EXPAND = defineOp({ name: "expand", kind: "view", cost: 0 });

/** Element `i` along an axis is element `start + i * step` of the input; `attr` is all starts, then all steps. */
export const SLICE = defineOp({
  name: "slice",
  kind: "view",
  cost: 0,
  vjp: (dy, node) => {
    const shape = node.inputs[0].shape;
    const starts = node.attr.slice(0, shape.length);
    const steps = node.attr.slice(shape.length);
    let g = dy;
    // undo the steps first: reversed axes are turned round, skipped elements become zeros
    const before = new Array<number>(shape.length).fill(0);
    const after = new Array<number>(shape.length).fill(0);
    for (let a = 0; a < shape.length; a++) {
      const n = g.shape[a];
      const step = Math.abs(steps[a]);
      if (steps[a] < 0) g = flip(g, a);
      if (step > 1 && n > 1) g = dilate(g, a, step);
      before[a] = steps[a] < 0 ? starts[a] + steps[a] * (n - 1) : starts[a];
      after[a] = shape[a] - before[a] - g.shape[a];
    }
    return [pad(g, before, after)];
  },
});

/** Zeros around: `attr` is the number in front along each axis; the shape tells the rest. */
export const PAD = defineOp({
  name: "pad",
  kind: "view",
  cost: 2,
  vjp: (dy, node) => {
    const shape = node.inputs[0].shape;
    return [slice(dy, node.attr, shape)];
  },
});

/** `x` under another shape of the same size. */
export function reshape(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  if (x.dtype === "u8" && x.op === LEAF) { // storage only, so no gradient needs the way back
    const same = leaf(x.storage!, shape, x.dtype, { offset: x.offset, version: x.version, after: x.inputs });
    return withBounds(same, x);
  }
  return withBounds(new Node(RESHAPE, [number(x)], shape, computed(x)), x);
}

/** `x` with axis `axes[i]` in place `i`. */
export function permute(x: Node, axes: readonly number[]): Node {
  if (axes.every((a, i) => a === i)) return x;
  return withBounds(new Node(PERMUTE, [number(x)], axes.map((a) => x.shape[a]), computed(x), axes), x);
}

/** `x` with its last two axes exchanged. */
export function transposeLast(x: Node): Node {
  const axes = x.shape.map((_, i) => i);
  const r = axes.length;
  axes[r - 1] = r - 2;
  axes[r - 2] = r - 1;
  return permute(x, axes);
}

/** `x` repeated to `shape`, which it must broadcast to. */
export function expand(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  return withBounds(new Node(EXPAND, [number(x)], shape, computed(x)), x);
}

/** The same values, through which no gradient flows. */
export function detach(x: Node): Node {
  const y = withBounds(new Node(EXPAND, [number(x)], x.shape, x.dtype, DETACHED), x);
  y.tracked = false;
  return y;
}

const DETACHED: readonly number[] = [1];

/** Part of `x`: `shape[i]` elements along axis `i` from `starts[i]` on, every `steps[i]`-th (default 1). */
export function slice(x: Node, starts: readonly number[], shape: Shape, steps?: readonly number[]): Node {
  if (sameShape(x.shape, shape) && (steps === undefined || steps.every((s) => s === 1))) return x;
  const all = steps ?? x.shape.map(() => 1);
  if (x.op === PAD && x.storage === null && all.every((s) => s === 1)) {
    // of what was padded alone: the zeros need not be there
    const [inner] = x.inputs, from = starts.map((s, i) => s - x.attr[i]);
    if (from.every((s, i) => s >= 0 && s + shape[i] <= inner.shape[i])) return slice(inner, from, shape);
  }
  const part = sizeOf(shape) < x.size;
  return withBounds(new Node(SLICE, [number(x)], shape, computed(x), [...starts, ...all]), x, part);
}

/** `x` with `before[i]` and `after[i]` zeros around axis `i`; none is negative. */
export function pad(x: Node, before: readonly number[], after: readonly number[]): Node {
  if (before.every((n) => n === 0) && after.every((n) => n === 0)) return x;
  const shape = x.shape.map((n, i) => n + before[i] + after[i]);
  if (x.size === 0) return expand(cast(constant(0, valueType(computed(x))), computed(x)), shape);
  return new Node(PAD, [number(x)], shape, computed(x), before);
}

/** `x` in reverse order along `axis`. */
export function flip(x: Node, axis: number): Node {
  const starts = x.shape.map((n, i) => i === axis ? Math.max(0, n - 1) : 0);
  return slice(x, starts, x.shape, x.shape.map((_, i) => i === axis ? -1 : 1));
}

/** `step - 1` zeros between neighbours along `axis`. */
export function dilate(x: Node, axis: number, step: number): Node {
  const split = [...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)];
  const zeros = split.map(() => 0);
  const padded = pad(reshape(x, split), zeros, zeros.map((_, i) => i === axis + 1 ? step - 1 : 0));
  const merged = x.shape.map((n, i) => i === axis ? n * step : n);
  const wide = reshape(padded, merged);
  return slice(wide, merged.map(() => 0), merged.map((n, i) => i === axis ? n - step + 1 : n));
}

/** `x` with axes of size 1 where `axes` says, for a result that dropped them. */
export function keepAxes(x: Node, full: Shape, axes: readonly number[]): Node {
  return reshape(x, full.map((n, i) => axes.includes(i) ? 1 : n));
}

/** u8 is for storage only: what is computed from it is i32. */
function number(x: Node): Node {
  return x.dtype === "u8" ? cast(x, "i32") : x;
}

function computed(x: Node): Dtype {
  return x.dtype === "u8" ? "i32" : x.dtype;
}

/** `node`, a view with all of `x`'s elements, or with `part` some of them. */
function withBounds(node: Node, x: Node, part = false): Node {
  node.bounds = x.bounds;
  node.tight = x.tight && !part;
  return node;
}
