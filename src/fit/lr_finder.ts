/**
 * The learning-rate finder's probe.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, either, flag, num, nums, type OptionTable } from "../base/options.ts";
import { SchedExp } from "../schedule/mod.ts";
import { CancelFit, CancelValid } from "../train/mod.ts";
import { ParamScheduler } from "./param_scheduler.ts";
import { takeSnapshot } from "./snapshot.ts";

/** Options of {@link LrFinder}. */
export interface LrFinderOptions {
  /** First learning rate, or one a group; 1e-7 by default. */
  readonly startLr?: number | readonly number[];
  /** Learning rate that the last step comes close to, or one a group; 10 by default. */
  readonly endLr?: number | readonly number[];
  /** Steps, at least 6; 100 by default. */
  readonly numIt?: number;
  /** Whether to stop once the smoothed loss is four times its best; true by default. */
  readonly stopDiv?: boolean;
}

/** What the options of the finder may be. */
export const LR_FINDER: OptionTable<LrFinderOptions> = {
  startLr: either(num, nums),
  endLr: either(num, nums),
  numIt: num,
  stopDiv: flag,
};

const MIN_IT = 6;

/**
 * Trains with a learning rate that grows from step to step: `startLr (endLr / startLr)^(k / numIt)` at step k. No
 * validation. Changes what training changes; {@link LrFinder} puts it back.
 *
 * Stops early once the smoothed loss is above 4 times the best (or, where losses are not positive, above the best by 3
 * times its size or the fall so far), and once it is no number any more.
 */
export class LrProbe extends ParamScheduler {
  readonly #numIt: number;
  readonly #stopDiv: boolean;
  #best = Infinity;
  #first = NaN;

  /**
   * Makes a LrProbe.
   *
   * @param options See {@link LrFinderOptions}.
   */
  constructor(options: LrFinderOptions = {}) {
    checkOptions(`make ${new.target.name}`, options, LR_FINDER);
    const { startLr = 1e-7, endLr = 10, numIt = 100, stopDiv = true } = options;
    for (const lr of [startLr, endLr].flat()) {
      if (!(lr > 0 && lr < Infinity)) {
        throw new ConfigError(`Cannot look for a learning rate from ${startLr} to ${endLr}: both must be above 0`);
      }
    }
    const starts = [startLr].flat(), ends = [endLr].flat();
    if (starts.some((lr, i) => lr >= ends[ends.length === 1 ? 0 : i])) {
      throw new ConfigError(`Cannot look for a learning rate from ${startLr} to ${endLr}: startLr must be below endLr`);
    }
    if (!Number.isInteger(numIt)) throw new ConfigError(`Cannot probe in ${numIt} steps: the number must be whole`);
    super({ lr: SchedExp(startLr, endLr) });
    this.#numIt = Math.max(MIN_IT, numIt);
    this.#stopDiv = stopDiv;
  }

  /** See `Callback.beforeFit`. */
  override beforeFit(): void | Promise<void> {
    super.beforeFit();
    this.#best = Infinity;
    this.#first = NaN;
  }

  /** The probe's learning rates are no schedule of a fit: `recorder.hps` stays as it is. */
  protected override publish(): void {}

  /** Share of the probe that is done. */
  protected override get pos(): number {
    return this.learn.trainIter / this.#numIt;
  }

  /** See `Callback.afterBatch`. */
  override async afterBatch(): Promise<void> {
    const { learn } = this;
    await super.afterBatch();
    learn.flush();
    await learn.recorder.syncNow();
    const loss = learn.recorder.smoothLoss;
    if (Number.isNaN(this.#first)) this.#first = loss;
    if (Number.isNaN(loss)) throw new CancelFit("the loss is no number any more");
    if (loss < this.#best) this.#best = loss;
    if (this.#stopDiv && loss > this.#limit()) throw new CancelFit("the loss diverged");
    if (learn.trainIter >= this.#numIt) throw new CancelFit("the probe is done");
  }

  #limit(): number {
    if (this.#best > 0) return 4 * this.#best;
    return this.#best + 3 * Math.max(Math.abs(this.#best), this.#first - this.#best);
  }

  /** See `Callback.beforeValidate`. */
  override beforeValidate(): void {
    throw new CancelValid("a probe needs no validation");
  }
}

/**
 * A probe that, when the fit ends, puts everything back: weights, buffers, optimizer, random numbers, loader order.
 * `recorder.lrs` and `losses` of the fit are the curve.
 */
export class LrFinder extends LrProbe {
  /** See `Callback.beforeFit`. */
  override async beforeFit(): Promise<void> {
    await super.beforeFit();
    const snapshot = await takeSnapshot(this.learn);
    this.learn.defer(() => snapshot.restore());
  }
}
