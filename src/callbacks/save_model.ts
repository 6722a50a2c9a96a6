/**
 * Saves the model during a fit.
 *
 * @module
 */
import { CheckpointError, ConfigError } from "../base/errors.ts";
import { checkOptions, either, flag, num, type OptionTable, pathText } from "../base/options.ts";
import type { SavedState, StateDict } from "../io/state_dict.ts";
import { ORDER, tell } from "../train/mod.ts";
import { floatText } from "./number_text.ts";
import { TRACKER, Tracker, type TrackerOptions } from "./tracker.ts";

/** Options of {@link SaveModel}. */
export interface SaveModelOptions extends TrackerOptions {
  /** Name of the file, in the learner's model folder; "model" by default. */
  readonly fname?: string;
  /** Save after every epoch (true), or every k-th, as `<fname>_<epoch>`, better or not. */
  readonly everyEpoch?: boolean | number;
  /** Save once, when the fit ends. */
  readonly atEnd?: boolean;
  /** Whether to save the optimizer too; false by default. */
  readonly withOpt?: boolean;
}

const SAVE_MODEL: OptionTable<SaveModelOptions> = {
  ...TRACKER,
  fname: pathText,
  everyEpoch: either(flag, num),
  atEnd: flag,
  withOpt: flag,
};

/**
 * Saves the model whenever the watched number is better than ever, and loads the best one back when the fit ends; or
 * saves every epoch, or at the end, without loading.
 */
export class SaveModel extends Tracker {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.saveModel;
  /** Name of the file. */
  readonly fname: string;
  /** Epochs between two files; 0 saves the best only. */
  readonly everyEpoch: number;
  /** Whether to save once, at the end. */
  readonly atEnd: boolean;
  /** Whether the optimizer is saved too. */
  readonly withOpt: boolean;
  /** Where the last file was written; null before the first. */
  lastSavedPath: string | null = null;
  #savedInFit = false;
  /** What the last file failed by, where none was written since. */
  #failed: CheckpointError | null = null;

  /**
   * Makes a SaveModel.
   *
   * @param options See {@link SaveModelOptions}.
   */
  constructor(options: SaveModelOptions = {}) {
    checkOptions("make SaveModel", options, SAVE_MODEL);
    const { fname = "model", everyEpoch = 0, atEnd = false, withOpt = false, ...rest } = options;
    super(rest);
    if (everyEpoch && atEnd) {
      throw new ConfigError("Cannot save every epoch and at the end: choose everyEpoch or atEnd");
    }
    this.everyEpoch = Number(everyEpoch);
    if (!Number.isInteger(this.everyEpoch) || this.everyEpoch < 0) {
      throw new ConfigError(`Cannot save every ${this.everyEpoch} epochs: the number must be whole and not negative`);
    }
    this.fname = fname;
    this.atEnd = atEnd;
    this.withOpt = withOpt;
  }

  /** See `Callback.beforeFit`. */
  override async beforeFit(): Promise<void> {
    this.#savedInFit = false;
    this.#failed = null;
    if (this.everyEpoch === 0 && !this.atEnd) super.beforeFit();
    const { trySave } = await import("../fit/later.ts");
    await trySave(this.learn, this.fname); // a folder that takes no file ends the fit before it trains
  }

  /** The best value so far, and the last file. */
  override stateDict(): StateDict {
    return { ...super.stateDict(), lastSavedPath: this.lastSavedPath, savedInFit: this.#savedInFit };
  }

  /** See `Callback.loadStateDict`. */
  override loadStateDict(state: SavedState): void {
    super.loadStateDict(state);
    this.lastSavedPath = state.value("lastSavedPath") === null ? null : state.string("lastSavedPath");
    this.#savedInFit = state.boolean("savedInFit");
  }

  /** A disk that is full for a while costs a file, not the fit: it is told, and again at the end. */
  async #save(name: string): Promise<void> {
    const { save } = await import("../fit/later.ts");
    try {
      this.lastSavedPath = await save(this.learn, name, { withOpt: this.withOpt });
      this.#savedInFit = true;
      if (this.everyEpoch === 0) this.#failed = null;
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      this.#failed = error;
      tell(this.learn.logger, `${error.message}. Training goes on${this.#lastGood()}`);
    }
  }

  #lastGood(): string {
    return this.lastSavedPath === null ? "" : `; the last good file is ${this.lastSavedPath}`;
  }

  /** See `Callback.afterEpoch`. */
  override async afterEpoch(): Promise<void> {
    const { learn } = this;
    if (this.everyEpoch > 0) {
      if (learn.epoch % this.everyEpoch === 0) await this.#save(`${this.fname}_${learn.epoch}`);
      return;
    }
    super.afterEpoch();
    if (!this.newBest || this.atEnd) return;
    tell(
      learn.logger,
      `Better model found at epoch ${learn.epoch} with ${this.monitor} value: ${floatText(this.best)}.`,
    );
    await this.#save(this.fname);
  }

  /** See `Callback.afterFit`. */
  override async afterFit(): Promise<void> {
    if (this.atEnd) await this.#save(this.fname);
    if (this.#failed !== null) {
      const { message } = this.#failed;
      throw new CheckpointError(`${message}${this.#lastGood()}`, { cause: this.#failed });
    }
    if (this.everyEpoch > 0 || this.atEnd) return;
    // where no epoch was better there is nothing to go back to: a file of an earlier run is not this fit's best
    if (this.#savedInFit) {
      const { load } = await import("../fit/later.ts");
      await load(this.learn, this.fname, { withOpt: this.withOpt });
    }
  }
}
