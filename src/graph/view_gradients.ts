/**
 * Derivatives of views that need sums and products, which are defined on top of views.
 *
 * @module
 */
import { sumTo } from "./broadcast.ts";
import { transposedMatmul } from "./products.ts";
import { deriveBy } from "./registry.ts";
import { EXPAND, PERMUTE, permute } from "./views.ts";

deriveBy(EXPAND, (dy, node) => [node.attr.length > 0 ? null : sumTo(dy, node.inputs[0].shape)]);

deriveBy(PERMUTE, (dy, node) => {
  const inverse = new Array<number>(node.attr.length);
  node.attr.forEach((axis, i) => inverse[axis] = i);
  return [transposedMatmul(dy, inverse) ?? permute(dy, inverse)];
});
