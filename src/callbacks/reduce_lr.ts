/**
 * Lowers the learning rate when a number no longer improves.
 *
 * @module
 */
import { checkOptions, num, other, whole } from "../base/options.ts";
import type { SavedState, StateDict } from "../io/state_dict.ts";
import { ORDER, tell } from "../train/mod.ts";
import { floatText } from "./number_text.ts";
import { TRACKER, Tracker, type TrackerOptions } from "./tracker.ts";

/** Options of {@link ReduceLROnPlateau}. */
export interface ReduceLrOptions extends TrackerOptions {
  /** Epochs without improvement after which to lower it; 1 by default. */
  readonly patience?: number;
  /** What it is divided by; 10 by default. */
  readonly factor?: number;
  /** Smallest learning rate; 0 by default. */
  readonly minLr?: number;
}

/**
 * Divides every group's learning rate by `factor` after `patience` epochs in a row without a better value. For plain
 * `fit`: a schedule sets the learning rate again before the next batch.
 */
export class ReduceLROnPlateau extends Tracker {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.reduceLr;
  /** Epochs without improvement that are put up with. */
  readonly patience: number;
  /** What the learning rate is divided by. */
  readonly factor: number;
  /** Smallest learning rate. */
  readonly minLr: number;
  #wait = 0;

  /**
   * Makes a ReduceLROnPlateau.
   *
   * @param options See {@link ReduceLrOptions}.
   */
  constructor(options: ReduceLrOptions = {}) {
    const { patience = 1, factor = 10, minLr = 0, ...rest } = checkOptions("make ReduceLROnPlateau", options, {
      ...TRACKER,
      patience: whole(1),
      factor: other(
        "what the learning rate is divided by, above 1: 10 where PyTorch has 0.1",
        (v) => num.holds(v) && v as number > 1,
      ),
      minLr: other("a number from 0", (v) => num.holds(v) && v as number >= 0),
    });
    super(rest);
    this.patience = patience;
    this.factor = factor;
    this.minLr = minLr;
  }

  /** See `Callback.beforeFit`. */
  override beforeFit(): void {
    this.#wait = 0;
    super.beforeFit();
  }

  /** See `Callback.settings`. */
  override settings(): Readonly<Record<string, unknown>> {
    const { patience, factor, minLr } = this;
    return { ...super.settings(), patience, factor, minLr };
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
    this.#wait = 0;
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
