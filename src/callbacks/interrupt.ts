/**
 * Stops a fit before a given epoch.
 *
 * @module
 */
import { Callback } from "../train/mod.ts";

/**
 * Stops the fit before epoch `epoch`, counted from 0: for trying out how a run goes on after it was cut short. A `Checkpoint`
 * saves it as one that is not finished. The fit resolves, as in fastai; parts that come after it, as in `fineTune`, do not
 * run.
 */
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
    if (this.learn.epoch !== this.epoch) return;
    this.learn.interrupt(`before epoch ${this.epoch}`, { rejects: false, shared: true });
  }
}
