/**
 * Mean 0 and deviation 1.
 *
 * @module
 */
import { normalised } from "../graph/normalised.ts";
import { Tensor } from "./tensor.ts";

/** What {@link standardise} gives; means and variances keep the axes with size 1. */
export interface Standardised {
  /** `(x - mean) / sqrt(variance + eps)` */
  readonly y: Tensor;
  /** Mean over the axes. */
  readonly mean: Tensor;
  /** Biased variance over the axes. */
  readonly variance: Tensor;
}

/**
 * `x` with mean 0 and deviation 1 over `axes`: one pass over it for both sums, one for the result; the gradient likewise.
 * The sums are of distances from one element, which the deviation is about as large as, so that no digits are lost where
 * the mean is large.
 */
export function standardise(x: Tensor, axes: readonly number[], eps: number): Standardised {
  const options = { axis: [...axes], keepdim: true };
  const first = x.detach().slice(x.shape.map((_, i) => axes.includes(i) ? [0, 1] : null));
  const distance = x.sub(first);
  const shift = distance.mean(options);
  const variance = distance.square().mean(options).sub(shift.square()).clamp({ min: 0 });
  const factor = variance.add(eps).rsqrt();
  const y = distance.sub(shift).mul(factor);
  return { y: new Tensor(normalised(y.node, x.node, factor.node, axes)), mean: first.add(shift), variance };
}
