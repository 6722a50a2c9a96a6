/**
 * Normalisation whose gradient is computed in one pass for its sums and one for its elements.
 *
 * @module
 */
import { mul, sub } from "./elementwise.ts";
import { constant } from "./leaves.ts";
import { Node } from "./node.ts";
import { reduce } from "./reduce.ts";
import { defineOp } from "./registry.ts";
import { reshape } from "./views.ts";

/** The first input; `attr` are the axes that were normalised over, ascending. */
const NORMALISED = defineOp({
  name: "normalised",
  kind: "elementwise",
  cost: 0,
  emit: (_e, [y]) => y,
  // dx = (dy - mean(dy) - y mean(dy y)) / deviation: both means are of one pass, which differentiating the forward
  // expression would not give
  vjp: (dy, node) => {
    const [, x, factor] = node.inputs;
    const axes = node.attr;
    const wide = x.shape.map((n, i) => axes.includes(i) ? 1 : n);
    const each = constant(1 / axes.reduce((n, i) => n * x.shape[i], 1));
    const mean = (v: Node) => reshape(mul(reduce("sum", v, axes), each), wide);
    return [null, mul(factor, sub(sub(dy, mean(dy)), mul(node, mean(mul(dy, node))))), null];
  },
});

/**
 * `y`, which is `x` brought to mean 0 and deviation 1 over `axes`, with the gradient of that.
 *
 * @param factor One over the deviation, of the same rank with size 1 along `axes`.
 */
export function normalised(y: Node, x: Node, factor: Node, axes: readonly number[]): Node {
  return new Node(NORMALISED, [y, x, factor], y.shape, "f32", [...axes]);
}
