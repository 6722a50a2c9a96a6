/**
 * Products of vectors and matrices.
 *
 * @module
 */
import { ShapeError } from "../../base/errors.ts";
import { fmtShape } from "../../base/shape.ts";
import type { Node } from "../../graph/node.ts";
import { matmul as product } from "../../graph/products.ts";
import { productOfRows } from "../../graph/row_products.ts";
import { reshape } from "../../graph/views.ts";
import { composites } from "./composite.ts";
import { halfProduct } from "./half_product.ts";

/**
 * `[..., m, k]` by `[..., k, n]`, batch axes broadcasting. A vector on the left is a row, one on the right a column, and
 * the axis that this adds is dropped from the result.
 */
export function matmul(a: Node, b: Node): Node {
  const p = a.shape.length, q = b.shape.length;
  if (p >= 2 && q >= 2) return halfProduct([a, b], multiply);
  if (p === 0 || q === 0) {
    throw new ShapeError(
      `Cannot multiply ${fmtShape(a.shape)} by ${fmtShape(b.shape)} as matrices: a scalar is multiplied by mul()`,
    );
  }
  const k = a.shape[p - 1], k2 = b.shape[q === 1 ? 0 : q - 2];
  if (k !== k2) {
    throw new ShapeError(
      `Cannot multiply ${fmtShape(a.shape)} by ${fmtShape(b.shape)}: the inner sizes must match, got ${k} and ${k2}`,
    );
  }
  const y = halfProduct([p === 1 ? reshape(a, [1, k]) : a, q === 1 ? reshape(b, [k, 1]) : b], product);
  const shape = [...y.shape];
  if (q === 1) shape.splice(-1, 1);
  if (p === 1) shape.splice(q === 1 ? -1 : -2, 1);
  return reshape(y, shape);
}

/** What is traced shows the product as it was asked for, whatever the sizes. */
function multiply(a: Node, b: Node): Node {
  return (composites.found === null ? productOfRows(a, b) : null) ?? product(a, b);
}
