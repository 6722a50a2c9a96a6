/**
 * GPT-2: a decoder that sees what came before each token, with Hugging Face's names.
 *
 * @module
 * @see Radford et al. 2019, "Language models are unsupervised multitask learners"
 */
import type { LayerJson } from "../../base/json.ts";
import { ConfigError, ShapeError } from "../../base/errors.ts";
import { checkArgument, checkOptions, flag, num, oneOf, type OptionTable, whole } from "../../base/options.ts";
import { type AnyModule, Dropout, type Embedding, LayerNorm, Module } from "../../nn/mod.ts";
import { defaultRng, ops, type Parameter, stepInput, type Tensor } from "../../tensor/mod.ts";
import { SequenceEncoder, TEXT_ARCH, type TextArch, type TextArchOptions, type TextPooling } from "../architecture.ts";
import { KeyValues, type Place, placeOf, type TextCache } from "../key_values.ts";
import { hasLora } from "../lora_layer.ts";
import { checkVocab, type ConfigSource, type FileSource, HubConfig } from "../weights.ts";
import { aConfig, aFile } from "./bert.ts";
import {
  ACTIVATION_NAMES,
  type ActivationName,
  ACTIVATIONS,
  checkHeads,
  checkTokens,
  Conv1D,
  type Drawn,
  drawnBy,
  fromHeads,
  toHeads,
  vectors,
} from "./parts.ts";

/** Sizes of a GPT; the defaults are those of the smallest GPT-2. */
export interface GptSizes {
  /** Number of layers; 12 by default. */
  readonly nLayer?: number;
  /** Number of heads of attention; 12 by default. */
  readonly nHead?: number;
  /** Features of a position; 768 by default. */
  readonly nEmbd?: number;
  /** Size of the layer between the two linear ones; four times `nEmbd` by default. */
  readonly nInner?: number;
  /** Most positions of a text; 1,024 by default. */
  readonly blockSize?: number;
  /** What stands between the linear layers; `"gelu_new"`, GELU by tanh, by default. */
  readonly activation?: ActivationName;
  /** Probability that a feature is dropped, in training; 0.1 by default. */
  readonly dropout?: number;
  /** Probability that a weight of attention is dropped, in training; 0.1 by default. */
  readonly attentionDropout?: number;
  /** Added to the variance by normalizations; 1e-5 by default. */
  readonly layerNormEps?: number;
}

/** Options of {@link gptModel}. */
export interface GptOptions extends GptSizes {
  /** Number of tokens, where it is to be held against the vocabulary's. */
  readonly vocabSize?: number;
  /** A safetensors file with GPT-2's names, as `model.safetensors` of the hub. */
  readonly weights?: FileSource;
  /** Its `config.json`, or what is in it: sizes are taken from there. That beside the weights by default. */
  readonly config?: ConfigSource;
}

const SIZES: OptionTable<GptSizes> = {
  nLayer: whole(1),
  nHead: whole(1),
  nEmbd: whole(1),
  nInner: whole(1),
  blockSize: whole(1),
  activation: oneOf(...ACTIVATION_NAMES),
  dropout: num,
  attentionDropout: num,
  layerNormEps: num,
};
const OPTIONS: OptionTable<GptOptions> = { ...SIZES, vocabSize: whole(1), weights: aFile, config: aConfig };

type Sizes = Required<GptSizes>;

/** What a layer is built from. */
interface Parts extends Drawn {
  readonly sizes: Sizes;
  /** Multiplies probabilities. */
  readonly drop: number;
  /** How layers that are added to what went in are drawn: their sum shall not grow with the depth. */
  readonly last: Drawn;
}

const dropout = ({ rng, drop }: Parts, p: number) => new Dropout(p * drop, rng === undefined ? {} : { rng });
const conv = (inFeatures: number, outFeatures: number, drawn: Drawn) =>
  new Conv1D(inFeatures, outFeatures, drawn, defaultRng());

