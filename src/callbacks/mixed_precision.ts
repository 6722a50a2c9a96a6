/**
 * Training in half precision.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, num, type OptionTable, shown } from "../base/options.ts";
import type { SavedState, StateDict } from "../io/state_dict.ts";
import { GradScaler, type Optimizer, type ScaleRules, type ScaleState } from "../optim/mod.ts";
import { readAll, readAllSync, setAutocast, type TensorData } from "../tensor/mod.ts";
import { Callback, ORDER, Recorder, tell } from "../train/mod.ts";

/** Options of {@link MixedPrecision}. */
export interface MixedPrecisionOptions {
  /** A loss scale that stays as it is; without, it moves. */
  readonly lossScale?: number;
  /** The loss scale at the start of a fit; 65536 by default. */
  readonly initScale?: number;
  /** What it is multiplied by after `growthInterval` steps in a row that were not skipped; 2 by default. */
  readonly growthFactor?: number;
  /** What it is multiplied by at a step that is skipped; 0.5 by default. */
  readonly backoffFactor?: number;
  /** See `growthFactor`; 2000 by default. */
  readonly growthInterval?: number;
}

const MIXED_PRECISION: OptionTable<MixedPrecisionOptions> = {
  lossScale: num,
  initScale: num,
  growthFactor: num,
  backoffFactor: num,
  growthInterval: num,
};

/** Steps in a row that may be skipped: with each the scale is halved, so that after so many it cannot be the cause. */
const MOST_IN_A_ROW = 32;

/**
 * Mixed precision, as fastai has it: weights stay f32; products, convolutions and attention take operands of f16 and sum in
 * f32, activations are f16, and norms, softmax and losses f32, as inside `autocast`. Predictions are f32 again before the loss.
 *
 * The loss is multiplied by a scale that keeps small gradients above 0 in f16, and gradients are divided by it before they are
 * clipped or used. Where some are infinite or NaN, the step is skipped, that is weights, statistics and step counts stay as
 * they are, and the scale is halved; after `growthInterval` steps in a row it is doubled. The defaults are PyTorch's. Schedules
 * go on at a step that is skipped. How many there were is told at the end of each epoch and of the fit, and is
 * `learn.recorder.skipped`.
 *
 * `validate` and `getPreds` compute in f16, too; `predict` looks at one item, in f32. A loss is scaled once: a second one in the
 * same fit is refused.
 *
 * It halves the memory of activations. On the CPU f16 is storage only, and steps take longer than in f32.
 *
 * @example
 * ```ts ignore
 * learn.toFp16();
 * await learn.fitOneCycle(3);
 * ```
 */
export class MixedPrecision extends Callback {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.mixedPrecision;
  /** How the loss scale moves. */
  readonly #rules: Readonly<ScaleRules>;
  /** Loss scales of the fit, one a training step: that which the step left. */
  readonly scales: number[] = [];
  #scaler: GradScaler | null = null;
  #opt: Optimizer | null = null;
  /** Steps of the scaler that have been looked at. */
  #seen = 0;
  #state: ScaleState | null = null;
  #pending: TensorData[] | Promise<TensorData[]> | null = null;
  /** Steps before this epoch, and those of them that were skipped. */
  #before = { steps: 0, skipped: 0 };
  /** Steps of the fit before it went on from a checkpoint. */
  #earlier = 0;
  #deferred = false;

  /**
   * Makes a MixedPrecision.
   *
   * @param options See {@link MixedPrecisionOptions}.
   */
  constructor(options: MixedPrecisionOptions = {}) {
    super();
    const { lossScale, ...moving } = checkOptions("make MixedPrecision", options, MIXED_PRECISION);
    const { initScale = 65536, growthFactor = 2, backoffFactor = 0.5, growthInterval = 2000 } = moving;
    const bad = (name: string, value: number, rule: string): never => {
      throw new ConfigError(`Cannot make MixedPrecision with ${name} ${shown(value)}: it must be ${rule}`);
    };
    if (lossScale !== undefined) {
      const [other] = Object.keys(moving);
      if (other !== undefined) {
        throw new ConfigError(`Cannot make MixedPrecision with both lossScale and ${other}: a lossScale does not move`);
      }
      if (!(lossScale > 0 && lossScale < Infinity)) bad("lossScale", lossScale, "a finite number above 0");
    }
    if (!(initScale > 0 && initScale < Infinity)) bad("initScale", initScale, "a finite number above 0");
    if (!(growthFactor >= 1 && growthFactor < Infinity)) bad("growthFactor", growthFactor, "a finite number from 1");
    if (!(backoffFactor > 0 && backoffFactor <= 1)) bad("backoffFactor", backoffFactor, "above 0 and at most 1");
    if (!(Number.isInteger(growthInterval) && growthInterval > 0)) {
      bad("growthInterval", growthInterval, "a whole number above 0");
    }
    this.#rules = lossScale === undefined
      ? { initScale, growthFactor, backoffFactor, growthInterval }
      : { initScale: lossScale, growthFactor: 1, backoffFactor: 1, growthInterval };
  }

  /** The loss scale after the last step that is over; that of a fit's start before. */
  get scale(): number {
    return this.#state?.scale ?? this.#rules.initScale;
  }

  /** Steps of the fit that were skipped. */
  get skipped(): number {
    return this.#state?.skipped ?? 0;
  }

