/**
 * BERT: an encoder that sees both sides of each token, with Hugging Face's names.
 *
 * @module
 * @see Devlin et al. 2018, arXiv:1810.04805
 */
import type { LayerJson } from "../../base/json.ts";
import {
  checkOptions,
  either,
  flag,
  num,
  objectWith,
  oneOf,
  type OptionTable,
  text,
  whole,
} from "../../base/options.ts";
import { type AnyModule, Dropout, type Embedding, LayerNorm, type Linear, Module } from "../../nn/mod.ts";
import { ops, type Parameter, type Tensor } from "../../tensor/mod.ts";
import { SequenceEncoder, TEXT_ARCH, type TextArch, type TextArchOptions, type TextPooling } from "../architecture.ts";
import { hasLora } from "../lora_layer.ts";
import { checkVocab, type ConfigSource, type FileSource, HubConfig } from "../weights.ts";
import {
  ACTIVATION_NAMES,
  type ActivationName,
  ACTIVATIONS,
  checkHeads,
  checkTokens,
  dense,
  type Drawn,
  drawnBy,
  fromHeads,
  toHeads,
  vectors,
} from "./parts.ts";

/** Sizes of a BERT; the defaults are those of `bert-base`. */
export interface BertSizes {
  /** Features of a position; 768 by default. */
  readonly hiddenSize?: number;
  /** Number of layers; 12 by default. */
  readonly layers?: number;
  /** Number of heads of attention; 12 by default. */
  readonly heads?: number;
  /** Size of the layer between the two linear ones; four times `hiddenSize` by default. */
  readonly intermediateSize?: number;
  /** Most positions of a text; 512 by default. */
  readonly maxLength?: number;
  /** What stands between the linear layers; `"gelu"` by default. */
  readonly activation?: ActivationName;
  /** Probability that a feature is dropped, in training; 0.1 by default. */
  readonly dropout?: number;
  /** Probability that a weight of attention is dropped, in training; 0.1 by default. */
  readonly attentionDropout?: number;
  /** Added to the variance by normalizations; 1e-12 by default. */
  readonly layerNormEps?: number;
  /** Number of kinds of segments; 2 by default. Texts are of the first. */
  readonly segments?: number;
}

/** Options of {@link bertModel}. */
export interface BertOptions extends BertSizes {
  /** A safetensors file with BERT's names, as `model.safetensors` of the hub. */
  readonly weights?: FileSource;
  /** Its `config.json`, or what is in it: sizes are taken from there. That beside the weights by default. */
  readonly config?: ConfigSource;
  /** How a classifier makes one vector of a text: the mean of its positions, by default, or the first one. */
  readonly pooling?: "mean" | "first";
}

const SIZES: OptionTable<BertSizes> = {
  hiddenSize: whole(1),
  layers: whole(1),
  heads: whole(1),
  intermediateSize: whole(1),
  maxLength: whole(1),
  activation: oneOf(...ACTIVATION_NAMES),
  dropout: num,
  attentionDropout: num,
  layerNormEps: num,
  segments: whole(1),
};

/** A file as an option. */
export const aFile = either(text, objectWith<URL>("a URL", "href"));
/** A configuration as an option. */
export const aConfig = either(aFile, objectWith<Readonly<Record<string, unknown>>>("the object that is in it"));

const OPTIONS: OptionTable<BertOptions> = {
  ...SIZES,
  weights: aFile,
  config: aConfig,
  pooling: oneOf("mean", "first"),
};

type Sizes = Required<BertSizes>;

/** What a layer is built from. */
interface Parts extends Drawn {
  readonly sizes: Sizes;
  /** Multiplies probabilities. */
  readonly drop: number;
}

const dropout = ({ rng, drop }: Parts, p: number) => new Dropout(p * drop, rng === undefined ? {} : { rng });

/** Vectors of tokens, positions and segments, added up and normalized. */
class BertEmbeddings extends Module<[Tensor]> {
  readonly wordEmbeddings: Embedding;
  readonly positionEmbeddings: Embedding;
  readonly tokenTypeEmbeddings: Embedding;
  readonly norm: LayerNorm;
  readonly dropout: Dropout;

  constructor(rows: number, padId: number, parts: Parts) {
    super();
    const { hiddenSize, maxLength, segments, layerNormEps, dropout: p } = parts.sizes;
    const padding = padId < rows ? padId : undefined;
    this.wordEmbeddings = this.named("word_embeddings", vectors(rows, hiddenSize, parts, padding));
    this.positionEmbeddings = this.named("position_embeddings", vectors(maxLength, hiddenSize, parts));
    this.tokenTypeEmbeddings = this.named("token_type_embeddings", vectors(segments, hiddenSize, parts));
    this.norm = this.named("LayerNorm", new LayerNorm(hiddenSize, { eps: layerNormEps }));
    this.dropout = dropout(parts, p);
  }