/** Keys and values that a layer keeps: those of a text from its start on, or of one token more, at a place. */
interface Kept {
  readonly values: KeyValues;
  readonly place: Place | null;
}

/** Attention to what came before. */
class GptAttention extends Module<[x: Tensor, seen: Tensor | null, kept?: Kept]> {
  readonly cAttn: Conv1D;
  readonly cProj: Conv1D;
  readonly residDropout: Dropout;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    super();
    const { nEmbd, dropout: p } = parts.sizes;
    this.cAttn = this.named("c_attn", conv(nEmbd, 3 * nEmbd, parts));
    this.cProj = this.named("c_proj", conv(nEmbd, nEmbd, parts.last));
    this.residDropout = dropout(parts, p);
    this.#parts = parts;
  }

  override forward(x: Tensor, seen: Tensor | null, kept?: Kept): Tensor {
    const { sizes: { nEmbd, nHead, attentionDropout }, drop, rng } = this.#parts;
    const [query, ...own] = this.cAttn.forward(x).split(nEmbd, { axis: 2 });
    const place = kept?.place ?? null;
    if (place === null) kept?.values.fill(own[0], own[1]);
    const pair = place === null ? own : kept!.values.put(own[0], own[1], place.at);
    const [q, k, v] = [query, ...pair].map((part) => toHeads(part, nHead));
    const y = ops.scaledDotProductAttention(q, k, v, {
      causal: place === null,
      dropout: this.training ? attentionDropout * drop : 0,
      ...(seen === null ? {} : { mask: seen }),
      ...(rng === undefined ? {} : { rng }),
    });
    return this.residDropout.forward(this.cProj.forward(fromHeads(y)));
  }
}

/** Two linear layers. */
class GptMlp extends Module<[Tensor]> {
  readonly cFc: Conv1D;
  readonly cProj: Conv1D;
  readonly dropout: Dropout;
  readonly #activation: ActivationName;

  constructor(parts: Parts) {
    super();
    const { nEmbd, nInner, activation, dropout: p } = parts.sizes;
    this.cFc = this.named("c_fc", conv(nEmbd, nInner, parts));
    this.cProj = this.named("c_proj", conv(nInner, nEmbd, parts.last));
    this.dropout = dropout(parts, p);
    this.#activation = activation;
  }

