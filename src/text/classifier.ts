/**
 * Classifiers of texts: an encoder, one vector for each text, and layers on top.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ConfigError } from "../base/errors.ts";
import { checkOptions, nums, oneOf, type OptionTable } from "../base/options.ts";
import { BatchNorm1d, Dropout, Linear, ReLU, Sequential } from "../nn/mod.ts";
import { aGenerator, arange, cat, ops, type Rng, type Tensor, where } from "../tensor/mod.ts";
import { type SequenceEncoder, TextModel, type TextPooling } from "./architecture.ts";

/** Options of {@link TextClassifier}. */
export interface ClassifierOptions {
  /** How the positions become one vector; by default the encoder's own way. */
  readonly pooling?: TextPooling;
  /** Sizes of layers between; [50] with "concat", none otherwise. */
  readonly linFtrs?: readonly number[];
  /** Dropout before each layer: the encoder's, then 0.1, by default. */
  readonly ps?: readonly number[];
  /** Where the first weights, and what is dropped, come from; the default generator. */
  readonly rng?: Rng;
}

/** What the options of {@link TextClassifier} may be. */
export const CLASSIFIER: OptionTable<ClassifierOptions> = {
  pooling: oneOf("concat", "mean", "first"),
  linFtrs: nums,
  ps: nums,
  rng: aGenerator,
};

/**
 * One vector for each text, of the positions that are tokens: never NaN, 0 where there is none.
 *
 * @param x Features, `[b, n, d]`.
 * @param mask Which positions are tokens, bool `[b, n]`: in each row true up to the text's end.
 * @returns `[b, 3 d]` for "concat": the last, the largest and the mean of each feature; else `[b, d]`.
 */
export function poolTexts(x: Tensor, mask: Tensor, pooling: TextPooling): Tensor {
  const [, n] = x.shape, tokens = mask.unsqueeze(2);
  const lengths = mask.cast("f32").sum({ axis: 1, keepdim: true });
  const some = lengths.gt(0);
  const at = (place: Tensor): Tensor => where(place.unsqueeze(2), x, 0).sum({ axis: 1 });
  const positions = arange(n, { dtype: "f32" }).reshape([1, n]);
  if (pooling === "first") return at(positions.eq(0).and(mask));
  const mean = where(tokens, x, 0).sum({ axis: 1 }).div(ops.maximum(lengths, 1));
  if (pooling === "mean") return mean;
  const largest = where(some, where(tokens, x, -Infinity).max({ axis: 1 }), 0);
  return cat([at(positions.eq(lengths.sub(1))), largest, mean], { axis: 1 });
}

/** Tokens i32 `[b, n]` and their mask bool `[b, n]` give scores of the classes, `[b, nOut]`. */
export class TextClassifier extends TextModel {
  /** Tokens to features. */
  override readonly encoder: SequenceEncoder;
  /** The vector of a text to scores. */
  readonly head: Sequential;
  /** How the positions become one vector. */
  readonly pooling: TextPooling;
  readonly #facts: { readonly nOut: number; readonly linFtrs: readonly number[]; readonly ps: readonly number[] };

  /** Puts layers on an encoder. */
  constructor(encoder: SequenceEncoder, nOut: number, options: ClassifierOptions = {}) {
    super();
    checkOptions("make a TextClassifier", options, CLASSIFIER);
    const { pooling = encoder.pooling, rng } = options, drawn = rng === undefined ? {} : { rng };
    const { linFtrs = pooling === "concat" ? [50] : [] } = options;
    const { ps = [encoder.outputDropout, ...linFtrs.map(() => 0.1)] } = options;
    if (ps.length !== linFtrs.length + 1) {
      throw new ConfigError(
        `Cannot make a text classifier with ${ps.length} dropouts: ps has one before each of ${
          linFtrs.length + 1
        } layers`,
      );
    }
    this.encoder = encoder;
    this.pooling = pooling;
    const sizes = [encoder.hiddenSize * (pooling === "concat" ? 3 : 1), ...linFtrs, nOut];
    const layers = ps.flatMap((p, i) => {
      const last = i === ps.length - 1, dropout = new Dropout(p, drawn);
      // vectors of transformers are normalized already
      if (pooling !== "concat" && linFtrs.length === 0) return [dropout, new Linear(sizes[i], sizes[i + 1], drawn)];
      const linear = new Linear(sizes[i], sizes[i + 1], { bias: false, ...drawn });
      return [new BatchNorm1d(sizes[i]), dropout, linear, ...(last ? [] : [new ReLU()])];
    });
    this.head = new Sequential(...layers);
    this.#facts = { nOut, linFtrs, ps };
  }

  /** See {@link TextClassifier}. */
  override forward(ids: Tensor, mask?: Tensor): Tensor {
    this.encoder.reset(); // each batch has other texts
    const tokens = mask ?? ids.ge(0);
    const raw = this.encoder.forward(ids, tokens);
    this.rnnOutputs = { raw, dropped: raw }; // as fastai has it
    return this.head.forward(poolTexts(raw, tokens, this.pooling));
  }

  /** One vector for each text, before the layers on top: `[b, d]`. */
  embed(ids: Tensor, mask: Tensor): Tensor {
    this.encoder.reset();
    return poolTexts(this.encoder.forward(ids, mask), mask, this.pooling);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const encoder = this.encoder.toJSON();
    return encoder === null ? null : { kind: "TextClassifier", encoder, pooling: this.pooling, ...this.#facts };
  }
}
