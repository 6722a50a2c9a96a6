/**
 * Learners for texts.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, num, type OptionTable } from "../base/options.ts";
import type { Batch, DataLoaders } from "../data/mod.ts";
import { modelPath, type PredictInput, type Prediction } from "../fit/mod.ts";
import { Learner } from "../learner/mod.ts";
import { CrossEntropyLoss } from "../nn/mod.ts";
import { aGenerator, type Rng, type Tensor } from "../tensor/mod.ts";
import { learnerOptions, type ParamGroups, type TrainLoopOptions } from "../train/mod.ts";
import { inTurn } from "../train/runs.ts";
import type { SequenceEncoder, TextArch, TextModel, TextPooling } from "./architecture.ts";
import { CLASSIFIER, TextClassifier } from "./classifier.ts";
import type { ShowTextOptions } from "./data/show_text.ts";
import { TextDataLoaders } from "./data/text_loaders.ts";
import { GENERATE, type GenerateOptions } from "./generate_options.ts";
import { LanguageModel } from "./language_model.ts";
import { ModelResetter, RNNRegularizer } from "./rnn_callbacks.ts";

/** Options of {@link TextLearner}. */
export interface TextLearnerOptions<M extends TextModel = TextModel> extends TrainLoopOptions<M> {
  /** Weight of activation regularization; 2 for models that carry a state, else 0. See {@link RNNRegularizer}. */
  readonly alpha?: number;
  /** Weight of temporal activation regularization; 1 for models that carry a state, else 0. */
  readonly beta?: number;
}

/** Options of {@link languageModelLearner}: those of the learner, and these. */
export interface LanguageModelOptions extends TextLearnerOptions<LanguageModel> {
  /** Multiplies every probability of dropout; 1 by default. */
  readonly dropMult?: number;
  /** Where the first weights come from; the default generator. */
  readonly rng?: Rng;
}

/** Options of {@link textClassifierLearner}: those of the learner, and these. */
export interface TextClassifierOptions extends TextLearnerOptions<TextClassifier> {
  /** Multiplies every probability of dropout; 0.5 by default. */
  readonly dropMult?: number;
  /** Number of outputs; the number of the data's classes by default. */
  readonly nOut?: number;
  /** How the positions of a text become one vector; by default the encoder's own way. */
  readonly pooling?: TextPooling;
  /** Sizes of layers between the vector and the outputs; [50] with "concat", none otherwise. */
  readonly linFtrs?: readonly number[];
  /** Dropout before each of them. */
  readonly ps?: readonly number[];
  /** Where the first weights come from; the default generator. */
  readonly rng?: Rng;
}

const textOptions = <M extends TextModel>(): OptionTable<TextLearnerOptions<M>> => ({
  ...learnerOptions<M>(),
  alpha: num,
  beta: num,
});

/** A learner whose items are texts. */
export class TextLearner<M extends TextModel = TextModel> extends Learner<M> {
  /**
   * Makes a learner with fastai's habits for texts: a state is forgotten before each part of an epoch, and large or unsteady
   * outputs of models with a state cost something.
   *
   * @param dls Loaders of texts.
   * @param model A {@link LanguageModel} or a {@link TextClassifier}.
   */
  constructor(dls: DataLoaders<Batch>, model: M, options: TextLearnerOptions<M> = {}) {
    checkOptions<TextLearnerOptions<M>>("make a text learner", options, textOptions<M>());
    const { recurrent } = model.encoder;
    const { alpha = recurrent ? 2 : 0, beta = recurrent ? 1 : 0, ...rest } = options;
    super(dls, model, recurrent ? { moms: [0.8, 0.7, 0.8], ...rest } : rest);
    this.addCb(new ModelResetter());
    if (alpha !== 0 || beta !== 0) this.addCb(new RNNRegularizer({ alpha, beta }));
  }

  /** The loaders of texts; a {@link ConfigError} where the data is something else. */
  get textDls(): TextDataLoaders {
    const dls: unknown = this.dls;
    if (dls instanceof TextDataLoaders) return dls;
    throw new ConfigError("Cannot read a text: this learner's data are no TextDataLoaders, give it as tensors");
  }

  /** Saves the encoder alone, for another learner of texts. In the learner's `modelDir` unless absolute; gives the path. */
  async saveEncoder(file: string): Promise<string> {
    const path = modelPath(this, file);
    await this.runs.take("save", async () => {
      await this.ready();
      if (this.peers !== null && this.peers.rank > 0) return;
      const { writeEncoder } = await import("./later.ts");
      await writeEncoder(path, this.model.encoder, this.textDls.tokenizer);
    });
    return path;
  }

  /**
   * Loads what {@link TextLearner.saveEncoder} saved, and freezes all but the last group. Where the tokens are others, each
   * that was there keeps its vector.
   *
   * @throws CheckpointError where there is no such file; ConfigError where it is of another architecture.
   */
  async loadEncoder(file: string): Promise<this> {
    await this.runs.take("load", async () => {
      await this.ready();
      const { tokenizer } = this.textDls;
      const { readEncoder } = await import("./later.ts");
      await readEncoder(modelPath(this, file), this.model.encoder, { tokenizer, learn: this });
    });
    this.freeze();
    return this;
  }
}

