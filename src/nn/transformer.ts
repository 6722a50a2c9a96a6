/**
 * Layers of transformers, and stacks of them.
 *
 * @module
 * @see Vaswani et al. 2017, arXiv:1706.03762
 */
import type { LayerJson } from "../base/json.ts";
import { checkOptions, either, flag, func, num, oneOf, type OptionTable } from "../base/options.ts";
import { aGenerator, aTensor, type Rng, type Tensor } from "../tensor/mod.ts";
import { Dropout } from "./activations.ts";
import { ATTEND, type AttendOptions, MultiheadAttention } from "./attention.ts";
import { checkSizes, Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { LayerNorm } from "./norm.ts";

/** Options of {@link TransformerEncoderLayer} and {@link TransformerDecoderLayer}; the defaults are PyTorch's. */
export interface TransformerLayerOptions {
  /** Size of the layer between the two linear ones; 2048 by default. */
  readonly dimFeedforward?: number;
  /** Probability of dropout, in attention and elsewhere; 0.1 by default. */
  readonly dropout?: number;
  /** What stands between the linear layers; `"relu"` by default. */
  readonly activation?: "relu" | "gelu" | ((x: Tensor) => Tensor);
  /** Added to the variance by normalizations; 1e-5 by default. */
  readonly layerNormEps?: number;
  /** Whether each part normalizes its input, rather than what it gives and its input together; false by default. */
  readonly normFirst?: boolean;
  /** Whether linear layers have biases; true by default. */
  readonly bias?: boolean;
  /** Where the first weights, and what is dropped, come from; the default generator. */
  readonly rng?: Rng;
}

const LAYER: OptionTable<TransformerLayerOptions> = {
  dimFeedforward: num,
  dropout: num,
  activation: either(oneOf("relu", "gelu"), func<(x: Tensor) => Tensor>()),
  layerNormEps: num,
  normFirst: flag,
  bias: flag,
  rng: aGenerator,
};

/** Options of the `forward` of decoders: those of {@link AttendOptions} say what positions see of each other. */
export interface DecodeAttendOptions extends AttendOptions {
  /** As `mask`: what positions do not see of the memory. */
  readonly memoryMask?: Tensor;
  /** As `keyPaddingMask`: what of the memory is padding. */
  readonly memoryKeyPaddingMask?: Tensor;
  /** Whether position `i` sees the memory up to `i` only; false by default. */
  readonly memoryCausal?: boolean;
}

/** What the options of decoders may be. */
export const DECODE: OptionTable<DecodeAttendOptions> = {
  ...ATTEND,
  memoryMask: aTensor,
  memoryKeyPaddingMask: aTensor,
  memoryCausal: flag,
};

/** What encoders take. */
export type Forward = [x: Tensor, options?: AttendOptions];
/** What decoders take. */
export type DecodeForward = [x: Tensor, memory: Tensor, options?: DecodeAttendOptions];

/** What layers of encoders and decoders have in common: attention of positions to each other, and two linear layers. */
export abstract class TransformerLayer<I extends [x: Tensor, ...rest: unknown[]]> extends Module<I, Tensor> {
  /** Attention of positions to each other. */
  readonly selfAttn: MultiheadAttention;
  /** What its constructor was given. */
  readonly options: TransformerLayerOptions;

  /** Draws the first weights of attention. */
  constructor(readonly dim: number, readonly heads: number, options: TransformerLayerOptions) {
    super();
    checkOptions(`make ${new.target.name}`, options, LAYER);
    const { dimFeedforward = 2048 } = options;
    checkSizes(new.target.name, { dimFeedforward });
    // members that hold no parameters are no part of the state
    this.options = options;
    this.selfAttn = this.named("self_attn", this.attention());
  }

  /** An attention layer of these sizes. */
  protected attention(): MultiheadAttention {
    const { dropout = 0.1, bias = true } = this.options;
    return new MultiheadAttention(this.dim, this.heads, { dropout, bias, ...this.drawn() });
  }

  /** The generator, as an option. */
  protected drawn(): { readonly rng?: Rng } {
    const { rng } = this.options;
    return rng === undefined ? {} : { rng };
  }

  /** What stands between the linear layers. */
  protected activate(x: Tensor): Tensor {
    const { activation = "relu" } = this.options;
    return typeof activation === "function" ? activation(x) : activation === "relu" ? x.relu() : x.gelu();
  }

  /** `x` and what `part` makes of it together, and one normalization: of the input, or of the sum. */
  protected around(x: Tensor, norm: LayerNorm, part: (x: Tensor) => Tensor): Tensor {
    return this.options.normFirst === true ? x.add(part(norm.forward(x))) : norm.forward(x.add(part(x)));
  }

  /** What the constructor needs, as plain data; null where the activation is somebody's own. */
  protected json(): LayerJson | null {
    const { dimFeedforward = 2048, dropout = 0.1, activation = "relu", layerNormEps = 1e-5 } = this.options;
    const { normFirst = false, bias = true } = this.options;
    if (typeof activation === "function") return null;
    const { dim, heads } = this;
    return {
      kind: this.constructor.name,
      dim,
      heads,
      dimFeedforward,
      dropout,
      activation,
      layerNormEps,
      normFirst,
      bias,
    };
  }
}

/** Two linear layers, and what stands around them: PyTorch has them as fields of the layer itself. */
function feedForward(dim: number, { dimFeedforward = 2048, dropout = 0.1, bias = true, rng }: TransformerLayerOptions) {
  const drawn = rng === undefined ? {} : { rng };
  return {
    linear1: new Linear(dim, dimFeedforward, { bias, ...drawn }),
    dropout: new Dropout(dropout, drawn),
    linear2: new Linear(dimFeedforward, dim, { bias, ...drawn }),
  };
}

function layerNorm(dim: number, { layerNormEps = 1e-5, bias = true }: TransformerLayerOptions): LayerNorm {
  return new LayerNorm(dim, { eps: layerNormEps, bias });
}

/**
 * A layer of an encoder: attention of positions `[b, n, dim]` to each other, then two linear layers, each with dropout, its
 * input added, and a normalization. Names, first weights and masks are PyTorch's.
 */
export class TransformerEncoderLayer extends TransformerLayer<Forward> {
  /** To the wide layer. */
  readonly linear1: Linear;
  /** Of the wide layer. */
  readonly dropout: Dropout;
  /** Back from the wide layer. */
  readonly linear2: Linear;
  /** Around the attention. */
  readonly norm1: LayerNorm;
  /** Around the linear layers. */
  readonly norm2: LayerNorm;
  /** Behind the attention. */
  readonly dropout1: Dropout;
  /** Behind the linear layers. */
  readonly dropout2: Dropout;

  /** Draws the first weights. */
  constructor(dim: number, heads: number, options: TransformerLayerOptions = {}) {
    super(dim, heads, options);
    const { linear1, dropout, linear2 } = feedForward(dim, options);
    this.linear1 = linear1;
    this.dropout = dropout;
    this.linear2 = linear2;
    this.norm1 = layerNorm(dim, options);
    this.norm2 = layerNorm(dim, options);
    this.dropout1 = new Dropout(dropout.p, this.drawn());
    this.dropout2 = new Dropout(dropout.p, this.drawn());
  }

  /** `[b, n, dim]` gives `[b, n, dim]`. */
  override forward(x: Tensor, options: AttendOptions = {}): Tensor {
    checkOptions("apply TransformerEncoderLayer", options, ATTEND);
    const y = this.around(x, this.norm1, (z) => this.dropout1.forward(this.selfAttn.forward(z, z, z, options)[0]));
    return this.around(y, this.norm2, (z) => {
      const wide = this.dropout.forward(this.activate(this.linear1.forward(z)));
      return this.dropout2.forward(this.linear2.forward(wide));
    });
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return this.json();
  }
}

/**
 * A layer of a decoder: attention of positions `[b, n, dim]` to each other, then to a memory `[b, m, dim]`, then two linear
 * layers. Names, first weights and masks are PyTorch's.
 */
export class TransformerDecoderLayer extends TransformerLayer<DecodeForward> {
  /** Attention to the memory. */
  readonly multiheadAttn: MultiheadAttention;
  /** To the wide layer. */
  readonly linear1: Linear;
  /** Of the wide layer. */
  readonly dropout: Dropout;
  /** Back from the wide layer. */
  readonly linear2: Linear;
  /** Around the attention of positions. */
  readonly norm1: LayerNorm;
  /** Around the attention to the memory. */
  readonly norm2: LayerNorm;
  /** Around the linear layers. */
  readonly norm3: LayerNorm;
  /** Behind the attention of positions. */
  readonly dropout1: Dropout;
  /** Behind the attention to the memory. */
  readonly dropout2: Dropout;
  /** Behind the linear layers. */
  readonly dropout3: Dropout;

  /** Draws the first weights. */
  constructor(dim: number, heads: number, options: TransformerLayerOptions = {}) {
    super(dim, heads, options);
    this.multiheadAttn = this.named("multihead_attn", this.attention());
    const { linear1, dropout, linear2 } = feedForward(dim, options);
    this.linear1 = linear1;
    this.dropout = dropout;
    this.linear2 = linear2;
    this.norm1 = layerNorm(dim, options);
    this.norm2 = layerNorm(dim, options);
    this.norm3 = layerNorm(dim, options);
    this.dropout1 = new Dropout(dropout.p, this.drawn());
    this.dropout2 = new Dropout(dropout.p, this.drawn());
    this.dropout3 = new Dropout(dropout.p, this.drawn());
  }

  /** `[b, n, dim]` and a memory `[b, m, dim]` give `[b, n, dim]`. */
  override forward(x: Tensor, memory: Tensor, options: DecodeAttendOptions = {}): Tensor {
    checkOptions("apply TransformerDecoderLayer", options, DECODE);
    const { memoryMask, memoryKeyPaddingMask, memoryCausal = false, ...own } = options;
    const other: AttendOptions = {
      causal: memoryCausal,
      ...(memoryMask === undefined ? {} : { mask: memoryMask }),
      ...(memoryKeyPaddingMask === undefined ? {} : { keyPaddingMask: memoryKeyPaddingMask }),
    };
    let y = this.around(x, this.norm1, (z) => this.dropout1.forward(this.selfAttn.forward(z, z, z, own)[0]));
    y = this.around(y, this.norm2, (z) => {
      return this.dropout2.forward(this.multiheadAttn.forward(z, memory, memory, other)[0]);
    });
    return this.around(y, this.norm3, (z) => {
      const wide = this.dropout.forward(this.activate(this.linear1.forward(z)));
      return this.dropout3.forward(this.linear2.forward(wide));
    });
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return this.json();
  }
}
