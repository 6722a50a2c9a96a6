/**
 * Reductions over axes. The result drops them.
 *
 * @module
 */
import { ShapeError } from "../base/errors.ts";
import { fmtShape, sizeOf } from "../base/shape.ts";
import type { ReduceKind } from "../device/contract.ts";
import { valueType } from "../base/dtype.ts";
import { add, cast, div, eq, mul, where } from "./elementwise.ts";
import { constant, coord } from "./leaves.ts";
import { Node } from "./node.ts";
import { defineOp } from "./registry.ts";
import { expand, keepAxes } from "./views.ts";

/** The kinds, in the order of their numbers in `attr[0]`; the other entries of `attr` are the axes, ascending. */
export const REDUCE_KINDS: readonly ReduceKind[] = ["sum", "prod", "max", "min", "argmax", "argmin"];

/** A fold over some axes. */
export const REDUCE = defineOp({
  name: "reduce",
  kind: "reduce",
  cost: 100,
  vjp: (dy, node) => {
    const x = node.inputs[0];
    const axes = node.attr.slice(1);
    const back = (g: Node) => expand(keepAxes(g, x.shape, axes), x.shape);
    switch (REDUCE_KINDS[node.attr[0]]) {
      case "sum":
        return [back(dy)];
      case "prod": { // dx = dy times the product of the others: y / x, but for zeros
        const isZero = eq(x, constant(0)), others = where(isZero, constant(1), x);
        const product = back(reduce("prod", others, axes)), zeros = back(reduce("sum", cast(isZero, "f32"), axes));
        const alone = where(isZero, product, constant(0)); // where it is the only zero
        const without = where(
          eq(zeros, constant(0)),
          div(product, others),
          where(eq(zeros, constant(1)), alone, constant(0)),
        );
        return [mul(back(dy), without)];
      }
      case "max":
      case "min": { // ties share the gradient evenly
        const hit = cast(eq(x, keepAxes(node, x.shape, axes)), "f32");
        const share = div(dy, reduce("sum", hit, axes));
        return [mul(back(share), hit)];
      }
      default:
        return [null];
    }
  },
});

/** A maximum whose gradient goes to the first of equal elements; `attr` as for {@link REDUCE}. */
export const REDUCE_FIRST = defineOp({
  name: "reduceFirst",
  kind: "reduce",
  cost: 100,
  vjp: (dy, node) => {
    const x = node.inputs[0];
    const axes = node.attr.slice(1);
    const first = reduce(REDUCE_KINDS[node.attr[0]] === "max" ? "argmax" : "argmin", x, axes);
    let place: Node | null = null; // of an element among those that were folded, row-major
    for (const axis of axes) {
      const along = coord(x.shape.map((n, i) => i === axis ? n : 1), axis);
      place = place === null ? along : add(mul(place, constant(x.shape[axis], "i32")), along);
    }
    const back = (g: Node) => expand(keepAxes(g, x.shape, axes), x.shape);
    return [where(eq(place!, back(first)), back(dy), constant(0))];
  },
});

/** The largest or smallest element over `axes` (at least one) of f32 `x`; its gradient goes to the first of equal ones. */
export function reduceFirst(kind: "max" | "min", x: Node, axes: readonly number[]): Node {
  const shape = x.shape.filter((_, i) => !axes.includes(i));
  return new Node(REDUCE_FIRST, [x], shape, x.dtype, [REDUCE_KINDS.indexOf(kind), ...axes]);
}

const EMPTY: Partial<Record<ReduceKind, number>> = { sum: 0, prod: 1 };

/** Folds `x` over `axes` (ascending, each in range). Sums of integers stay integers. */
export function reduce(kind: ReduceKind, x: Node, axes: readonly number[]): Node {
  if (x.dtype === "u8") x = cast(x, "i32");
  if (x.dtype === "f16" && (kind === "sum" || kind === "prod")) x = cast(x, "f32"); // what is summed up leaves the range of f16
  const shape = x.shape.filter((_, i) => !axes.includes(i));
  const dtype = kind === "argmax" || kind === "argmin" ? "i32" : x.dtype;
  if (axes.length === 0 && dtype === x.dtype) return x;
  if (sizeOf(x.shape) === 0 && axes.some((a) => x.shape[a] === 0)) {
    const identity = EMPTY[kind];
    if (identity === undefined) {
      throw new ShapeError(`Cannot take the ${kind} of ${fmtShape(x.shape)}: there is no element along axis ${axes}`);
    }
    return expand(constant(identity, valueType(dtype)), shape);
  }
  return new Node(REDUCE, [x], shape, dtype, [REDUCE_KINDS.indexOf(kind), ...axes]);
}
