/**
 * The largest elements.
 *
 * @module
 */
import { isFloat } from "../../base/dtype.ts";
import { ShapeError } from "../../base/errors.ts";
import { normalizeAxis } from "../../base/shape.ts";
import { and, cast, eq, gt, lt, ne, or, where } from "../../graph/elementwise.ts";
import { constant, coord } from "../../graph/leaves.ts";
import type { Node } from "../../graph/node.ts";
import { gather } from "../../graph/products.ts";
import { reduce } from "../../graph/reduce.ts";
import { permute, reshape } from "../../graph/views.ts";
import { composite } from "./composite.ts";

/**
 * The `k` largest values along `axis`, largest first, and where they are (i32). Equal values come in order of their index,
 * NaN counts as largest. Gradients flow through the values. The work grows with the square of the axis.
 */
export function topk(x: Node, k: number, axis: number): { values: Node; indices: Node } {
  const rank = x.shape.length;
  const a = normalizeAxis(axis, rank, "find the largest");
  const n = x.shape[a];
  if (!Number.isInteger(k) || k < 0 || k > n) {
    throw new ShapeError(`Cannot find the ${k} largest of ${n} elements: k is a whole number from 0 to ${n}`);
  }
  const v = x.dtype === "bool" || x.dtype === "u8" ? cast(x, "i32") : x;
  const order = x.shape.map((_, i) => i === a ? rank - 1 : i === rank - 1 ? a : i); // its own inverse
  const moved = permute(v, order);
  const rows = n === 0 ? 0 : moved.size / n;
  const places = coord([n, 1], 0), others = coord([1, n], 1);
  const self = reshape(moved, [rows, n, 1]), other = reshape(moved, [rows, 1, n]);
  // the place of element i is the number of elements j that come before it
  const before = or(larger(other, self), and(same(other, self), lt(others, places)));
  const place = reduce("sum", cast(before, "i32"), [2]);
  // entry r is the i whose place is r
  const hit = eq(reshape(place, [rows, 1, n]), coord([k, 1], 0));
  const found = reduce("sum", where(hit, coord([1, n], 1), constant(0, "i32")), [2]);
  const shape = moved.shape.map((m, i) => i === rank - 1 ? k : m);
  const indices = composite(permute(reshape(found, shape), order), "topk", [v], { k, axis: a });
  indices.bounds = [0, Math.max(0, n - 1)];
  return { values: gather(v, indices, a, indices.shape), indices };
}

function larger(a: Node, b: Node): Node {
  if (!isFloat(a.dtype)) return gt(a, b);
  return or(gt(a, b), and(ne(a, a), eq(b, b)));
}

function same(a: Node, b: Node): Node {
  if (!isFloat(a.dtype)) return eq(a, b);
  return or(eq(a, b), and(ne(a, a), ne(b, b)));
}