/** A learner of a classifier. {@link textClassifierLearner} makes it. */
export class TextClassifierLearner extends TextLearner<TextClassifier> {
  /**
   * What the model makes of one text; or of the tensors of its numbers and mask.
   *
   * @example
   * ```ts ignore
   * const { label, pred } = await learn.predict("Win a prize now!");
   * ```
   */
  override async predict(...item: PredictInput[]): Promise<Prediction> {
    return await super.predict(...item);
  }

  /** Vectors of texts before the layers on top, f32 `[n, d]`, in the texts' order: for neighbours and clusters. */
  async embed(texts: readonly string[], options: { readonly bs?: number } = {}): Promise<Tensor> {
    const { bs } = checkOptions("embed texts", options, { bs: num });
    return await inTurn(this, "embed texts", async () => {
      const { embedTexts } = await import("./later.ts");
      return await embedTexts(this, texts, bs);
    });
  }

  /** The first texts of validation as a table: their classes, and what the model takes them for. */
  async showResults(options: ShowTextOptions = {}): Promise<string> {
    return await inTurn(this, "show results", async () => {
      const { showTextResults } = await import("./later.ts");
      return await showTextResults(this, options);
    });
  }
}

/** A learner of a language model. {@link languageModelLearner} makes it. */
export class LmLearner extends TextLearner<LanguageModel> {
  /**
   * The text, and the tokens that the model writes after it.
   *
   * @param text How it starts.
   * @param n Number of tokens to write; 1 by default.
   * @example
   * ```ts ignore
   * console.log(await learn.predict("Call me", 40, { temperature: 0.75, topK: 40, seed: 1 }));
   * ```
   */
  override predict(text: string, n?: number, options?: GenerateOptions): Promise<string>;
  /** Never called: only for the types of learners of other data. */
  override predict(...item: never[]): Promise<never>;
  override async predict(text: string, n: number = 1, options: GenerateOptions = {}): Promise<string> {
    checkOptions("write on", options, GENERATE);
    const { tokenizer } = this.textDls;
    const before = [...tokenizer.encode(text)];
    const ending = tokenizer.eosId !== null && before.length > 1 && before.at(-1) === tokenizer.eosId; // [SEP], </s>
    const start = ending ? before.slice(0, -1) : before;
    if (start.length === 0) start.push(tokenizer.bosId ?? tokenizer.eosId ?? tokenizer.padId);
    return await this.runs.take("predict", async () => {
      const { generate, inEval } = await import("./later.ts");
      const written = await inEval(this, () => generate(this.model, start, n, { ...options, tokenizer }));
      return tokenizer.decode([...start, ...written]);
    });
  }

  /** The first rows of validation as a table: a text, what comes next, and what the model takes for likeliest. */
  async showResults(options: ShowTextOptions = {}): Promise<string> {
    return await inTurn(this, "show results", async () => {
      const { showLmResults } = await import("./later.ts");
      return await showLmResults(this, options);
    });
  }
}

/** The loaders, of texts, of the kind that is wanted. */
function textsOf(dls: unknown, what: string, isLm: boolean): TextDataLoaders {
  if (!(dls instanceof TextDataLoaders)) {
    throw new ConfigError(
      `Cannot make ${what}: data come first, as TextDataLoaders${dls instanceof Promise ? ": await them first" : ""}`,
    );
  }
  if (dls.isLm !== isLm) {
    throw new ConfigError(
      isLm
        ? `Cannot make ${what}: the texts have classes and are no stream, load them with { isLm: true }`
        : `Cannot make ${what}: the texts are a stream without classes, load them without isLm`,
    );
  }
  return dls;
}

/** What an architecture makes, and whether it fits the data. */
async function encoderOf(
  dls: TextDataLoaders,
  arch: TextArch,
  what: string,
  options: { readonly task: "lm" | "classifier"; readonly dropMult: number; readonly rng?: Rng },
): Promise<SequenceEncoder> {
  if (typeof arch !== "function") {
    throw new ConfigError(
      `Cannot make ${what}: the architecture comes second, as awdLstm, gptModel({ … }) or bertModel({ … })`,
    );
  }
  const { tokenizer, seqLen } = dls;
  const encoder = await arch(tokenizer.size, { ...options, padId: tokenizer.padId });
  if (encoder.vocabSize < tokenizer.size) {
    throw new ConfigError(
      `Cannot make ${what}: the model has vectors for ${encoder.vocabSize} tokens, and the vocabulary has ${tokenizer.size}`,
    );
  }
  if (encoder.maxLength !== null && encoder.maxLength < seqLen) {
    throw new ConfigError(
      `Cannot make ${what}: the model takes ${encoder.maxLength} tokens at most, and seqLen is ${seqLen}; load the texts ` +
        `with { seqLen: ${encoder.maxLength} }`,
    );
  }
  return encoder;
}

