/**
 * Reverse-mode differentiation, source to source: it walks the graph backwards and builds more nodes.
 *
 * @module
 */
import { DtypeError, ShapeError } from "../base/errors.ts";
import { fmtShape, sameShape, sizeOf } from "../base/shape.ts";
import { sumTo } from "./broadcast.ts";
import { sumOfGradients } from "./gradient_sums.ts";
import { cast } from "./elementwise.ts";
import { constant } from "./leaves.ts";
import { type Node, topological, walkCount } from "./node.ts";
import "./view_gradients.ts";
import { expand } from "./views.ts";

/**
 * The gradient of `root` (f32, one element) with respect to each of `targets`; null where `root` does not depend on it.
 *
 * @param seed The gradient of `root` itself; 1 if left out.
 */
export function gradients(root: Node, targets: readonly Node[], seed?: Node): (Node | null)[] {
  if (root.dtype !== "f32") throw new DtypeError(`Cannot differentiate a ${root.dtype} tensor: only f32 has gradients`);
  if (seed === undefined && sizeOf(root.shape) !== 1) {
    throw new ShapeError(
      `Cannot differentiate a tensor of shape ${
        fmtShape(root.shape)
      }: reduce it to one number first, by mean() or sum()`,
    );
  }
  const order = topological([root]);
  for (let i = 0; i < order.length; i++) order[i].local = i;
  const wanted = new Uint8Array(order.length); // whether a target lies below
  const parts = new Array<Node[] | null>(order.length).fill(null); // of each node's gradient
  for (const t of targets) if (order[t.local] === t) wanted[t.local] = 1;
  for (let i = 0; i < order.length; i++) {
    const { inputs, op } = order[i];
    if (op.kind === "leaf") continue;
    for (let j = 0; j < inputs.length; j++) if (wanted[inputs[j].local] === 1) wanted[i] = 1;
  }
  const gradientOf = (i: number): Node | null => {
    const own = parts[i];
    if (own === null) return null;
    if (own.length > 1) parts[i] = [sumOfGradients(own)];
    return parts[i]![0];
  };
  parts[order.length - 1] = [seed ?? expand(constant(1), root.shape)];
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i];
    if (parts[i] === null || wanted[i] === 0 || node.op.vjp === undefined || node.inputs.length === 0) continue;
    const dy = gradientOf(i)!;
    const walk = walkCount();
    const found = node.op.vjp(dy, node);
    // a rule that computed something on its way has walked over these nodes
    if (walkCount() !== walk) { for (let j = 0; j < order.length; j++) order[j].local = j; }
    for (let j = 0; j < node.inputs.length; j++) {
      const input = node.inputs[j];
      const part = found[j];
      if (part === null || wanted[input.local] === 0) continue;
      let g = fit(part, input);
      if (g.dtype !== input.dtype) g = cast(g, input.dtype); // of f16 it is f16
      const before = parts[input.local];
      if (before === null) parts[input.local] = [g];
      else before.push(g);
    }
  }
  return targets.map((t) => order[t.local] === t ? gradientOf(t.local) : null);
}

/** A gradient of exactly the input's shape: summed over what was broadcast, repeated where the rule left it small. */
function fit(g: Node, input: Node): Node {
  if (sameShape(g.shape, input.shape)) return g;
  const small = sumTo(
    g.shape.length < input.shape.length || sizeOf(g.shape) < sizeOf(input.shape) ? expandable(g, input) : g,
    input.shape,
  );
  return small;
}

function expandable(g: Node, input: Node): Node {
  return expand(g, input.shape);
}
