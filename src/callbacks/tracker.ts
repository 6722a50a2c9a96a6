/**
 * Base of callbacks that watch one number of the recorder's rows.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, didYouMean, flag, num, oneOf, type OptionTable, text } from "../base/options.ts";
import type { SavedState, StateDict } from "../io/state_dict.ts";
import { Callback, ORDER, smallerIsBetter } from "../train/mod.ts";

/** Options of {@link Tracker}. */
export interface TrackerOptions {
  /** Which column of the rows to watch; `valid_loss` by default. */
  readonly monitor?: string;
  /** Whether smaller or larger is better; by default smaller for losses, errors and perplexity, larger for the rest. */
  readonly comp?: "less" | "greater";
  /** Changes of this size or smaller do not count; 0 by default. */
  readonly minDelta?: number;
  /** Whether each fit starts without a best value; true by default. */
  readonly resetOnFit?: boolean;
}

/** What the options of a tracker may be. */
export const TRACKER: OptionTable<TrackerOptions> = {
  monitor: text,
  comp: oneOf("less", "greater"),
  minDelta: num,
  resetOnFit: flag,
};

/** Says after every epoch whether the number is better than ever; rests during the learning-rate finder's probe. */
export abstract class Tracker extends Callback {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.tracker;
  /** False: the learning-rate finder's probe is not tracked. */
  override readonly runProbe: boolean = false;
  /** The column that is watched. */
  readonly monitor: string;
  /** Whether smaller or larger is better. */
  readonly comp: "less" | "greater";
  /** Changes up to this do not count. */
  readonly minDelta: number;
  /** Whether each fit starts without a best value. */
  readonly resetOnFit: boolean;
  /** The best value so far. */
  best: number;
  /** Whether the last epoch had it. */
  newBest: boolean = false;

  /**
   * Makes a Tracker.
   *
   * @param options See {@link TrackerOptions}.
   */
  constructor(options: TrackerOptions = {}) {
    super();
    checkOptions(`make ${new.target.name}`, options, TRACKER);
    const { monitor = "valid_loss", comp, minDelta = 0, resetOnFit = true } = options;
    this.monitor = monitor;
    this.comp = comp ?? (smallerIsBetter(monitor) ? "less" : "greater");
    this.minDelta = minDelta;
    this.resetOnFit = resetOnFit;
    this.best = this.#worst;
  }

  get #worst(): number {
    return this.comp === "less" ? Infinity : -Infinity;
  }

  /** See `Callback.beforeFit`. */
  override beforeFit(): void {
    const { learn } = this;
    if (this.resetOnFit) this.best = this.#worst;
    const names = learn.recorder.metricNames;
    if (!names.includes(this.monitor)) {
      throw new ConfigError(
        `Cannot monitor ${this.monitor}: the recorder has no such column, it has ${names.join(", ")}` +
          didYouMean(this.monitor, names),
      );
    }
    const { trainMetrics, validMetrics } = learn.recorder;
    const trained = ["epoch", "train_loss", "time"].includes(this.monitor) ||
      trainMetrics && (!validMetrics || this.monitor.startsWith("train_"));
    if (!trained && learn.peers === null && learn.dls.valid.length === 0) {
      throw new ConfigError(
        `Cannot monitor ${this.monitor}: it is measured on the validation set, which has no items; hold some out, or ` +
          'monitor "train_loss"',
      );
    }
  }

  /** See `Callback.settings`. */
  override settings(): Readonly<Record<string, unknown>> {
    const { monitor, comp, minDelta } = this;
    return { monitor, comp, minDelta };
  }

  /** The best value so far. */
  override stateDict(): StateDict | null {
    return { best: this.best, newBest: this.newBest };
  }

  /** See `Callback.loadStateDict`. */
  override loadStateDict(state: SavedState): void {
    this.best = state.number("best");
    this.newBest = state.boolean("newBest");
  }

  /** See `Callback.afterEpoch`. */
  override afterEpoch(): void {
    const value = this.value;
    this.newBest = this.comp === "less" ? value + this.minDelta < this.best : value - this.minDelta > this.best;
    if (this.newBest) this.best = value;
  }

  /** The watched number of the last row; NaN, which is never better, where it has none. */
  protected get value(): number {
    return this.learn.recorder.rows.at(-1)?.[this.monitor] ?? NaN;
  }
}
