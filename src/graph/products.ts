/**
 * Operations that are kernels of their own: products, look-ups, scattered and segmented sums.
 *
 * @module
 */
import { ShapeError } from "../base/errors.ts";
import { broadcastShapes, fmtShape, type Shape, sizeOf } from "../base/shape.ts";
import { sumTo } from "./broadcast.ts";
import { add, cast, isSum } from "./elementwise.ts";
import { constant } from "./leaves.ts";
import { Node } from "./node.ts";
import { defineOp } from "./registry.ts";
import { expand, pad, RESHAPE, reshape, slice, transposeLast } from "./views.ts";

/** `[...batch, m, k]` by `[...batch, k, n]`; batch axes broadcast. */
export const MATMUL = defineOp({
  name: "matmul",
  kind: "opaque",
  cost: 1000,
  vjp: (dy, { inputs: [a, b] }) => [
    sumTo(matmul(dy, transposeLast(b)), a.shape), // dA = dC B^T
    sumTo(matmul(transposeLast(a), dy), b.shape), // dB = A^T dC
  ],
});

/**
 * A product turned round, `(A B)^T = B^T A^T`: the gradient of a weight that was used transposed comes out in the weight's
 * own layout. Null if `x` is no product, or `axes` is not an exchange of the last two.
 */
export function transposedMatmul(x: Node, axes: readonly number[]): Node | null {
  const r = axes.length;
  if (x.op !== MATMUL || x.storage !== null || axes[r - 1] !== r - 2 || axes[r - 2] !== r - 1) return null;
  for (let i = 0; i < r - 2; i++) if (axes[i] !== i) return null;
  const [a, b] = x.inputs;
  return matmul(transposeLast(b), transposeLast(a));
}

/** Product of matrices; both have at least two axes. Vectors are for the caller to reshape. */
export function matmul(a: Node, b: Node): Node {
  a = cast(a, "f32");
  b = cast(b, "f32");
  const [m, k] = a.shape.slice(-2);
  const [k2, n] = b.shape.slice(-2);
  if (k !== k2) {
    throw new ShapeError(
      `Cannot multiply ${fmtShape(a.shape)} by ${fmtShape(b.shape)}: the inner sizes must match, got ${k} and ${k2}`,
    );
  }
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), "multiply batches of matrices");
  const shape = [...batch, m, n];
  if (k === 0 || sizeOf(shape) === 0) return expand(constant(0), shape);
  // one matrix on the right: the batch is only more rows
  if (b.shape.length === 2 && a.shape.length > 2) {
    return reshape(matmul(reshape(a, [sizeOf(a.shape) / k, k]), b), shape);
  }
  return new Node(MATMUL, [a, b], shape, "f32");
}

/**
 * `y[..., c, ...] = x[..., index[..., c, ...], ...]` along axis `attr[0]`. The index broadcasts to the result's shape;
 * along the other axes the result may be smaller than `x`.
 */
export const GATHER = defineOp({
  name: "gather",
  kind: "gather",
  cost: 4,
  vjp: (dy, node) => {
    const { inputs: [x, index], attr: [axis], shape } = node;
    if (looksUpRows(node)) return [sumsOfRows(dy, index, x.shape[0]), null];
    const full = x.shape.map((n, i) => i === axis ? shape[axis] : n);
    const zeros = shape.map(() => 0);
    const after = shape.map((n, i) => full[i] - n);
    // where the result is smaller than x along other axes, the rest gets nothing: pads point nowhere
    const hole = after.some((n) => n > 0);
    const src = hole ? pad(dy, zeros, after) : dy;
    const where = hole ? pad(expand(index, shape), zeros, after) : index;
    return [scatterAdd(src, where, axis, x.shape[axis]), null];
  },
});

/** Looks up `x` along `axis` by `index` (i32, u32 or u8; broadcasts to `shape`). Entries out of range give NaN, or 0 for integers. */
export function gather(x: Node, index: Node, axis: number, shape: Shape): Node {
  const y = new Node(
    GATHER,
    [x, index.dtype === "bool" ? cast(index, "i32") : index],
    shape,
    x.dtype === "u8" ? "i32" : x.dtype,
    [axis],
  );
  y.bounds = x.bounds; // of some of its elements
  return y;
}

