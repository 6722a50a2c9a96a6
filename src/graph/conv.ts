/**
 * Convolutions. Each direction is one product over windows; the matrix of the windows is never stored.
 *
 * @module
 */
import { sizeOf } from "../base/shape.ts";
import { constant } from "./leaves.ts";
import { Node } from "./node.ts";
import { defineOp } from "./registry.ts";
import { expand, permute, slice } from "./views.ts";
import { interleave, phaseOf, windowAttr, type WindowSpec, windowSpec } from "./windows.ts";

/**
 * `x` `[batch, groups * cin, size...]` by a weight `[groups, cout, cin, taps...]` gives `[batch, groups * cout, places...]`;
 * `attr` is the window spec.
 */
export const CONV = defineOp({
  name: "conv",
  kind: "opaque",
  cost: 1000,
  vjp: (dy, { inputs: [x, w], attr }) => {
    const spec = windowSpec(attr);
    return [convInput(dy, w, spec, x.shape.slice(2)), convWeight(dy, x, spec, w.shape)];
  },
});

/**
 * Gradient of a convolution's weight: `dy` `[batch, groups * cout, places...]` and `x` give `[groups, cout, cin, taps...]`;
 * `attr` is the window spec.
 */
export const CONV_WEIGHT = defineOp({
  name: "convWeight",
  kind: "opaque",
  cost: 1000,
  vjp: (g, { inputs: [dy, x], attr }) => {
    const spec = windowSpec(attr);
    return [conv(x, g, spec, dy.shape.slice(2)), convInput(dy, g, spec, x.shape.slice(2))];
  },
});

/** The convolution of f32 `x` `[batch, groups * cin, size...]`, 1 or 2 sizes, by `w` `[groups, cout, cin, taps...]`. */
export function conv(x: Node, w: Node, spec: WindowSpec, places: readonly number[]): Node {
  const shape = [x.shape[0], w.shape[0] * w.shape[1], ...places];
  if (sizeOf(shape) === 0 || sizeOf(w.shape) === 0) return expand(constant(0), shape);
  return new Node(CONV, [x, w], shape, "f32", windowAttr(spec));
}

function convWeight(dy: Node, x: Node, spec: WindowSpec, shape: readonly number[]): Node {
  if (sizeOf(shape) === 0 || sizeOf(dy.shape) === 0) return expand(constant(0), shape);
  return new Node(CONV_WEIGHT, [dy, x], shape, "f32", windowAttr(spec));
}

/**
 * Gradient of a convolution's input, and the transposed convolution: `dy` `[batch, groups * cout, places...]` and the weight
 * `[groups, cout, cin, taps...]` give `[batch, groups * cin, size...]`. The elements between strides are convolutions of
 * their own, each by the taps that reach it: nothing is multiplied by zeros.
 */
export function convInput(dy: Node, w: Node, { stride, before, dilation }: WindowSpec, size: readonly number[]): Node {
  const [groups, , cin, ...taps] = w.shape;
  const turned = permute(w, [0, 2, 1, ...taps.map((_, i) => 3 + i)]);
  return interleave(stride, size, (residues, counts) => {
    const phases = taps.map((n, i) => phaseOf(residues[i], stride[i], before[i], dilation[i], n));
    if (phases.some((p) => p.count === 0)) return expand(constant(0), [dy.shape[0], groups * cin, ...counts]);
    const last = phases.map((p) => p.first + p.step * (p.count - 1));
    const picked = slice(
      turned,
      [0, 0, 0, ...last],
      [...turned.shape.slice(0, 3), ...phases.map((p) => p.count)],
      [1, 1, 1, ...phases.map((p) => -p.step)],
    );
    const spec = {
      stride: stride.map(() => 1),
      before: phases.map((p) => (p.count - 1) * p.slope - p.shift),
      dilation: phases.map((p) => p.slope),
    };
    return conv(dy, picked, spec, counts);
  });
}
