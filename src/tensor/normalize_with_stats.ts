/**
 * Mean 0 and deviation 1.
 *
 * @module
 */
import { normalized } from "../graph/normalized.ts";
import { batchMoments } from "./fn/internal.ts";
import { Tensor } from "./tensor.ts";

/** What {@link normalizeWithStats} gives; means and variances keep the axes with size 1 and are constants for gradients. */
export interface NormalizedWithStats {
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
export function normalizeWithStats(x: Tensor, axes: readonly number[], eps: number): NormalizedWithStats {
  if (x.dtype === "f16") x = x.float(); // squares leave its range
  const { near, above, variance } = batchMoments(x, axes);
  const factor = variance.add(eps).rsqrt();
  const y = x.sub(near).sub(above).mul(factor);
  return { y: new Tensor(normalized(y.node, x.node, factor.node, axes)), mean: near.add(above), variance };
}
