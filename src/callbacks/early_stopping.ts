/**
 * Stops when a number no longer improves.
 *
 * @module
 */
import { checkOptions } from "../base/options.ts";
import { CancelFit, ORDER, tell } from "../train/mod.ts";
import { PLATEAU, type PlateauOptions, PlateauTracker } from "./plateau.ts";

/** Options of {@link EarlyStopping}. */
export interface EarlyStoppingOptions extends PlateauOptions {
  /** Epochs in a row without improvement after which to stop; 1 by default. */
  readonly patience?: number;
}

/** Ends the fit after `patience` epochs in a row without a better value. */
export class EarlyStopping extends PlateauTracker {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.earlyStopping;

  /**
   * Makes an EarlyStopping.
   *
   * @param options See {@link EarlyStoppingOptions}.
   */
  constructor(options: EarlyStoppingOptions = {}) {
    super(checkOptions("make EarlyStopping", options, PLATEAU));
  }

  /** Ends the fit. */
  protected override onPlateau(): void {
    const { learn, patience } = this;
    tell(learn.logger, `No improvement since epoch ${learn.epoch - patience}: early stopping`);
    throw new CancelFit(`${this.monitor} did not improve for ${patience} epochs`);
  }
}
