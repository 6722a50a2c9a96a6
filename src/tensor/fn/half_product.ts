/**
 * The precision of products.
 *
 * @module
 */
import { isFloat } from "../../base/dtype.ts";
import { cast } from "../../graph/elementwise.ts";
import type { Node } from "../../graph/node.ts";
import { mode } from "../mode.ts";

/**
 * A product of `operands`, whatever it is: `multiply` gets them in f32, which for f16 costs kernels nothing, and sums in f32. Of
 * operands that all are f16 the result is, too; inside `autocast` all are.
 */
export function halfProduct(operands: readonly Node[], multiply: (...operands: Node[]) => Node): Node {
  const own = mode.half ? operands.map((x) => isFloat(x.dtype) ? cast(x, "f16") : x) : operands;
  const y = multiply(...own.map((x) => cast(x, "f32")));
  return own.every(({ dtype }) => dtype === "f16") ? cast(y, "f16") : y;
}
