/**
 * Products of rows that were looked up in a table, such as embeddings of characters: where the table has fewer rows than are
 * looked up, it is multiplied instead, and rows of its product are looked up. Gradients of rows are added up before they are
 * multiplied.
 *
 * @module
 */
import { gt, where } from "./elementwise.ts";
import { constant } from "./leaves.ts";
import { Node } from "./node.ts";
import { FEW_ROWS, GATHER, gather, looksUpRows, MATMUL, matmul, reshaped, scatterAdd, sumsOfRows } from "./products.ts";
import { defineOp } from "./registry.ts";
import { expand, reshape, transposeLast } from "./views.ts";

/** The first input, rows of a table's product; the others are those of the table, what they are multiplied by, table and index. */
const ROW_PRODUCT = defineOp({
  name: "rowProduct",
  kind: "elementwise",
  cost: 0,
  operands: 1,
  emit: (_e, [y]) => y,
  vjp: (dy, { inputs: [, rows, b, table, index] }) => {
    const flat = reshape(dy, [index.shape[0], b.shape[1]]), sums = sumsOfRows(flat, index, table.shape[0]);
    return [
      null,
      reshape(matmul(flat, transposeLast(b)), rows.shape),
      matmul(transposeLast(usedRows(table, index)), sums),
      null,
      null,
    ];
  },
});

/** `a b` for looked up rows `a` `[..., m, k]` and a matrix `b`; null if `a` is something else, or the table is large. */
export function productOfRows(a: Node, b: Node): Node | null {
  const rows = reshaped(a);
  if (rows.op !== GATHER || rows.storage !== null || b.shape.length !== 2 || a.dtype !== "f32") return null;
  const { inputs: [table, index], shape: [m, k] } = rows;
  if (!looksUpRows(rows) || a.shape.at(-1) !== k || b.shape[0] !== k) return null;
  if (m < FEW_ROWS * table.shape[0]) return null;
  const product = matmul(table, b);
  if (product.op !== MATMUL) return null; // of no elements
  const n = b.shape[1], y = reshape(gather(product, index, 0, [m, n]), [...a.shape.slice(0, -1), n]);
  return new Node(ROW_PRODUCT, [y, a, b, table, index], y.shape, "f32");
}

/** The table with 0 in the rows that nobody looks up: their gradient is 0 even where an element of them is infinite. */
function usedRows(table: Node, index: Node): Node {
  const ones = expand(constant(1), index.shape), counts = scatterAdd(ones, index, 0, table.shape[0]);
  return where(gt(counts, constant(0)), table, constant(0));
}