const parametersOf = (
  modules: Iterable<{ parameters(): ParamGroups[number] }>,
) => [...new Set([...modules].flatMap((m) => [...m.parameters()]))];

/**
 * Parameter groups of a language model, as fastai's `awd_lstm_lm_split`: the encoder's from the first layer above the vectors
 * of tokens on, then these vectors with the output layer. Where the output layer has weights of its own, the vectors come first.
 */
export function lmSplitter(model: LanguageModel): ParamGroups {
  const [tokens, ...layers] = model.encoder.layerGroups();
  const tied = model.decoder.weight === model.encoder.tiedWeight;
  const groups = tied ? [...layers, [...tokens, model.decoder]] : [tokens, ...layers, [model.decoder]];
  return disjoint(groups.map((group) => parametersOf(group)));
}

/** Parameter groups of a classifier, as fastai's `awd_lstm_clas_split`: the vectors of tokens, each layer, the head. */
export function classifierSplitter(model: TextClassifier): ParamGroups {
  return disjoint([...model.encoder.layerGroups(), [model.head]].map((group) => parametersOf(group)));
}

/** Groups without what earlier ones have, and without empty ones. */
function disjoint(groups: readonly ParamGroups[number][]): ParamGroups {
  const seen = new Set<unknown>();
  return groups.map((group) => group.filter((p) => !seen.has(p) && seen.add(p))).filter(({ length }) => length > 0);
}

/**
 * A learner of a language model: `arch` for the data's tokens, an output layer with the vectors of the tokens as weights, and
 * groups for discriminative learning rates.
 *
 * @param dls Loaders of a stream: `TextDataLoaders` with `isLm`.
 * @param arch Such as `awdLstm` or `gptModel({ … })`.
 * @example
 * ```ts ignore
 * const learn = await languageModelLearner(dls, awdLstm, { dropMult: 0.3, metrics: [accuracy, perplexity] });
 * await learn.fitOneCycle(4, { lrMax: 5e-3 });
 * console.log(await learn.predict("Call me", 40, { temperature: 0.75 }));
 * ```
 */
export async function languageModelLearner(
  dls: DataLoaders<Batch> | TextDataLoaders,
  arch: TextArch,
  options: LanguageModelOptions = {},
): Promise<LmLearner> {
  const what = "a language model learner";
  checkOptions(`make ${what}`, options, { ...textOptions<LanguageModel>(), dropMult: num, rng: aGenerator });
  const { dropMult = 1, rng, ...rest } = options;
  const texts = textsOf(dls, what, true), drawn = rng === undefined ? {} : { rng };
  const model = new LanguageModel(await encoderOf(texts, arch, what, { task: "lm", dropMult, ...drawn }), drawn);
  return new LmLearner(texts, model, {
    splitter: lmSplitter,
    lossFunc: new CrossEntropyLoss({ axis: -1 }),
    ...rest,
  });
}

/**
 * A learner of a classifier: `arch` for the data's tokens, one vector for each text, layers on top, and groups for
 * discriminative learning rates and gradual unfreezing.
 *
 * @param dls Loaders of texts with classes: `TextDataLoaders`.
 * @param arch Such as `awdLstm` or `bertModel({ weights, config })`.
 * @example
 * ```ts ignore
 * const learn = await textClassifierLearner(dls, awdLstm, { metrics: [accuracy] });
 * await learn.loadEncoder("moby");
 * await learn.fitOneCycle(1, { lrMax: 2e-2 });
 * learn.freezeTo(-2);
 * await learn.fitOneCycle(1, { lrMax: slice(1e-2 / 2.6 ** 4, 1e-2) });
 * ```
 */
export async function textClassifierLearner(
  dls: DataLoaders<Batch> | TextDataLoaders,
  arch: TextArch,
  options: TextClassifierOptions = {},
): Promise<TextClassifierLearner> {
  const what = "a text classifier learner";
  checkOptions(`make ${what}`, options, {
    ...textOptions<TextClassifier>(),
    dropMult: num,
    nOut: num,
    ...CLASSIFIER,
  });
  const { dropMult = 0.5, rng, nOut, pooling, linFtrs, ps, ...rest } = options;
  const texts = textsOf(dls, what, false), drawn = rng === undefined ? {} : { rng };
  const encoder = await encoderOf(texts, arch, what, { task: "classifier", dropMult, ...drawn });
  const model = new TextClassifier(encoder, nOut ?? texts.c, {
    ...drawn,
    ...(pooling === undefined ? {} : { pooling }),
    ...(linFtrs === undefined ? {} : { linFtrs }),
    ...(ps === undefined ? {} : { ps }),
  });
  return new TextClassifierLearner(texts, model, { splitter: classifierSplitter, ...rest });
}