  override forward(ids: Tensor): Tensor {
    const [, n] = ids.shape;
    const y = this.wordEmbeddings.forward(ids)
      .add(this.positionEmbeddings.weight.slice([[0, n]]))
      .add(this.tokenTypeEmbeddings.weight.slice([[0, 1]]).reshape([-1]));
    return this.dropout.forward(this.norm.forward(y));
  }
}

/** A linear layer, dropout, the input added, and a normalization. */
class BertOutput extends Module<[y: Tensor, x: Tensor]> {
  readonly dense: Linear;
  readonly norm: LayerNorm;
  readonly dropout: Dropout;

  constructor(inFeatures: number, parts: Parts) {
    super();
    const { hiddenSize, layerNormEps, dropout: p } = parts.sizes;
    this.dense = dense(inFeatures, hiddenSize, parts);
    this.norm = this.named("LayerNorm", new LayerNorm(hiddenSize, { eps: layerNormEps }));
    this.dropout = dropout(parts, p);
  }

  override forward(y: Tensor, x: Tensor): Tensor {
    return this.norm.forward(this.dropout.forward(this.dense.forward(y)).add(x));
  }
}

/** Attention of positions to each other. */
class BertSelfAttention extends Module<[x: Tensor, seen: Tensor | null]> {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    super();
    const { hiddenSize } = parts.sizes;
    this.query = dense(hiddenSize, hiddenSize, parts);
    this.key = dense(hiddenSize, hiddenSize, parts);
    this.value = dense(hiddenSize, hiddenSize, parts);
    this.#parts = parts;
  }

  override forward(x: Tensor, seen: Tensor | null): Tensor {
    const { sizes: { heads, attentionDropout }, drop, rng } = this.#parts;
    const [q, k, v] = [this.query, this.key, this.value].map((layer) => toHeads(layer.forward(x), heads));
    return fromHeads(ops.scaledDotProductAttention(q, k, v, {
      dropout: this.training ? attentionDropout * drop : 0,
      ...(seen === null ? {} : { mask: seen }),
      ...(rng === undefined ? {} : { rng }),
    }));
  }
}

/** Attention, and its output layer. */
class BertAttention extends Module<[x: Tensor, seen: Tensor | null]> {
  readonly self: BertSelfAttention;
  readonly output: BertOutput;

  constructor(parts: Parts) {
    super();
    this.self = new BertSelfAttention(parts);
    this.output = new BertOutput(parts.sizes.hiddenSize, parts);
  }

  override forward(x: Tensor, seen: Tensor | null): Tensor {
    return this.output.forward(this.self.forward(x, seen), x);
  }
}

/** One layer. */
class BertLayer extends Module<[x: Tensor, seen: Tensor | null]> {
  readonly attention: BertAttention;
  readonly intermediate: { readonly dense: Linear };
  readonly output: BertOutput;
  readonly #activation: ActivationName;

  constructor(parts: Parts) {
    super();
    const { hiddenSize, intermediateSize, activation } = parts.sizes;
    this.attention = new BertAttention(parts);
    this.intermediate = { dense: dense(hiddenSize, intermediateSize, parts) };
    this.output = new BertOutput(intermediateSize, parts);
    this.#activation = activation;
  }