  override forward(x: Tensor): Tensor {
    return this.dropout.forward(this.cProj.forward(ACTIVATIONS[this.#activation](this.cFc.forward(x))));
  }
}

/** One layer: attention and two linear layers, each of the normalized input, and added to it. */
class GptBlock extends Module<[x: Tensor, seen: Tensor | null, kept?: Kept]> {
  readonly ln1: LayerNorm;
  readonly attn: GptAttention;
  readonly ln2: LayerNorm;
  readonly mlp: GptMlp;

  constructor(parts: Parts) {
    super();
    const { nEmbd, layerNormEps: eps } = parts.sizes;
    this.ln1 = this.named("ln_1", new LayerNorm(nEmbd, { eps }));
    this.attn = new GptAttention(parts);
    this.ln2 = this.named("ln_2", new LayerNorm(nEmbd, { eps }));
    this.mlp = new GptMlp(parts);
  }

  override forward(x: Tensor, seen: Tensor | null, kept?: Kept): Tensor {
    const y = x.add(this.attn.forward(this.ln1.forward(x), seen, kept));
    return y.add(this.mlp.forward(this.ln2.forward(y)));
  }
}

/** What a {@link Gpt} is told beside its sizes. */
export interface GptMadeOptions extends TextArchOptions {
  /** Whether weights come from a file afterwards: then none are drawn. */
  readonly loaded?: boolean;
}

const MADE: OptionTable<GptMadeOptions> = { ...TEXT_ARCH, loaded: flag };

/** GPT-2 without its output layer: numbers of tokens `[b, n]` to features of positions `[b, n, nEmbd]`. Names are Hugging Face's. */
export class Gpt extends SequenceEncoder {
  override readonly hiddenSize: number;
  override readonly causal: boolean = true;
  override readonly carriesState: boolean = false;
  override readonly maxLength: number;
  override readonly pooling: TextPooling = "concat";
  override readonly headBias: boolean = false;
  override readonly outputDropout: number;
  /** Its sizes. */
  readonly sizes: Sizes;
  /** Vectors of tokens. */
  readonly wte: Embedding;
  /** Vectors of positions. */
  readonly wpe: Embedding;
  /** Of the sum of both. */
  readonly drop: Dropout;
  /** The layers. */
  readonly h: readonly GptBlock[];
  /** Behind the last layer. */
  readonly lnF: LayerNorm;

  /**
   * Draws the first weights, as GPT-2 does: normal with deviation 0.02, less where layers add up; biases 0.
   *
   * @param vocabSize Number of tokens that there are vectors for.
   * @param sizes Its sizes.
   * @param made What an architecture is told; `loaded` where weights come from a file.
   */
  constructor(
    override readonly vocabSize: number,
    sizes: GptSizes = {},
    readonly made: GptMadeOptions = {},
  ) {
    super();
    checkOptions("make a GPT", sizes, SIZES);
    checkOptions("make a GPT", made, MADE);
    const { nEmbd = 768, nLayer = 12, nHead = 12 } = sizes;
    this.sizes = {
      nInner: 4 * nEmbd,
      blockSize: 1024,
      activation: "gelu_new",
      dropout: 0.1,
      attentionDropout: 0.1,
      layerNormEps: 1e-5,
      ...sizes,
      nEmbd,
      nLayer,
      nHead,
    };
    checkHeads("a GPT", nEmbd, nHead);
    const { task = "lm", dropMult = 1, rng, loaded = false } = made;
    const { blockSize, dropout: p, layerNormEps: eps } = this.sizes;
    const drawn = drawnBy(0.02, rng, loaded), last = drawnBy(0.02 / Math.sqrt(2 * nLayer), rng, loaded);
    const parts: Parts = { ...drawn, last, sizes: this.sizes, drop: dropMult };
    this.hiddenSize = nEmbd;
    this.maxLength = blockSize;
    this.outputDropout = task === "lm" ? 0 : p * dropMult;
    this.wte = vectors(vocabSize, nEmbd, parts);
    this.wpe = vectors(blockSize, nEmbd, parts);
    this.drop = dropout(parts, p);
    this.h = Array.from({ length: nLayer }, () => new GptBlock(parts));
    this.lnF = this.named("ln_f", new LayerNorm(nEmbd, { eps }));
  }

  override get tiedWeight(): Parameter {
    return this.wte.weight;
  }

  override forward(ids: Tensor, mask?: Tensor): Tensor {
    checkTokens("a GPT", ids, mask, this.maxLength);
    const [b, n] = ids.shape;
    const seen = mask === undefined ? null : mask.cast("bool").reshape([b, 1, 1, n]);
    const x = this.drop.forward(this.wte.forward(ids).add(this.wpe.weight.slice([[0, n]])));
    return this.lnF.forward(this.h.reduce((y, block) => block.forward(y, seen), x));
  }

  /** See {@link SequenceEncoder.cache}. */
  override cache(positions: number): TextCache | null {
    if (this.forward !== Gpt.prototype.forward) return null; // replaced, or watched by hooks: it is what is to be called
    checkArgument("keep keys and values of a GPT", "positions", positions, whole(1));
    if (positions > this.maxLength) {
      throw new ShapeError(`Cannot keep ${positions} positions of a GPT: it has ${this.maxLength}`);
    }
    const layers = this.h.map(() => new KeyValues(positions, this.hiddenSize));
    const through = (ids: Tensor, where: Tensor, place: Place | null) => {
      const x = this.drop.forward(this.wte.forward(ids).add(where));
      const seen = place?.seen ?? null;
      return this.lnF.forward(this.h.reduce((y, block, i) => block.forward(y, seen, { values: layers[i], place }), x));
    };
    return {
      positions,
      start: (ids) => through(ids, this.wpe.weight.slice([[0, ids.shape[1]]]), null),
      next: (id, at) => {
        const here = stepInput(Int32Array.of(at));
        return through(id, this.wpe.forward(here), placeOf(at, positions, here));
      },
      dispose: () => layers.forEach((layer) => layer.dispose()),
    };
  }

  override layerGroups(): readonly (readonly AnyModule[])[] {
    const blocks = this.h.map((block) => [block] as AnyModule[]);
    blocks.at(-1)!.push(this.lnF);
    return [[this.wte, this.wpe], ...blocks];
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    if (hasLora(this)) return null;
    const { vocabSize, sizes, made: { rng: _, loaded: __, ...made } } = this;
    return { kind: "Gpt", vocabSize, sizes: { ...sizes }, made: { ...made } };
  }
}

/** The sizes that a `config.json` has. */
function sizesOf(config: HubConfig): GptSizes {
  config.checkType("gpt2", "a GPT");
  config.refuse("scale_attn_weights", true);
  config.refuse("scale_attn_by_inverse_layer_idx", false);
  config.refuse("add_cross_attention", false);
  const inner = config.values.n_inner;
  return {
    nLayer: config.count("n_layer"),
    nHead: config.count("n_head"),
    nEmbd: config.count("n_embd"),
    ...(inner === undefined || inner === null ? {} : { nInner: config.count("n_inner") }),
    blockSize: config.count("n_positions"),
    activation: config.word("activation_function", ACTIVATION_NAMES, "gelu_new"),
    dropout: config.number("resid_pdrop", 0.1),
    attentionDropout: config.number("attn_pdrop", 0.1),
    layerNormEps: config.number("layer_norm_epsilon", 1e-5),
  };
}

/** The output layer, whose weights are the tokens' vectors, and masks that older files hold. */
const NAMES = { prefixes: ["transformer."], unused: [/^lm_head\.weight$/, /\.attn\.(masked_)?bias$/, /^score\./] };

/**
 * An architecture of GPT-2's: `gptModel({ nLayer: 6, nHead: 6, nEmbd: 384, blockSize: 256 })` with new weights, or with those of
 * a file, `gptModel({ weights: "model.safetensors" })`, whose sizes its `config.json` has. What else is in `options` wins over
 * the configuration.
 *
 * @throws ConfigError Where made for another vocabulary than the weights' or `vocabSize`, or of a configuration of another model.
 * @throws CheckpointError Where the weights do not fit.
 */
export function gptModel(options: GptOptions = {}): TextArch {
  checkOptions("make a GPT", options, OPTIONS);
  const { weights, config, vocabSize: wanted, ...sizes } = options;
  return async (vocabSize: number, told: TextArchOptions = {}): Promise<SequenceEncoder> => {
    checkOptions("make a GPT", told, TEXT_ARCH);
    if (wanted !== undefined && wanted !== vocabSize) {
      throw new ConfigError(
        `Cannot make a GPT of vocabSize ${wanted} for a vocabulary of ${vocabSize} tokens: leave vocabSize out`,
      );
    }
    const own = await HubConfig.read(config, weights);
    if (own === null) return new Gpt(vocabSize, sizes, told);
    const found = { ...sizesOf(own), ...sizes };
    const rows = weights === undefined ? vocabSize : own.count("vocab_size");
    if (weights !== undefined) checkVocab("weights of a GPT", vocabSize, rows);
    const gpt = new Gpt(rows, found, { ...told, loaded: weights !== undefined });
    if (weights !== undefined) {
      await (await import("../hub_weights.ts")).loadHubWeights(gpt, weights, "weights of a GPT", NAMES);
    }
    return gpt;
  };
}
