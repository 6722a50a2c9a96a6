/**
 * Stops when a number no longer improves.
 *
 * @module
 */
import { checkOptions, whole } from "../base/options.ts";
import type { SavedState, StateDict } from "../io/state_dict.ts";
import { CancelFit, ORDER, tell } from "../train/mod.ts";
import { TRACKER, Tracker, type TrackerOptions } from "./tracker.ts";

/** Options of {@link EarlyStopping}. */
export interface EarlyStoppingOptions extends TrackerOptions {
  /** Epochs without improvement after which to stop; 1 by default. */
  readonly patience?: number;
}

/** Ends the fit after `patience` epochs in a row without a better value. */
export class EarlyStopping extends Tracker {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.earlyStopping;
  /** Epochs without improvement that are put up with. */
  readonly patience: number;
  #wait = 0;

  /**
   * Makes an EarlyStopping.
   *
   * @param options See {@link EarlyStoppingOptions}.
   */
  constructor(options: EarlyStoppingOptions = {}) {
    const { patience = 1, ...rest } = checkOptions("make EarlyStopping", options, { ...TRACKER, patience: whole(1) });
    super(rest);
    this.patience = patience;
  }

  /** See `Callback.beforeFit`. */
  override beforeFit(): void {
    this.#wait = 0;
    super.beforeFit();
  }

  /** See `Callback.settings`. */
  override settings(): Readonly<Record<string, unknown>> {
    return { ...super.settings(), patience: this.patience };
  }

  /** The best value so far, and how long ago it was. */
  override stateDict(): StateDict {
    return { ...super.stateDict(), wait: this.#wait };
  }

  /** See `Callback.loadStateDict`. */
  override loadStateDict(state: SavedState): void {
    super.loadStateDict(state);
    this.#wait = state.count("wait");
  }

  /** See `Callback.afterEpoch`. */
  override afterEpoch(): void {
    super.afterEpoch();
    if (this.newBest) {
      this.#wait = 0;
      return;
    }
    this.#wait++;
    if (this.#wait < this.patience) return;
    const { learn } = this;
    tell(learn.logger, `No improvement since epoch ${learn.epoch - this.#wait}: early stopping`);
    throw new CancelFit(`${this.monitor} did not improve for ${this.#wait} epochs`);
  }
}
