/**
 * Architectures of text models: what makes an encoder, and what learners have to know about it.
 *
 * @module
 */
import { num, oneOf, type OptionTable, whole } from "../base/options.ts";
import { type AnyModule, Module } from "../nn/mod.ts";
import { aGenerator, type Parameter, type Rng, type Tensor } from "../tensor/mod.ts";
import type { TextCache } from "./key_values.ts";

/** What an architecture is told when an encoder is made. */
export interface TextArchOptions {
  /** What it is for: dropouts differ. "lm", a language model, by default. */
  readonly task?: "lm" | "classifier";
  /** Multiplies every probability of dropout; 1 by default. */
  readonly dropMult?: number;
  /** Number of the padding token, whose vector gets no gradient; by default the architecture's own. */
  readonly padId?: number;
  /** Where the first weights come from; the default generator. */
  readonly rng?: Rng;
}

/** What the options of every architecture may be. */
export const TEXT_ARCH: OptionTable<TextArchOptions> = {
  task: oneOf("lm", "classifier"),
  dropMult: num,
  padId: whole(0),
  rng: aGenerator,
};

/**
 * An architecture: makes an encoder for a vocabulary. `awdLstm` is one; `gptModel({ … })` and `bertModel({ … })` give one.
 * One that reads weights from files is asynchronous.
 *
 * @throws ConfigError where it has weights for another number of tokens.
 */
export type TextArch = (
  vocabSize: number,
  options?: TextArchOptions,
) => SequenceEncoder | Promise<SequenceEncoder>;

/** How the positions of a text become one vector: the last, the largest and the mean of each feature; the mean; the first. */
export type TextPooling = "concat" | "mean" | "first";

/**
 * Tokens to vectors, one a position: what language models and classifiers have in common.
 *
 * State that is carried from batch to batch lies in `Buffer`s of `#private` fields, which are in no state dict, and is
 * assigned in `forward`: then training steps are captured and replayed with it.
 */
export abstract class SequenceEncoder extends Module<Tensor[], Tensor> {
  /** Number of tokens that there are vectors for. */
  abstract readonly vocabSize: number;
  /** Features of a position in the output. */
  abstract readonly hiddenSize: number;
  /** Whether a position depends on itself and earlier ones only: what language models need. */
  abstract readonly causal: boolean;
  /** Whether a batch goes on where the one before ended, until {@link SequenceEncoder.reset}. */
  abstract readonly carriesState: boolean;
  /** Most positions of a text; null where there is no limit. */
  abstract readonly maxLength: number | null;
  /** How a classifier makes one vector of the positions, unless it is told another way. */
  abstract readonly pooling: TextPooling;
  /**
   * The vectors of tokens, `[vocabSize, width]`: a language model uses them to tell tokens from features, too, where the
   * width is {@link SequenceEncoder.hiddenSize}. Null where its output layer has weights of its own.
   */
  abstract readonly tiedWeight: Parameter | null;
  /** Whether the output layer of a language model has biases. */
  abstract readonly headBias: boolean;
  /** Probability of dropout between the output and a language model's or classifier's layers; `dropMult` is in it. */
  abstract readonly outputDropout: number;

  /**
   * What the encoder makes of tokens.
   *
   * @param ids Numbers of tokens, i32 `[b, n]`.
   * @param mask Which of them are tokens, bool `[b, n]`: in each row true up to the text's end, then false. All by default.
   * @returns f32 `[b, n, hiddenSize]`; finite where the mask is false, too.
   */
  abstract override forward(ids: Tensor, mask?: Tensor): Tensor;

  /**
   * The modules in groups for discriminative learning rates, those nearest to the tokens first; each parameter is in one of
   * them, tied ones in the first that has it.
   */
  abstract layerGroups(): readonly (readonly AnyModule[])[];

  /** Whether outputs come one after the other from a state, so that large and unsteady ones are worth a penalty. */
  get recurrent(): boolean {
    return this.pooling === "concat";
  }

  /** Forgets the state that is carried from batch to batch. */
  reset(): void {}

  /** The state that is carried from batch to batch, by name, for checkpoints; empty where there is none. */
  carriedState(): ReadonlyMap<string, Tensor> {
    return new Map();
  }

  /** Takes back what {@link SequenceEncoder.carriedState} gave. */
  carry(_state: ReadonlyMap<string, Tensor>): void {}

  /**
   * Keys and values of a text that is written on, token by token, outside of training: then a token costs one position, not
   * all of them. Null where the architecture keeps none, and each token goes through it with all that came before.
   *
   * @param positions Most positions of the text, up to {@link SequenceEncoder.maxLength}.
   */
  cache(_positions: number): TextCache | null {
    return null;
  }
}

/** What an encoder gave in the last forward pass of a {@link TextModel}, f32 `[b, n, features]`. */
export interface RnnOutputs {
  /** As the encoder gave it. */
  readonly raw: Tensor;
  /** After dropout. */
  readonly dropped: Tensor;
}

/** A model on an encoder. */
export abstract class TextModel extends Module<Tensor[], Tensor> {
  /** Tokens to features. */
  abstract readonly encoder: SequenceEncoder;
  /** What the encoder gave in the last `forward`; null before one. */
  rnnOutputs: RnnOutputs | null = null;

  /** Forgets the state that is carried from batch to batch, and the last outputs. */
  reset(): void {
    this.rnnOutputs = null;
    this.encoder.reset();
  }
}
