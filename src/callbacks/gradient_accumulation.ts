/**
 * Large batches in small pieces.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import type { SavedState, StateDict } from "../io/state_dict.ts";
import { batchSize, Callback, CancelBatch, ORDER } from "../train/mod.ts";

/**
 * Adds up gradients until `nAcc` items were seen, then steps: the same step as with batches of `nAcc` items. Schedules
 * advance with every small batch; items left over at the end of an epoch count for the next one.
 */
export class GradientAccumulation extends Callback {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.gradientAccumulation;
  /** False: validation batches are left alone. */
  override runValid: boolean = false;
  /** Items of a step. */
  readonly nAcc: number;
  #count = 0;

  /**
   * Makes a GradientAccumulation.
   *
   * @param nAcc Items (not batches) of a step; 32 by default.
   */
  constructor(nAcc: number = 32) {
    super();
    if (!(nAcc > 0)) throw new ConfigError(`Cannot accumulate ${nAcc} items: the number must be above 0`);
    this.nAcc = nAcc;
  }

  /** See `Callback.beforeFit`. */
  override beforeFit(): void {
    this.#count = 0;
  }

  /** Items that no step has used yet. */
  override stateDict(): StateDict {
    return { count: this.#count };
  }

  /** See `Callback.loadStateDict`. */
  override loadStateDict(state: SavedState): void {
    this.#count = state.count("count");
  }

  /** See `Callback.afterLoss`. */
  override afterLoss(): void {
    const { learn } = this;
    if (learn.hasLoss) learn.lossGrad = learn.lossGrad.mul(batchSize(learn) / this.nAcc);
  }

  /** See `Callback.beforeStep`. */
  override beforeStep(): void {
    this.#count += batchSize(this.learn);
    if (this.#count < this.nAcc) throw new CancelBatch("gradients are being accumulated");
    this.#count = 0;
  }
}
