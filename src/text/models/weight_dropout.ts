/**
 * Dropout of weights: of a recurrent product, and of whole words.
 *
 * @module
 * @see Merity, Keskar & Socher 2017, arXiv:1708.02182
 */
import { ConfigError } from "../../base/errors.ts";
import { checkOptions, either, nums, type OptionTable } from "../../base/options.ts";
import { checkProbability, keeping } from "../../nn/dropped.ts";
import { Module } from "../../nn/mod.ts";
import { aTensor, Parameter, type Rng, type Tensor } from "../../tensor/mod.ts";

/** Options of the `forward` of recurrent layers. */
export interface LengthsOptions {
  /** How many steps of each item count, `[b]`; all by default. */
  readonly lengths?: Tensor | readonly number[];
}

const LENGTHS: OptionTable<LengthsOptions> = { lengths: either(aTensor, nums) };

/** A recurrent layer, such as `nn.LSTM`; `S` is the state that it carries. */
export type RecurrentLayer<S> = Module<[x: Tensor, state?: S | null, options?: LengthsOptions], [Tensor, S]>;

/**
 * A recurrent layer whose recurrent weights are dropped in training: some of them are 0 through a whole batch, the others are
 * scaled. The weights are trained under names that end in `_raw`, as fastai has them.
 */
export class WeightDropout<S = readonly [h: Tensor, c: Tensor]> extends Module<
  [x: Tensor, state?: S | null, options?: LengthsOptions],
  [Tensor, S]
> {
  /** The layer; the weights that are dropped from it are not among its own. */
  declare readonly module: RecurrentLayer<S>; // behind the raw weights, as fastai lists them
  readonly #names: readonly string[];

  /**
   * Takes the weights out of the layer.
   *
   * @param module The layer.
   * @param p Probability that a weight is 0, in training; 0.5 by default.
   * @param layerNames Names of the weights; `"weight_hh_l0"` by default.
   * @param rng Where the numbers come from; null for the default generator.
   */
  constructor(
    module: RecurrentLayer<S>,
    readonly p: number = 0.5,
    layerNames: readonly string[] = ["weight_hh_l0"],
    readonly rng: Rng | null = null,
  ) {
    super();
    checkProbability("WeightDropout", p);
    const own = module as unknown as Record<string, unknown>;
    for (const name of layerNames) {
      const weight = own[name];
      if (!(weight instanceof Parameter)) {
        throw new ConfigError(
          `Cannot make WeightDropout: ${module.constructor.name} has no weight ${JSON.stringify(name)}`,
        );
      }
      delete own[name];
      Object.defineProperty(own, name, { value: weight, writable: true, enumerable: false });
      Object.defineProperty(this, `${name}_raw`, { value: weight, writable: true, enumerable: true });
    }
    this.#names = layerNames;
    Object.assign(this, { module });
  }

  /** What the layer makes of `x` with these weights. */
  override forward(x: Tensor, state: S | null = null, options: LengthsOptions = {}): [Tensor, S] {
    checkOptions("apply WeightDropout", options, LENGTHS);
    const own = this.module as unknown as Record<string, Tensor>;
    for (const name of this.#names) {
      const raw = (this as unknown as Record<string, Tensor>)[`${name}_raw`];
      own[name] = this.training && this.p > 0 ? raw.mul(keeping(raw.shape, this.p, this.rng)) : raw;
    }
    return this.module.forward(x, state, options);
  }
}

/** An embedding of which whole rows are dropped in training: a word that is dropped is 0 wherever it stands in the batch. */
export class EmbeddingDropout extends Module {
  /**
   * Takes the embedding.
   *
   * @param emb The embedding; it stays what it is.
   * @param p Probability that a row is 0, in training.
   * @param rng Where the numbers come from; null for the default generator.
   */
  constructor(readonly emb: Module & { readonly count: number }, readonly p: number, readonly rng: Rng | null = null) {
    super();
    checkProbability("EmbeddingDropout", p);
  }

  /** `[...]` of whole numbers gives `[..., size]`. */
  override forward(ids: Tensor): Tensor {
    const rows = this.emb.forward(ids);
    if (!this.training || this.p === 0) return rows;
    const kept = keeping([this.emb.count], this.p, this.rng).indexSelect(ids.reshape([-1])).reshape([...ids.shape, 1]);
    return rows.mul(kept);
  }
}
