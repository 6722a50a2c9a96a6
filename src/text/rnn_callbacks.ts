/**
 * Callbacks for models with a state.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, num } from "../base/options.ts";
import type { SavedState, StateDict } from "../io/state_dict.ts";
import { Callback } from "../train/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { type RnnOutputs, SequenceEncoder, TextModel } from "./architecture.ts";

export type { RnnOutputs };

/** Forgets the state of encoders before training, before validation and after a fit; checkpoints keep it. */
export class ModelResetter extends Callback {
  /** See `Callback.beforeTrain`. */
  override beforeTrain(): void {
    this.#reset();
  }

  /** See `Callback.beforeValidate`. */
  override beforeValidate(): void {
    this.#reset();
  }

  /** See `Callback.afterFit`. */
  override afterFit(): void {
    this.#reset();
  }

  /** The state that the next batch goes on with. */
  override stateDict(): StateDict | null {
    const state = this.#encoders()[0]?.carriedState() ?? new Map<string, Tensor>();
    return state.size === 0 ? null : Object.fromEntries(state);
  }

  /** See `Callback.loadStateDict`. */
  override loadStateDict(state: SavedState): void {
    this.#encoders()[0]?.carry(new Map(state.names.map((name) => [name, state.tensor(name)])));
  }

  #encoders(): SequenceEncoder[] {
    return this.learn.model.modules().filter((m) => m instanceof SequenceEncoder);
  }

  #reset(): void {
    const { model } = this.learn;
    if (model instanceof TextModel) model.reset();
    else for (const encoder of this.#encoders()) encoder.reset();
  }
}

/** Options of {@link RNNRegularizer}. */
export interface RnnRegularizerOptions {
  /** Weight of the mean square of the outputs after dropout (activation regularization); 0 by default. */
  readonly alpha?: number;
  /** Weight of the mean square of the difference between neighbouring outputs (temporal one); 0 by default. */
  readonly beta?: number;
}

/** A model that {@link RNNRegularizer} can be used with. */
export interface RegularizedModel {
  /** Of the last forward pass; null before one. */
  readonly rnnOutputs: RnnOutputs | null;
}

/**
 * Adds to what is differentiated, and not to the loss that is shown: large outputs, and outputs that change much from step to
 * step, cost something.
 *
 * @see Merity et al. 2017, arXiv:1708.01009
 */
export class RNNRegularizer extends Callback {
  /** See `Callback`: behind what may replace the prediction. */
  override readonly order: number = 1;
  /** See `Callback`. */
  override runValid: boolean = false;
  /** Weight of the mean square of the outputs. */
  readonly alpha: number;
  /** Weight of the mean square of their differences. */
  readonly beta: number;

  /** Takes the weights. */
  constructor(options: RnnRegularizerOptions = {}) {
    super();
    const { alpha = 0, beta = 0 } = checkOptions("make RNNRegularizer", options, { alpha: num, beta: num });
    if (!(alpha >= 0 && beta >= 0 && alpha + beta < Infinity)) {
      throw new ConfigError(`Cannot regularize by alpha ${alpha} and beta ${beta}: they are finite numbers from 0`);
    }
    this.alpha = alpha;
    this.beta = beta;
  }

  /** See `Callback.settings`. */
  override settings(): Readonly<Record<string, unknown>> {
    return { alpha: this.alpha, beta: this.beta };
  }

  /** See `Callback`. */
  override afterLoss(): void {
    const { batch, model } = this.learn;
    if (this.alpha === 0 && this.beta === 0) return;
    const { rnnOutputs } = model as Partial<RegularizedModel>;
    if (rnnOutputs === undefined || rnnOutputs === null) {
      throw new ConfigError(
        `Cannot regularize ${model.constructor.name}: RNNRegularizer needs a language model, or another that keeps ` +
          "its rnnOutputs",
      );
    }
    if (batch.lossGrad === null) return;
    const { raw, dropped } = rnnOutputs, n = raw.shape[1];
    let loss = batch.lossGrad;
    if (this.alpha > 0) loss = loss.add(dropped.square().mean().mul(this.alpha));
    if (this.beta > 0 && n > 1) {
      const change = raw.slice([null, [1, n]]).sub(raw.slice([null, [0, n - 1]]));
      loss = loss.add(change.square().mean().mul(this.beta));
    }
    batch.lossGrad = loss; // without learn.lossGrad: nobody sees the loss, so that its memory is given back
  }
}
