/**
 * Normalization whose gradient is computed in one pass for its sums and one for its elements.
 *
 * @module
 */
import { mul, neg, square, sub } from "./elementwise.ts";
import { constant } from "./leaves.ts";
import { Node } from "./node.ts";
import { reduce } from "./reduce.ts";
import { defineOp } from "./registry.ts";
import { reshape } from "./views.ts";

/** Means over `axes`, which keep size 1. */
function mean(v: Node, axes: readonly number[]): Node {
  const each = constant(1 / axes.reduce((n, i) => n * v.shape[i], 1));
  return reshape(mul(reduce("sum", v, axes), each), v.shape.map((n, i) => axes.includes(i) ? 1 : n));
}

/** The first input; `attr` are the axes that were normalized over, ascending. */
const NORMALISED = defineOp({
  name: "normalized",
  kind: "elementwise",
  cost: 0,
  emit: (_e, [y]) => y,
  // dx = (dy - mean(dy) - y mean(dy y)) / deviation: both means are of one pass, which differentiating the forward
  // expression would not give
  vjp: (dy, node) => {
    const [, x, factor] = node.inputs;
    const axes = node.attr;
    const inner = sub(sub(dy, mean(dy, axes)), mul(node, mean(mul(dy, node), axes)));
    return [null, mul(inverseDeviation(factor, node, x, axes), inner), null];
  },
});

/** The first input; the others are the normalized values and what they were made of, `attr` the axes. */
const INVERSE_DEVIATION = defineOp({
  name: "inverseDeviation",
  kind: "elementwise",
  cost: 0,
  emit: (_e, [factor]) => factor,
  // f = (variance + eps)^(-1/2) for all elements alike: dx = -f^2 y mean(df)
  vjp: (df, { inputs: [factor, y], attr: axes }) => [null, null, neg(mul(mul(square(factor), y), mean(df, axes)))],
});

/**
 * `y`, which is `x` brought to mean 0 and deviation 1 over `axes`, with the gradient of that.
 *
 * @param factor One over the deviation, of the same rank with size 1 along `axes`.
 */
export function normalized(y: Node, x: Node, factor: Node, axes: readonly number[]): Node {
  return new Node(NORMALISED, [y, x, factor], y.shape, "f32", [...axes]);
}

/** `factor` for each element of `x`, with its gradient by `x`; for {@link normalized}'s own gradient. */
export function inverseDeviation(factor: Node, y: Node, x: Node, axes: readonly number[]): Node {
  return new Node(INVERSE_DEVIATION, [factor, y, x], x.shape, "f32", [...axes]);
}
