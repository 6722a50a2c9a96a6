/**
 * Epochs of a few batches.
 *
 * @module
 */
import { checkOptions, flag, num, other } from "../base/options.ts";
import { Callback, CancelTrain, CancelValid } from "../train/mod.ts";

/** Options of {@link ShortEpoch}. */
export interface ShortEpochOptions {
  /** Share of the batches to run; 0.01 by default. At least one batch runs. */
  readonly pct?: number;
  /** Whether validation is shortened too; true by default. */
  readonly shortValid?: boolean;
}

/** Runs a share of each epoch's batches: to see quickly whether a script works. */
export class ShortEpoch extends Callback {
  /** Share of the batches to run. */
  readonly pct: number;
  /** Whether validation is shortened too. */
  readonly shortValid: boolean;

  /**
   * Makes a ShortEpoch.
   *
   * @param options See {@link ShortEpochOptions}.
   */
  constructor(options: ShortEpochOptions = {}) {
    super();
    const { pct = 0.01, shortValid = true } = checkOptions("make ShortEpoch", options, {
      pct: other(
        "a share of the batches, above 0 and up to 1",
        (v) => num.holds(v) && v as number > 0 && v as number <= 1,
      ),
      shortValid: flag,
    });
    this.pct = pct;
    this.shortValid = shortValid;
  }

  /** See `Callback.settings`. */
  override settings(): Readonly<Record<string, unknown>> {
    const { pct, shortValid } = this;
    return { pct, shortValid };
  }

  /** See `Callback.afterBatch`. */
  override afterBatch(): void {
    const { iter, nIter, training } = this.learn;
    if (iter / nIter < this.pct) return;
    if (training) throw new CancelTrain("the epoch is cut short");
    if (this.shortValid) throw new CancelValid("the validation is cut short");
  }
}
