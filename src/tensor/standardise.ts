/**
 * Mean 0 and deviation 1.
 *
 * @module
 */
import { normalised } from "../graph/normalised.ts";
import { batchMoments } from "./fn/internal.ts";
import { Tensor } from "./tensor.ts";

/** What {@link standardise} gives; means and variances keep the axes with size 1 and are constants for gradients. */
export interface Standardised {
  /** `(x - mean) / sqrt(variance + eps)` */
  readonly y: Tensor;
  /** Mean over the axes. */
  readonly mean: Tensor;
  /** Biased variance over the axes. */
  readonly variance: Tensor;
}

/**
 * `x` with mean 0 and deviation 1 over `axes`: one pass over it for its moments, one for the result; the gradient likewise.
 */
export function standardise(x: Tensor, axes: readonly number[], eps: number): Standardised {
  const { near, above, variance } = batchMoments(x, axes);
  const factor = variance.add(eps).rsqrt();
  const y = x.sub(near).sub(above).mul(factor);
  return { y: new Tensor(normalised(y.node, x.node, factor.node, axes)), mean: near.add(above), variance };
}
