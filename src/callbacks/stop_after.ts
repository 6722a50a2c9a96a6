/**
 * Budgets of time.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, num } from "../base/options.ts";
import { Callback } from "../train/mod.ts";

/** Options of {@link StopAfter}. */
export interface StopAfterOptions {
  /** Seconds of training and validation, above 0. */
  readonly seconds: number;
}

/**
 * Interrupts a fit that takes longer than its budget, after the batch in which that is over: it rejects with an
 * `InterruptedError` whose `reason` is `"budget"`, saved by its `Checkpoint`, and goes on with `resume: true`, with the whole
 * budget again. Fits that share one StopAfter share its budget, `fineTune`'s parts too: it is counted from the start of the
 * first.
 *
 * @example
 * ```ts ignore
 * const cbs = [new Checkpoint({ dir: "run1" }), new StopAfter({ seconds: 3600 })];
 * await learn.fitOneCycle(50, { cbs, resume: true });
 * ```
 */
export class StopAfter extends Callback {
  /** Seconds that fits may take. */
  readonly seconds: number;
  #began: number | null = null;

  /**
   * Makes a StopAfter.
   *
   * @param options See {@link StopAfterOptions}.
   */
  constructor(options: StopAfterOptions) {
    super();
    const { seconds } = checkOptions("make StopAfter", options, { seconds: num });
    if (!(seconds > 0)) throw new ConfigError(`Cannot stop after ${seconds} seconds: it must be a number above 0`);
    this.seconds = seconds;
  }

  /** See `Callback.beforeFit`. */
  override beforeFit(): void {
    this.#began ??= this.learn.clock();
  }

  /** See `Callback.beforeEpoch`. */
  override beforeEpoch(): void {
    this.#look();
  }

  /** See `Callback.afterBatch`. */
  override afterBatch(): void {
    this.#look();
  }

  #look(): void {
    if (this.#began === null || this.learn.clock() - this.#began < this.seconds * 1000) return;
    if (this.learn.interrupt("budget")) this.#began = null; // whatever comes next has a budget of its own
  }
}
