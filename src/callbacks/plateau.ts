/**
 * Base of callbacks that act when a number no longer improves.
 *
 * @module
 */
import { checkOptions, type OptionTable, whole } from "../base/options.ts";
import type { SavedState, StateDict } from "../io/state_dict.ts";
import { TRACKER, Tracker, type TrackerOptions } from "./tracker.ts";

/** Options of {@link PlateauTracker}. */
export interface PlateauOptions extends TrackerOptions {
  /** Epochs in a row without improvement that make a plateau, at least 1; 1 by default. */
  readonly patience?: number;
}

/** What the options of a plateau tracker may be. */
export const PLATEAU: OptionTable<PlateauOptions> = { ...TRACKER, patience: whole(1) };

/** Counts epochs without a better value, and acts after `patience` of them in a row. */
export abstract class PlateauTracker extends Tracker {
  /** Epochs in a row without improvement that make a plateau. */
  readonly patience: number;
  #wait = 0;

  /**
   * Makes a PlateauTracker.
   *
   * @param options See {@link PlateauOptions}.
   */
  constructor(options: PlateauOptions = {}) {
    const { patience = 1, ...rest } = checkOptions(`make ${new.target.name}`, options, PLATEAU);
    super(rest);
    this.patience = patience;
  }

  /** What to do about `patience` epochs without improvement; the count starts anew. */
  protected abstract onPlateau(): void;

  /** See `Callback.beforeFit`. */
  override beforeFit(): void {
    this.#wait = 0;
    super.beforeFit();
  }

  /** See `Callback.settings`. */
  override settings(): Readonly<Record<string, unknown>> {
    return { ...super.settings(), patience: this.patience };
  }

  /** The best value so far, and how many epochs ago it was. */
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
    this.#wait = this.newBest ? 0 : this.#wait + 1;
    if (this.#wait < this.patience) return;
    this.#wait = 0;
    this.onPlateau();
  }
}
