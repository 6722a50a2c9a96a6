/**
 * Lowers the learning rate when a number no longer improves.
 *
 * @module
 */
import { checkOptions, num, other } from "../base/options.ts";
import { ORDER, tell } from "../train/mod.ts";
import { floatText } from "./number_text.ts";
import { PLATEAU, type PlateauOptions, PlateauTracker } from "./plateau.ts";

/** Options of {@link ReduceLROnPlateau}. */
export interface ReduceLrOptions extends PlateauOptions {
  /** What it is divided by; 10 by default. */
  readonly factor?: number;
  /** Smallest learning rate; 0 by default. */
  readonly minLr?: number;
}

/**
 * Divides every group's learning rate by `factor` after `patience` epochs in a row without a better value. For plain
 * `fit`: a schedule sets the learning rate again before the next batch.
 */
export class ReduceLROnPlateau extends PlateauTracker {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.reduceLr;
  /** What the learning rate is divided by. */
  readonly factor: number;
  /** Smallest learning rate. */
  readonly minLr: number;

  /**
   * Makes a ReduceLROnPlateau.
   *
   * @param options See {@link ReduceLrOptions}.
   */
  constructor(options: ReduceLrOptions = {}) {
    const { factor = 10, minLr = 0, ...rest } = checkOptions("make ReduceLROnPlateau", options, {
      ...PLATEAU,
      factor: other(
        "what the learning rate is divided by, above 1: 10 where PyTorch has 0.1",
        (v) => num.holds(v) && v as number > 1,
      ),
      minLr: other("a number from 0", (v) => num.holds(v) && v as number >= 0),
    });
    super(rest);
    this.factor = factor;
    this.minLr = minLr;
  }

  /** See `Callback.settings`. */
  override settings(): Readonly<Record<string, unknown>> {
    const { factor, minLr } = this;
    return { ...super.settings(), factor, minLr };
  }

  /** Lowers the learning rates. */
  protected override onPlateau(): void {
    const { learn } = this;
    const before = learn.opt.hypers.map((h) => h.lr);
    const after = before.map((lr) => Math.max(lr / this.factor, this.minLr));
    learn.opt.setHyper("lr", after);
    const last = after.length - 1;
    if (after[last] < before[last]) {
      tell(learn.logger, `Epoch ${learn.epoch}: reducing lr to ${floatText(after[last])}`);
    }
  }
}
