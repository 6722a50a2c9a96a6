/**
 * Keeps frozen batch norms as they are.
 *
 * @module
 */
import { BatchNorm } from "../nn/mod.ts";
import { Callback } from "../train/mod.ts";

/**
 * Puts batch norms whose weight is frozen in evaluation mode during training: their running statistics stay. For learners
 * with `trainBn: false`.
 */
export class BnFreeze extends Callback {
  /** See `Callback.settings`. */
  override settings(): Readonly<Record<string, unknown>> {
    return {};
  }

  /** See `Callback.beforeTrain`. */
  override beforeTrain(): void {
    for (const m of this.learn.model.modules()) {
      if (m instanceof BatchNorm && m.weight?.requiresGrad === false) m.eval();
    }
  }
}
