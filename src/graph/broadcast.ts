/**
 * The way back from a broadcast shape.
 *
 * @module
 */
import { sameShape, type Shape, sizeOf } from "../base/shape.ts";
import type { Node } from "./node.ts";
import { reduce } from "./reduce.ts";
import { reshape } from "./views.ts";

/** Sums `g` over the axes that `shape` was broadcast along. */
export function sumTo(g: Node, shape: Shape): Node {
  if (sameShape(g.shape, shape)) return g;
  if (sizeOf(shape) === sizeOf(g.shape)) return reshape(g, shape);
  const lead = g.shape.length - shape.length;
  const axes: number[] = [];
  for (let i = 0; i < g.shape.length; i++) {
    if (i < lead || (shape[i - lead] === 1 && g.shape[i] !== 1)) axes.push(i);
  }
  return reshape(reduce("sum", g, axes), shape);
}