  override forward(x: Tensor, seen: Tensor | null): Tensor {
    const y = this.attention.forward(x, seen);
    return this.output.forward(ACTIVATIONS[this.#activation](this.intermediate.dense.forward(y)), y);
  }
}

/** What a {@link Bert} is told beside its sizes. */
export interface BertMadeOptions extends TextArchOptions {
  /** How a classifier makes one vector of a text; the mean of its positions by default. */
  readonly pooling?: "mean" | "first";
  /** Whether weights come from a file afterwards: then none are drawn. */
  readonly loaded?: boolean;
}

const MADE: OptionTable<BertMadeOptions> = { ...TEXT_ARCH, pooling: oneOf("mean", "first"), loaded: flag };

/** BERT's encoder: numbers of tokens `[b, n]` to features of positions `[b, n, hiddenSize]`. Names are Hugging Face's. */
export class Bert extends SequenceEncoder {
  override readonly hiddenSize: number;
  override readonly causal: boolean = false;
  override readonly carriesState: boolean = false;
  override readonly maxLength: number;
  override readonly headBias: boolean = true;
  override readonly outputDropout: number;
  /** Its sizes. */
  readonly sizes: Sizes;
  /** Vectors of tokens, positions and segments. */
  readonly embeddings: BertEmbeddings;
  /** The layers. */
  readonly encoder: { readonly layer: readonly BertLayer[] };

  /**
   * Draws the first weights: normal with deviation 0.02, biases 0.
   *
   * @param vocabSize Number of tokens that there are vectors for.
   * @param sizes Its sizes.
   * @param made What an architecture is told; `loaded` where weights come from a file.
   */
  constructor(
    override readonly vocabSize: number,
    sizes: BertSizes = {},
    readonly made: BertMadeOptions = {},
  ) {
    super();
    checkOptions("make a BERT", sizes, SIZES);
    checkOptions("make a BERT", made, MADE);
    const { hiddenSize = 768, layers = 12, heads = 12 } = sizes;
    this.sizes = {
      intermediateSize: 4 * hiddenSize,
      maxLength: 512,
      activation: "gelu",
      dropout: 0.1,
      attentionDropout: 0.1,
      layerNormEps: 1e-12,
      segments: 2,
      ...sizes,
      hiddenSize,
      layers,
      heads,
    };
    checkHeads("a BERT", hiddenSize, heads);
    const { dropMult = 1, padId = 0, rng, loaded = false } = made;
    const parts: Parts = { ...drawnBy(0.02, rng, loaded), sizes: this.sizes, drop: dropMult };
    this.hiddenSize = hiddenSize;
    this.maxLength = this.sizes.maxLength;
    this.outputDropout = this.sizes.dropout * dropMult;
    this.embeddings = new BertEmbeddings(vocabSize, padId, parts);
    this.encoder = { layer: Array.from({ length: layers }, () => new BertLayer(parts)) };
  }

  override get pooling(): TextPooling {
    return this.made.pooling ?? "mean";
  }

  override get tiedWeight(): Parameter {
    return this.embeddings.wordEmbeddings.weight;
  }

  override forward(ids: Tensor, mask?: Tensor): Tensor {
    checkTokens("a BERT", ids, mask, this.maxLength);
    const [b, n] = ids.shape;
    const seen = mask === undefined ? null : mask.cast("bool").reshape([b, 1, 1, n]);
    return this.encoder.layer.reduce((x, layer) => layer.forward(x, seen), this.embeddings.forward(ids));
  }

  override layerGroups(): readonly (readonly AnyModule[])[] {
    return [[this.embeddings], ...this.encoder.layer.map((layer) => [layer])];
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    if (hasLora(this)) return null;
    const { vocabSize, sizes, made: { rng: _, loaded: __, ...made } } = this;
    return { kind: "Bert", vocabSize, sizes: { ...sizes }, made: { ...made } };
  }
}

/** The sizes that a `config.json` has. */
function sizesOf(config: HubConfig): BertSizes {
  config.checkType("bert", "a BERT");
  config.refuse("position_embedding_type", "absolute");
  return {
    hiddenSize: config.count("hidden_size"),
    layers: config.count("num_hidden_layers"),
    heads: config.count("num_attention_heads"),
    intermediateSize: config.count("intermediate_size"),
    maxLength: config.count("max_position_embeddings"),
    activation: config.word("hidden_act", ACTIVATION_NAMES, "gelu"),
    dropout: config.number("hidden_dropout_prob", 0.1),
    attentionDropout: config.number("attention_probs_dropout_prob", 0.1),
    layerNormEps: config.number("layer_norm_eps", 1e-12),
    segments: config.number("type_vocab_size", 2),
  };
}

/** Heads of pre-training, and positions that are the numbers from 0. */
const NAMES = { prefixes: ["bert."], unused: [/^pooler\./, /^cls\./, /^classifier\./, /position_ids$/] };

/**
 * An architecture of BERT's: with the weights of a file, `bertModel({ weights: "model.safetensors" })`, whose sizes its
 * `config.json` has, or with new ones. What else is in `options` wins over the configuration.
 *
 * @throws ConfigError Where made for another vocabulary than the weights', or of a configuration of another model.
 * @throws CheckpointError Where the weights do not fit.
 */
export function bertModel(options: BertOptions = {}): TextArch {
  checkOptions("make a BERT", options, OPTIONS);
  const { weights, config, pooling = "mean", ...sizes } = options;
  return async (vocabSize: number, told: TextArchOptions = {}): Promise<SequenceEncoder> => {
    checkOptions("make a BERT", told, TEXT_ARCH);
    const own = await HubConfig.read(config, weights);
    if (own === null) return new Bert(vocabSize, sizes, { ...told, pooling });
    const found = { ...sizesOf(own), ...sizes };
    const rows = weights === undefined ? vocabSize : own.count("vocab_size");
    const padId = told.padId ?? own.number("pad_token_id", 0);
    if (weights !== undefined) checkVocab("weights of a BERT", vocabSize, rows);
    const bert = new Bert(rows, found, {
      ...told,
      padId,
      pooling,
      loaded: weights !== undefined,
    });
    if (weights !== undefined) {
      await (await import("../hub_weights.ts")).loadHubWeights(bert, weights, "weights of a BERT", NAMES);
    }
    return bert;
  };
}