  /** See `Callback.settings`. */
  override settings(): Readonly<Record<string, unknown>> {
    return { ...this.#rules };
  }

  /** What the loss scale has come to. */
  override async stateDict(): Promise<StateDict | null> {
    if (this.#scaler === null) return null;
    await this.#settle();
    const { scale, finite, skipped, inARow } = this.#state!;
    return { scale, finite, skipped, inARow, steps: this.#earlier + this.#scaler.steps, before: { ...this.#before } };
  }

  /** See `Callback.loadStateDict`. */
  override loadStateDict(state: SavedState): void {
    if (this.#scaler === null) return;
    this.#state = {
      scale: state.number("scale"),
      finite: state.count("finite"),
      skipped: state.count("skipped"),
      inARow: state.count("inARow"),
    };
    this.#scaler.restore(this.#state);
    this.#earlier = state.count("steps") - this.#scaler.steps;
    const before = state.state("before");
    this.#before = { steps: before.count("steps"), skipped: before.count("skipped") };
  }

  /** See `Callback.beforeFit`. */
  override beforeFit(): void {
    const { learn } = this;
    const opt = learn.opt;
    if (opt.scaler !== null) {
      throw new ConfigError(
        "Cannot train with two MixedPrecision: a loss has one scale, got a second one; learn.toFp16() adds one for all fits",
      );
    }
    if (learn.phase === "probe") this.#goBackAfterProbe();
    const scaler = this.#scaler = new GradScaler(this.#rules);
    this.#opt = opt;
    this.#state = { scale: this.#rules.initScale, finite: 0, skipped: 0, inARow: 0 };
    this.#seen = this.#earlier = 0;
    this.#before = { steps: 0, skipped: 0 };
    this.#pending = null;
    this.scales.length = 0;
    opt.scaler = scaler;
    scaler.settle = () => this.#settle();
    learn.defer(() => {
      opt.scaler =
        this.#scaler =
        this.#opt =
        this.#pending =
          null;
      scaler.state.dispose();
    });
  }

  /** What is known of the last fit is not the probe's to change. */
  #goBackAfterProbe(): void {
    const state = this.#state, scales = [...this.scales];
    this.learn.defer(() => {
      this.#state = state;
      this.scales.splice(0, Infinity, ...scales);
    });
  }

  /** See `Callback.beforeBatch`. */
  override beforeBatch(): void {
    // of the step before, whose launch is under way: nothing is recorded yet that a read would cut in two
    if (this.learn.training) this.#pending ??= this.#read();
    if (!this.#deferred) {
      this.#deferred = true;
      this.learn.defer(() => {
        setAutocast(false);
        this.#deferred = false;
      });
    }
    setAutocast(true);
  }

  /** See `Callback.afterPred`. */
  override afterPred(): void {
    const { batch } = this.learn;
    if (batch.pred === null || batch.pred.dtype !== "f16") return;
    batch.pred = batch.pred.float();
    batch.made(batch.pred);
  }

  /** See `Callback.afterLoss`. */
  override async afterLoss(): Promise<void> {
    setAutocast(false);
    const { learn } = this;
    if (!learn.training) return;
    await this.#settle();
    if (learn.hasLoss && this.#scaler !== null) learn.batch.lossGrad = learn.batch.lossGrad!.mul(this.#scaler.scale);
  }

  /** See `Callback.afterCancelBatch`. */
  override afterCancelBatch(): void {
    setAutocast(false);
  }

  /** See `Callback.afterTrain`. */
  override async afterTrain(): Promise<void> {
    if (this.#scaler === null) return;
    await this.#settle();
    const steps = this.#earlier + this.#scaler.steps, { skipped } = this, before = this.#before;
    this.#before = { steps, skipped };
    if (skipped > before.skipped && this.learn.phase !== "probe") {
      this.#tell(`Epoch ${this.learn.epoch}: `, skipped - before.skipped, steps - before.steps);
    }
  }

  /** See `Callback.afterFit`. */
  override async afterFit(): Promise<void> {
    if (this.#scaler === null || this.learn.phase === "probe") return;
    await this.#settle();
    const steps = this.#earlier + this.#scaler.steps, { skipped } = this;
    if (skipped > 0 && skipped === steps) this.#refuse(`all ${steps} steps of the fit`);
    if (skipped > 0) this.#tell("", skipped, steps);
  }

  #tell(where: string, skipped: number, steps: number): void {
    tell(
      this.learn.logger,
      `${where}${skipped} of ${steps} steps ${
        skipped === 1 ? "was" : "were"
      } skipped, their gradients were beyond the ` +
        `range of f16; the loss scale is ${this.scale}`,
    );
  }

  #read(): TensorData[] | Promise<TensorData[]> | null {
    const scaler = this.#scaler;
    if (scaler === null || scaler.steps === this.#seen) return null;
    this.#seen = scaler.steps;
    return readAllSync([scaler.state]) ?? readAll([scaler.state]);
  }

  /** Takes in what the last step has made of the scale; what the host counted for one that was skipped is taken back. */
  async #settle(): Promise<void> {
    const read = this.#pending ?? this.#read();
    this.#pending = null;
    if (read === null) return;
    const [[scale, finite, skipped, inARow]] = read instanceof Promise ? await read : read;
    if (skipped > this.skipped) this.#opt?.uncountStep();
    this.#state = { scale, finite, skipped, inARow };
    this.scales.push(scale);
    const recorder = this.learn.findCb(Recorder);
    if (recorder !== null) recorder.skipped = skipped;
    if (inARow >= MOST_IN_A_ROW && this.learn.phase !== "probe") this.#refuse(`${inARow} steps in a row`);
  }

  #refuse(which: string): never {
    throw new DataError(
      `Cannot train in half precision: ${which} were skipped, their gradients must be finite, got infinite ones or NaN ` +
        `with a loss scale of ${this.scale}; the forward pass may leave the range of f16 (65504): normalize the inputs, ` +
        "lower the learning rate, or train in f32: learn.toFp32()",
    );
  }
}
