/**
 * Looking elements up by index, and adding them up where an index says.
 *
 * An index that is out of range is an error where the host knows the indices: those that came from it, also after views and
 * look-ups. Where only the device knows them, the result says so: NaN for f32, the lowest i32 and the highest u32, which no
 * later look-up takes for an index, and false.
 *
 * @module
 */
import { DtypeError, ShapeError } from "../../base/errors.ts";
import { fmtShape, normalizeAxis } from "../../base/shape.ts";
import { add, and, cast, eq, ge, lt, not, where } from "../../graph/elementwise.ts";
import { allBelow } from "../../graph/known.ts";
import { coord, scalar } from "../../graph/leaves.ts";
import type { Node } from "../../graph/node.ts";
import { gather as look, scatterAdd as scatter } from "../../graph/products.ts";
import { reduce } from "../../graph/reduce.ts";
import { pad, reshape, slice } from "../../graph/views.ts";
import { type Dtype, valueType } from "../../base/dtype.ts";

/** Rows of `x` along `axis`, as `index` (`[n]`) says. */
export function indexSelect(x: Node, index: Node, axis: number): Node {
  const rank = x.shape.length;
  const a = normalizeAxis(axis, rank, "select");
  if (index.shape.length !== 1) {
    throw new ShapeError(`Cannot select by indices of shape ${fmtShape(index.shape)}: they must have one axis`);
  }
  const sure = checkIndex(index, x.shape[a], "select");
  const n = index.shape[0];
  const rows = reshape(index, x.shape.map((_, i) => i === a ? n : 1));
  const y = look(x, rows, a, x.shape.map((m, i) => i === a ? n : m));
  return sure ? y : marked(y, rows, x.shape[a]);
}

/** `y[i, j] = x[index[i, j], j]` for axis 0 of two, and so on; the result has the shape of `index`. */
export function gather(x: Node, index: Node, axis: number): Node {
  const a = normalizeAxis(axis, x.shape.length, "gather");
  checkSpan(x, index, a, "gather");
  const sure = checkIndex(index, x.shape[a], "gather");
  const y = look(x, index, a, index.shape);
  return sure ? y : marked(y, index, x.shape[a]);
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
  const sure = checkIndex(index, x.shape[a], "scatter");
  const used = slice(cast(src, "f32"), index.shape.map(() => 0), index.shape);
  const sums = scatter(used, index, a, x.shape[a]);
  const after = x.shape.map((n, i) => n - sums.shape[i]), zeros = index.shape.map(() => 0);
  const y = add(x, pad(sums, zeros, after));
  if (sure) return y;
  // what has no place spoils the line along the axis that it would have gone to
  const wrong = cast(not(inRange(index, x.shape[a])), "i32");
  const lines = reshape(reduce("sum", wrong, [a]), index.shape.map((n, i) => i === a ? 1 : n));
  return where(eq(pad(lines, zeros, after.map((n, i) => i === a ? 0 : n)), scalar(0, "i32")), y, scalar(NaN));
}

/** 1 where the new last axis counts the index, 0 elsewhere. */
export function oneHot(index: Node, classes: number, dtype: Dtype): Node {
  if (!Number.isInteger(classes) || classes < 1) {
    throw new ShapeError(`Cannot encode ${classes} classes: their number is a whole number from 1`);
  }
  const sure = checkIndex(index, classes, "encode");
  const wide = reshape(index.dtype === "u8" ? cast(index, "i32") : index, [...index.shape, 1]);
  const y = cast(eq(wide, coord([classes], 0)), dtype);
  return sure ? y : marked(y, wide, classes);
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

/** What stands for an element that an index out of range asks for. */
const NO_ELEMENT: Record<Dtype, number> = { f32: NaN, i32: -(2 ** 31), u32: 2 ** 32 - 1, bool: 0, u8: 0, f16: NaN };

/** `y` where `index` is in range, and what says that there is no such element elsewhere. */
function marked(y: Node, index: Node, size: number): Node {
  const { dtype } = y;
  if (dtype === "bool" || dtype === "u8") return y; // false already
  return where(inRange(index, size), y, scalar(NO_ELEMENT[dtype], valueType(dtype)));
}

function inRange(index: Node, size: number): Node {
  const i = index.dtype === "u8" ? cast(index, "i32") : index;
  if (i.dtype === "u32") return lt(i, scalar(size, "u32"));
  return and(ge(i, scalar(0, "i32")), lt(i, scalar(size, "i32")));
}

/** Refuses what is no index, or known on the host to be out of range; false where only the device can tell. */
function checkIndex(index: Node, size: number, what: string): boolean {
  if (index.dtype === "f32" || index.dtype === "bool") {
    throw new DtypeError(`Cannot ${what} by ${index.dtype} indices: they must be i32, u32 or u8, use cast("i32")`);
  }
  const known = allBelow(index, size);
  if (known !== null && known !== true) {
    throw new ShapeError(`Cannot ${what} element ${known.bad} of ${size}: indices go from 0 to ${size - 1}`);
  }
  return known === true;
}
