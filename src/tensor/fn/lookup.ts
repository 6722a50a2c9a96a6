/**
 * Looking elements up by index, and adding them up where an index says.
 *
 * @module
 */
import { DtypeError, ShapeError } from "../../base/errors.ts";
import { fmtShape, normalizeAxis } from "../../base/shape.ts";
import { add, cast } from "../../graph/elementwise.ts";
import { coord } from "../../graph/leaves.ts";
import { eq } from "../../graph/elementwise.ts";
import type { Node } from "../../graph/node.ts";
import { gather as look, scatterAdd as scatter } from "../../graph/products.ts";
import { pad, reshape, slice } from "../../graph/views.ts";
import type { Dtype } from "../../base/dtype.ts";

/** Rows of `x` along `axis`, as `index` (`[n]`) says. */
export function indexSelect(x: Node, index: Node, axis: number): Node {
  const rank = x.shape.length;
  const a = normalizeAxis(axis, rank, "select");
  if (index.shape.length !== 1) {
    throw new ShapeError(`Cannot select by indices of shape ${fmtShape(index.shape)}: they must have one axis`);
  }
  checkIndex(index, x.shape[a], "select");
  const n = index.shape[0];
  return look(x, reshape(index, x.shape.map((_, i) => i === a ? n : 1)), a, x.shape.map((m, i) => i === a ? n : m));
}

/** `y[i, j] = x[index[i, j], j]` for axis 0 of two, and so on; the result has the shape of `index`. */
export function gather(x: Node, index: Node, axis: number): Node {
  const a = normalizeAxis(axis, x.shape.length, "gather");
  checkSpan(x, index, a, "gather");
  checkIndex(index, x.shape[a], "gather");
  return look(x, index, a, index.shape);
}

/** `x` plus `src[i, j]` at `[index[i, j], j]` for axis 0 of two, and so on. */
export function scatterAdd(x: Node, index: Node, src: Node, axis: number): Node {
  const rank = x.shape.length;
  const a = normalizeAxis(axis, rank, "scatter");
  checkSpan(x, index, a, "scatter");
  if (src.shape.length !== rank || index.shape.some((n, i) => n > src.shape[i])) {
    throw new ShapeError(
      `Cannot scatter ${fmtShape(src.shape)} by indices of shape ${
        fmtShape(index.shape)
      }: every index needs an element`,
    );
  }
  checkIndex(index, x.shape[a], "scatter");
  const used = slice(cast(src, "f32"), index.shape.map(() => 0), index.shape);
  const sums = scatter(used, index, a, x.shape[a]);
  return add(x, pad(sums, index.shape.map(() => 0), x.shape.map((n, i) => n - sums.shape[i])));
}

/** 1 where the new last axis counts the index, 0 elsewhere. */
export function oneHot(index: Node, classes: number, dtype: Dtype): Node {
  if (!Number.isInteger(classes) || classes < 1) {
    throw new ShapeError(`Cannot encode ${classes} classes: their number is a whole number from 1`);
  }
  checkIndex(index, classes, "encode");
  const wide = reshape(index.dtype === "u8" ? cast(index, "i32") : index, [...index.shape, 1]);
  return cast(eq(wide, coord([classes], 0)), dtype);
}

function checkSpan(x: Node, index: Node, axis: number, what: string): void {
  const fits = index.shape.length === x.shape.length && index.shape.every((n, i) => i === axis || n <= x.shape[i]);
  if (!fits) {
    throw new ShapeError(
      `Cannot ${what} along axis ${axis} of ${fmtShape(x.shape)} by indices of shape ${fmtShape(index.shape)}: ` +
        "they must have as many axes and be no larger along the others",
    );
  }
}

/** Refuses what is no index, or known on the host to be out of range. */
export function checkIndex(index: Node, size: number, what: string): void {
  if (index.dtype === "f32" || index.dtype === "bool") {
    throw new DtypeError(`Cannot ${what} by ${index.dtype} indices: they must be i32, u32 or u8, use cast("i32")`);
  }
  const { range } = index;
  if (range !== null && index.size > 0 && (range[0] < 0 || range[1] >= size)) {
    const bad = range[0] < 0 ? range[0] : range[1];
    throw new ShapeError(`Cannot ${what} element ${bad} of ${size}: indices go from 0 to ${size - 1}`);
  }
}
