/**
 * Ends a fit before a given epoch.
 *
 * @module
 */
import { Callback, CancelFit } from "../train/mod.ts";

/** Ends the fit before epoch `epoch`, counted from 0: for trying out how a run goes on after it was cut short. */
export class InterruptCallback extends Callback {
  /** First epoch that does not run. */
  readonly epoch: number;

  /**
   * Makes an InterruptCallback.
   *
   * @param epoch First epoch that does not run.
   */
  constructor(epoch: number) {
    super();
    this.epoch = epoch;
  }

  /** See `Callback.beforeEpoch`. */
  override beforeEpoch(): void {
    if (this.learn.epoch === this.epoch) throw new CancelFit(`interrupted before epoch ${this.epoch}`);
  }
}
