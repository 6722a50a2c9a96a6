/**
 * Stops when the loss is no number any more.
 *
 * @module
 */
import { readAll, readAllSync } from "../tensor/mod.ts";
import { Callback, CancelFit, ORDER } from "../train/mod.ts";

/**
 * Ends the fit when a batch's loss, in training or validation, is NaN or infinite, before the recorder takes it in. Reads
 * every batch's loss: that costs a wait for the device each time.
 */
export class TerminateOnNaN extends Callback {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.terminateOnNan;

  /** See `Callback.afterBatch`. */
  override async afterBatch(): Promise<void> {
    const { learn } = this;
    if (!learn.hasLoss) return;
    const [values] = readAllSync([learn.loss]) ?? await readAll([learn.loss]);
    for (const v of values) {
      if (!Number.isFinite(v)) throw new CancelFit(`the loss became ${v} in epoch ${learn.epoch}, batch ${learn.iter}`);
    }
  }
}
