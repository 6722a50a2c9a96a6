/**
 * Stops when the loss is no number any more.
 *
 * @module
 */
import { readAll, readAllSync } from "../tensor/mod.ts";
import { Callback, CancelFit, ORDER } from "../train/mod.ts";

/**
 * Ends the fit when a batch's loss, in training or validation, is NaN or infinite, before the recorder takes it in. A
 * line of the logger says where, and what in the data is the cause, if something is. Reads every batch's loss: that costs a
 * wait for the device each time.
 */
export class TerminateOnNaN extends Callback {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.terminateOnNan;

  /** See `Callback.afterBatch`. */
  override async afterBatch(): Promise<void> {
    const { learn } = this;
    if (!learn.hasLoss) return;
    const [values] = readAllSync([learn.loss]) ?? await readAll([learn.loss]);
    const odd = values.find((v) => !Number.isFinite(v));
    if (odd === undefined) return;
    const place = `epoch ${learn.epoch}, batch ${learn.iter}`, { train, valid } = learn.dls;
    if (learn.phase !== "probe") {
      const { tellOddLoss } = await import("../train/odd_indices.ts"); // code that training does without
      const what = learn.training ? "loss" : "validation loss";
      await tellOddLoss(learn, `The fit ends, the ${what} is ${odd} in ${place}`, learn.training ? train : valid);
    }
    throw new CancelFit(`the loss became ${odd} in ${place}`);
  }
}
