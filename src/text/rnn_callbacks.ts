/**
 * Callbacks for models that carry state.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, num } from "../base/options.ts";
import type { Tensor } from "../tensor/mod.ts";
import { Callback } from "../train/mod.ts";
import { SequenceEncoder } from "./architecture.ts";

/** Forgets the state of encoders before training, before validation and after a fit, as fastai's ModelResetter. */
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

  #reset(): void {
    for (const m of this.learn.model.modules()) if (m instanceof SequenceEncoder) m.reset();
  }
}

/** What a language model's encoder gave in the last forward pass, f32 `[b, n, features]`. */
export interface RnnOutputs {
  /** As the encoder gave it. */
  readonly raw: Tensor;
  /** After dropout, as the output layer got it. */
  readonly dropped: Tensor;
}

/** A model that {@link RNNRegularizer} can be used with. */
export interface RegularizedModel {
  /** Of the last forward pass; null before one. */
  readonly rnnOutputs: RnnOutputs | null;
}

/** Options of {@link RNNRegularizer}. */
export interface RnnRegularizerOptions {
  /** Factor of the mean square of outputs, after dropout (AR); 0 by default. */
  readonly alpha?: number;
  /** Factor of the mean square of what outputs change from position to position (TAR); 0 by default. */
  readonly beta?: number;
}

/**
 * Activation regularization of language models, in training: outputs shall be small (AR), and change little from one position
 * to the next (TAR). Gradients are those of the loss with it; the loss that is shown is without, as in fastai.
 *
 * @see Merity, Keskar & Socher 2017, arXiv:1708.02182, 4.6
 */
export class RNNRegularizer extends Callback {
  /** Place in line: behind what may replace the predictions. */
  override readonly order: number = 1;
  /** Factor of AR. */
  readonly alpha: number;
  /** Factor of TAR. */
  readonly beta: number;

  /** Takes both factors. */
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
    const { alpha, beta } = this;
    return { alpha, beta };
  }

  /** See `Callback.afterLoss`. */
  override afterLoss(): void {
    const { learn, alpha, beta } = this;
    if (!learn.training || (alpha === 0 && beta === 0)) return;
    const { raw, dropped } = outputsOf(learn.model);
    if (alpha > 0) learn.lossGrad = learn.lossGrad.add(dropped.square().mean().mul(alpha));
    const n = raw.shape[1];
    if (beta === 0 || n < 2) return;
    const change = raw.slice([null, [1, n]]).sub(raw.slice([null, [0, n - 1]]));
    learn.lossGrad = learn.lossGrad.add(change.square().mean().mul(beta));
  }
}

function outputsOf(model: object): RnnOutputs {
  const outputs = (model as Partial<RegularizedModel>).rnnOutputs;
  if (outputs) return outputs;
  throw new ConfigError(
    `Cannot regularize ${model.constructor.name}: RNNRegularizer needs a language model, which has rnnOutputs`,
  );
}
