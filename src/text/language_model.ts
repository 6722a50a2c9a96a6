/**
 * Language models: an encoder, and what says which token comes next.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ConfigError } from "../base/errors.ts";
import { checkOptions } from "../base/options.ts";
import { Module } from "../nn/mod.ts";
import { aGenerator, defaultRng, Parameter, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import type { Rng } from "../tensor/mod.ts";
import { type SequenceEncoder, TextModel } from "./architecture.ts";
import { RNNDropout } from "./rnn_dropout.ts";

/** First weights of an output layer that has its own: uniform in ± this, as fastai has them. */
const SPREAD = 0.1;

/** Features to a score for each token: a linear layer, whose weights are the vectors of the tokens where they fit. */
export class TokenDecoder extends Module {
  /** `[vocabSize, hiddenSize]`; the encoder's own where it is tied. */
  readonly weight: Parameter;
  /** `[vocabSize]`; null without. */
  readonly bias: Parameter | null;

  /**
   * Takes the encoder's vectors of tokens, or draws weights.
   *
   * @param encoder What gives the features.
   * @param rng Where first weights come from.
   */
  constructor(encoder: SequenceEncoder, rng: Rng) {
    super();
    const { vocabSize, hiddenSize, tiedWeight, headBias } = encoder;
    const tied = tiedWeight !== null && tiedWeight.shape[1] === hiddenSize;
    this.weight = tied ? tiedWeight : new Parameter(tensor(
      rng.uniformArray(vocabSize * hiddenSize, -SPREAD, SPREAD),
      { shape: [vocabSize, hiddenSize] },
    ));
    this.bias = headBias ? new Parameter(zeros([vocabSize])) : null;
  }

  /** `[..., hiddenSize]` gives `[..., vocabSize]`. */
  override forward(x: Tensor): Tensor {
    const y = x.matmul(this.weight.transpose(0, 1));
    return this.bias === null ? y : y.add(this.bias);
  }
}

/** Tokens i32 `[b, n]` give scores of the token that comes after each, `[b, n, vocabSize]`. */
export class LanguageModel extends TextModel {
  /** Tokens to features. */
  override readonly encoder: SequenceEncoder;
  /** Dropout between the two, the same at all positions of a text. */
  readonly outputDropout: RNNDropout;
  /** Features to scores. */
  readonly decoder: TokenDecoder;

  /**
   * Puts an output layer on an encoder.
   *
   * @throws ConfigError where the encoder sees what comes after a token.
   */
  constructor(encoder: SequenceEncoder, options: { readonly rng?: Rng } = {}) {
    super();
    checkOptions("make a LanguageModel", options, { rng: aGenerator });
    if (!encoder.causal) {
      throw new ConfigError(
        `Cannot make a language model of ${encoder.constructor.name}: it sees what comes after a token; ` +
          "awdLstm and gptModel do not",
      );
    }
    this.encoder = encoder;
    this.outputDropout = new RNNDropout(encoder.outputDropout, options);
    this.decoder = new TokenDecoder(encoder, options.rng ?? defaultRng());
  }

  /** See {@link LanguageModel}. */
  override forward(ids: Tensor, mask?: Tensor): Tensor {
    const raw = mask === undefined ? this.encoder.forward(ids) : this.encoder.forward(ids, mask);
    const dropped = this.outputDropout.forward(raw);
    this.rnnOutputs = { raw, dropped };
    return this.decoder.forward(dropped);
  }

  /** Scores of the token after position `at`, i32 `[1]`, of one text `[1, n]`: `[vocabSize]`. */
  next(ids: Tensor, at: Tensor): Tensor {
    const features = this.encoder.forward(ids).indexSelect(at, { axis: 1 });
    return this.decoder.forward(features).reshape([-1]);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const encoder = this.encoder.toJSON();
    return encoder === null ? null : { kind: "LanguageModel", encoder };
  }
}
