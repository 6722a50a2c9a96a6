/**
 * Looking rows up, for loaders; and what is known of indices before they are used.
 *
 * @module
 */
import { allBelow as nodeAllBelow } from "../graph/known.ts";
import { gather } from "../graph/products.ts";
import { reshape } from "../graph/views.ts";
import { Tensor } from "./tensor.ts";

/** Rows of `x` `[n, ...]` by `index` `[m]`, which is not checked: `[m, ...]`. */
export function takeRows({ node }: Tensor, index: Tensor): Tensor {
  const [m] = index.shape;
  const shape = [m, ...node.shape.slice(1)];
  const at = shape.length === 1 ? index.node : reshape(index.node, shape.map((_, i) => i === 0 ? m : 1));
  return new Tensor(gather(node, at, 0, shape));
}

/**
 * Whether all elements of whole numbers are in `[0, size)`, or `except`: true, or one that is not; null where only the
 * device can tell.
 */
export function allBelow(t: Tensor, size: number, except: number | null = null): true | { bad: number } | null {
  return nodeAllBelow(t.node, size, except);
}
