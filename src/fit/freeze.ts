/**
 * Choosing which groups train.
 *
 * @module
 */
import type { TrainLoop } from "../train/mod.ts";

/**
 * Trains groups `n` and later only; negative numbers count from the end. Norm layers of the others train on unless the
 * learner has `trainBn: false`. Momenta and step counts are cleared.
 */
export function freezeTo(learn: TrainLoop, n: number): void {
  learn.opt.freezeTo(n);
  learn.opt.clearState();
}

/** Trains the last group only. */
export function freeze(learn: TrainLoop): void {
  freezeTo(learn, -1);
}

/** Trains every group. */
export function unfreeze(learn: TrainLoop): void {
  freezeTo(learn, 0);
}
