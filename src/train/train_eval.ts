/**
 * The callback that keeps count and switches the model between training and evaluation.
 *
 * @module
 */
import { Callback } from "./callback.ts";
import { ORDER } from "./order.ts";

/** Sets `training`, `trainIter` and `pctTrain`, and the model's mode. Every learner has one. */
export class TrainEval extends Callback {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.trainEval;

  /** See `Callback.beforeFit`. */
  override beforeFit(): void {
    const { learn } = this;
    learn.epoch = learn.trainIter = learn.pctTrain = 0;
  }

  /** See `Callback.beforeTrain`. */
  override beforeTrain(): void {
    const { learn } = this;
    learn.pctTrain = learn.epoch / learn.nEpoch;
    learn.model.train();
    learn.training = true;
  }

  /** See `Callback.beforeValidate`. */
  override beforeValidate(): void {
    const { learn } = this;
    learn.model.eval();
    learn.training = false;
  }

  /** See `Callback.afterBatch`. */
  override afterBatch(): void {
    const { learn } = this;
    if (!learn.training) return;
    // one division of whole numbers: adding 1 / n each time would drift
    learn.pctTrain = (learn.epoch * learn.nIter + learn.iter + 1) / (learn.nIter * learn.nEpoch);
    learn.trainIter++;
  }
}
