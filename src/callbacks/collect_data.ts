/**
 * Keeps what went through a fit.
 *
 * @module
 */
import type { Tensor } from "../tensor/mod.ts";
import { Callback } from "../train/mod.ts";

/** One batch, as it was when it was done. */
export interface CollectedBatch {
  /** Whether it was a training batch. */
  readonly training: boolean;
  /** Inputs. */
  readonly xb: readonly Tensor[];
  /** Targets. */
  readonly yb: readonly Tensor[];
  /** Prediction. */
  readonly pred: Tensor;
  /** Null where the batch has no targets. */
  readonly loss: Tensor | null;
}

/** Keeps each batch's inputs, targets, predictions and loss. All of them stay in memory. */
export class CollectData extends Callback {
  /** The batches of the last fit. */
  readonly data: CollectedBatch[] = [];

  /** See `Callback.beforeFit`. */
  override beforeFit(): void {
    this.data.length = 0;
  }

  /** See `Callback.afterBatch`. */
  override afterBatch(): void {
    const { learn } = this;
    if (learn.batch.pred === null) return; // cancelled before the model ran
    this.data.push({
      training: learn.training,
      xb: learn.xb.map(held),
      yb: learn.yb.map(held),
      pred: held(learn.pred),
      loss: learn.hasLoss ? held(learn.loss) : null,
    });
  }
}

/** A copy that the learner does not know of and so does not dispose of. */
function held(t: Tensor): Tensor {
  return t.detach().keep();
}
