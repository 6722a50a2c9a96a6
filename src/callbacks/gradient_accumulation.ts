/**
 * Large batches in small pieces.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { shown } from "../base/options.ts";
import type { SavedState, StateDict } from "../io/state_dict.ts";
import { batchSize, Callback, CancelBatch, CancelStep, ORDER } from "../train/mod.ts";

/**
 * Adds up gradients until `nAcc` items were seen, then steps: the same step as with one batch of these items. Where the
 * batch size does not divide `nAcc`, a step has the items of the batch that reached it, and is the mean over all of them.
 * Items left over at the end of an epoch count for the next one's first step; those left over at the end of the fit get a
 * step of their own. Schedules advance with every small batch.
 *
 * A batch counts by its number of items, as losses with reduction "mean" do; losses with reduction "sum" are added up as
 * they are. fastai divides by `nAcc` whatever the number of items was, and leaves the last ones out.
 */
export class GradientAccumulation extends Callback {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.gradientAccumulation;
  /** False: validation batches are left alone. */
  override runValid: boolean = false;
  /** Items of a step. */
  readonly nAcc: number;
  /** Items that no step has used yet. */
  #count = 0;
  /** Whether the step under way is that of the items left over, without a batch. */
  #rest = false;
  /** Whether gradients are means over the items of a batch. */
  #means = true;

  /**
   * Makes a GradientAccumulation.
   *
   * @param nAcc Items (not batches) of a step; 32 by default.
   */
  constructor(nAcc: number = 32) {
    super();
    if (typeof nAcc !== "number" || !(nAcc > 0)) {
      throw new ConfigError(
        `Cannot make GradientAccumulation with ${shown(nAcc)}: it takes the items of a step, a number above 0, as in ` +
          "new GradientAccumulation(64)",
      );
    }
    this.nAcc = nAcc;
  }

  /** See `Callback.beforeFit`. */
  override beforeFit(): void {
    const { learn } = this;
    const { lossFunc } = learn;
    this.#count = 0;
    this.#means = typeof lossFunc === "function" || lossFunc.reduction !== "sum";
    // gradients of a fit that was cut short are no part of the next one's
    learn.defer(() => {
      if (this.#count > 0) learn.opt.zeroGrad();
      this.#count = 0;
    });
  }

  /** See `Callback.settings`. */
  override settings(): Readonly<Record<string, unknown>> {
    return { nAcc: this.nAcc };
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
    if (learn.hasLoss && this.#means) learn.lossGrad = learn.lossGrad.mul(batchSize(learn) / this.nAcc);
  }

  /** See `Callback.beforeStep`. */
  override beforeStep(): void {
    const { learn } = this;
    const { epoch, nEpoch, iter, nIter } = learn;
    if (!this.#rest) this.#count += batchSize(learn);
    const last = this.#rest || epoch === nEpoch - 1 && iter === nIter - 1;
    if (this.#count < this.nAcc && !last) throw new CancelBatch("gradients are being accumulated");
    if (this.#means && this.#count !== this.nAcc) learn.opt.scaleGrads(this.nAcc / this.#count);
    this.#count = 0;
  }

  /** See `Callback.afterTrain`: a last epoch that was cut short has no last batch that would step. */
  override async afterTrain(): Promise<void> {
    const { learn } = this;
    if (this.#count === 0 || learn.epoch < learn.nEpoch - 1) return;
    const all = learn.cbs.filter((cb) => cb instanceof GradientAccumulation);
    for (const cb of all) cb.#rest = true;
    try {
      await learn.fire("beforeStep");
      learn.opt.step();
      await learn.fire("afterStep");
      learn.opt.zeroGrad();
    } catch (thrown) {
      if (!(thrown instanceof CancelStep)) throw thrown;
    } finally {
      for (const cb of all) cb.#rest = false;
    }
  }
}