/** Adds entries of `src` up where `index` says, along axis `attr[0]`, into zeros. */
export const SCATTER_ADD = defineOp({
  name: "scatterAdd",
  kind: "opaque",
  cost: 1000,
  vjp: (dy, { inputs: [src, index], attr: [axis] }) => [gather(dy, index, axis, src.shape), null],
});

/** Zeros of `src`'s shape, but `size` along `axis`, plus each entry of `src` where `index` (broadcasting to `src`) says. */
export function scatterAdd(src: Node, index: Node, axis: number, size: number): Node {
  const shape = src.shape.map((n, i) => i === axis ? size : n);
  if (sizeOf(src.shape) === 0 || sizeOf(shape) === 0) return expand(constant(0), shape);
  return new Node(SCATTER_ADD, [cast(src, "f32"), expand(cast(index, "i32"), src.shape)], shape, "f32", [axis]);
}

/** Products are of a table, or of its rows' sums, if at least so many times its number of rows are looked up. */
export const FEW_ROWS = 2;

/** Whether a {@link GATHER} looks whole rows of a matrix up. */
export function looksUpRows({ inputs: [x, index], attr: [axis], shape }: Node): boolean {
  return axis === 0 && shape.length === 2 && shape[1] === x.shape[1] && index.shape.length === 2 &&
    index.shape[1] === 1;
}

/**
 * Sums of the rows of `dy` `[m, n]` that belong to each of `size` rows, as `index` `[m, 1]` says. Where there are few sums, those of a
 * product are of its left operand, which are multiplied then.
 */
export function sumsOfRows(dy: Node, index: Node, size: number): Node {
  const [m] = dy.shape, made = reshaped(dy);
  if (m >= FEW_ROWS * size) {
    if (isProduct(made, m)) return matmul(sumsOfRows(made.inputs[0], index, size), made.inputs[1]);
    if (isSum(made) && made.storage === null) {
      const parts = made.inputs.map(reshaped);
      if (parts.every((x) => isProduct(x, m))) return parts.map((x) => sumsOfRows(x, index, size)).reduce(add);
    }
  }
  return scatterAdd(dy, index, 0, size);
}

/** What `x` is another shape of. */
export function reshaped(x: Node): Node {
  while (x.op === RESHAPE && x.storage === null) x = x.inputs[0];
  return x;
}

/** Whether `x` is a product of two matrices, with `m` rows. */
function isProduct({ op, storage, shape }: Node, m: number): boolean {
  return op === MATMUL && storage === null && shape.length === 2 && shape[0] === m;
}

/** Sums of the segments whose starts are `attr`. */
export const SEGMENT_SUM = defineOp({ name: "segmentSum", kind: "opaque", cost: 1000 });

/** Sum of each segment of `x` (f32 `[n]`); `starts` ascend from 0. */
export function segmentSum(x: Node, starts: readonly number[]): Node {
  return new Node(SEGMENT_SUM, [x], [starts.length], "f32", starts);
}

/** Tensors after each other along axis `attr[0]`. */
export const CAT = defineOp({
  name: "cat",
  kind: "opaque",
  cost: 1000,
  vjp: (dy, { inputs, attr: [axis] }) => {
    let start = 0;
    return inputs.map((x) => {
      const part = slice(dy, dy.shape.map((_, i) => i === axis ? start : 0), x.shape);
      start += x.shape[axis];
      return part;
    });
  },
});

/** Tensors of one type after each other along `axis`; shapes are equal but for it. */
export function cat(parts: readonly Node[], axis: number): Node {
  const some = parts.filter((p) => p.size > 0).map((p) => p.dtype === "u8" ? cast(p, "i32") : p);
  if (some.length === 1) return some[0];
  if (some.length === 0) {
    return reshape(
      parts[0],
      parts[0].shape.map((n, i) => i === axis ? parts.reduce((s, p) => s + p.shape[axis], 0) : n),
    );
  }
  const total = some.reduce((s, p) => s + p.shape[axis], 0);
  return new Node(CAT, some, some[0].shape.map((n, i) => i === axis ? total : n), some[0].dtype, [axis]);
}
