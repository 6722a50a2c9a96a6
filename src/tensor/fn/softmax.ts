/**
 * softmax and its logarithm.
 *
 * @module
 */
import { normalizeAxis } from "../../base/shape.ts";
import { cast, div, exp, log, sub } from "../../graph/elementwise.ts";
import type { Node } from "../../graph/node.ts";
import { reduce } from "../../graph/reduce.ts";
import { detach, keepAxes } from "../../graph/views.ts";
import { composite } from "./composite.ts";

/** Options of `softmax`, `logSoftmax` and `cumsum`. */
export interface AxisOptions {
  /** The axis along which the numbers belong together; the last one if left out. */
  readonly axis?: number;
}

/** exp(x - max) / sum(exp(x - max)) along `axis`. */
export function softmax(x: Node, { axis = -1 }: AxisOptions): Node {
  const axes = [normalizeAxis(axis, x.shape.length, "take the softmax")];
  if (x.size === 0) return cast(x, "f32");
  const f = cast(x, "f32"), e = exp(shifted(f, axes));
  return composite(div(e, keepAxes(reduce("sum", e, axes), x.shape, axes)), "softmax", [f], { axis: axes[0] });
}

/** z - log(sum(exp(z))) with z = x - max, along `axis`. */
export function logSoftmax(x: Node, { axis = -1 }: AxisOptions): Node {
  const axes = [normalizeAxis(axis, x.shape.length, "take the logarithm of the softmax")];
  if (x.size === 0) return cast(x, "f32");
  const f = cast(x, "f32"), z = shifted(f, axes);
  const y = sub(z, keepAxes(log(reduce("sum", exp(z), axes)), x.shape, axes));
  return composite(y, "logSoftmax", [f], { axis: axes[0] });
}

/** The result does not depend on the shift, so no gradient flows through it. */
function shifted(x: Node, axes: readonly number[]): Node {
  return sub(x, detach(keepAxes(reduce("max", x, axes), x.shape, axes)));
}
