/**
 * Predictions, targets and losses in the unit of the data, where the model works on scaled targets.
 *
 * @module
 */
import type { TargetScale } from "../data/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { LossFunc } from "./loss_func.ts";

/** What a learner says about the unit of its targets. */
export interface TargetUnit {
  /** Its data; absent where a metric is given a batch by hand. */
  readonly dls?: { readonly targetScale: TargetScale | undefined };
  /** Its loss. */
  readonly lossFunc: LossFunc;
}

/** Predictions or targets of batches in the unit of the data: `t * std + mean`; `t` itself where nothing was scaled. */
export function inDataUnit({ dls }: TargetUnit, t: Tensor): Tensor {
  const targetScale = dls?.targetScale;
  return targetScale === undefined ? t : t.mul(targetScale.std).add(targetScale.mean);
}

/**
 * What a loss of scaled targets is multiplied by to be one in the unit of the data, where its `unitPower` says how: a mean
 * squared error by `std ** 2`. 1 where nothing was scaled, or the loss does not say.
 */
export function lossFactor({ dls, lossFunc }: TargetUnit): number {
  const targetScale = dls?.targetScale;
  if (targetScale === undefined) return 1;
  return targetScale.std ** (lossFunc.unitPower ?? 0);
}

/** A loss in the unit of the data. */
export function lossInDataUnit(learn: TargetUnit, loss: Tensor): Tensor {
  const factor = lossFactor(learn);
  return factor === 1 ? loss : loss.mul(factor);
}
