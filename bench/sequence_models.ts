/**
 * The nets of `sequences.ts`, of this module's layers.
 *
 * @module
 */
import { arange, nn, Parameter, type Tensor, tensor, zeros } from "../mod.ts";
import { CHARS, SIZES, weightOf } from "./sequences.ts";

/** `model` with the weights that everyone starts from. */
export function setWeights<M extends nn.Module<Tensor[], unknown>>(model: M): M {
  const named = new Map([...model.namedParameters()]);
  [...named.keys()].sort().forEach((name, place) => {
    const p = named.get(name)!;
    p.assign(tensor(weightOf(name, p.shape, place), { shape: p.shape }));
  });
  return model;
}

/** Characters by a transformer that sees what came before. */
export class CharGpt extends nn.Module {
  readonly words: nn.Embedding;
  readonly places: Parameter;
  readonly layers: nn.TransformerEncoderLayer[];
  readonly norm: nn.LayerNorm;
  readonly head: nn.Linear;

  constructor() {
    super();
    const { n, dim, blocks, heads, hidden } = SIZES.chargpt;
    this.words = new nn.Embedding(CHARS, dim);
    this.places = new Parameter(zeros([n, dim]));
    const options = { dimFeedforward: hidden, dropout: 0, activation: "gelu", normFirst: true } as const;
    this.layers = Array.from({ length: blocks }, () => new nn.TransformerEncoderLayer(dim, heads, options));
    this.norm = new nn.LayerNorm(dim);
    this.head = new nn.Linear(dim, CHARS, { bias: false });
  }

  /** `[b, n]` gives `[b, n, 65]`. */
  override forward(ids: Tensor): Tensor {
    let x = this.words.forward(ids).add(this.places);
    for (const layer of this.layers) x = layer.forward(x, { causal: true });
    return this.head.forward(this.norm.forward(x));
  }
}

/** Characters by two layers of LSTM. */
export class CharLstm extends nn.Module {
  readonly words: nn.Embedding;
  readonly lstm: nn.LSTM;
  readonly head: nn.Linear;

  constructor() {
    super();
    const { dim, layers } = SIZES.lstm;
    this.words = new nn.Embedding(CHARS, dim);
    this.lstm = new nn.LSTM(dim, dim, { layers });
    this.head = new nn.Linear(dim, CHARS);
  }

  /** `[b, n]` gives `[b, n, 65]`. */
  override forward(ids: Tensor): Tensor {
    return this.head.forward(this.lstm.forward(this.words.forward(ids))[0]);
  }
}

/** Texts of two classes by an encoder of MiniLM's shape. */
export class MiniLm extends nn.Module<[Tensor, Tensor]> {
  readonly words: nn.Embedding;
  readonly places: Parameter;
  readonly norm: nn.LayerNorm;
  readonly layers: nn.TransformerEncoderLayer[];
  readonly head: nn.Linear;

  constructor() {
    super();
    const { n, dim, blocks, heads, hidden, words } = SIZES.minilm;
    this.words = new nn.Embedding(words, dim);
    this.places = new Parameter(zeros([n, dim]));
    this.norm = new nn.LayerNorm(dim);
    const options = { dimFeedforward: hidden, dropout: 0, activation: "gelu" } as const;
    this.layers = Array.from({ length: blocks }, () => new nn.TransformerEncoderLayer(dim, heads, options));
    this.head = new nn.Linear(dim, 2);
  }

  /** `[b, n]` and the number of tokens of each, `[b]`, give `[b, 2]`. */
  override forward(ids: Tensor, lengths: Tensor): Tensor {
    const [b, n] = ids.shape;
    const padding = arange(n, { dtype: "i32" }).ge(lengths.reshape([b, 1]));
    let x = this.norm.forward(this.words.forward(ids).add(this.places));
    for (const layer of this.layers) x = layer.forward(x, { keyPaddingMask: padding });
    const mean = x.mul(padding.not().cast("f32").reshape([b, n, 1])).sum({ axis: 1 });
    return this.head.forward(mean.div(lengths.cast("f32").reshape([b, 1])));
  }
}
