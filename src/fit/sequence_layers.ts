/**
 * Layers of sequences out of plain data; see `layer_makers.ts`.
 *
 * @module
 */
import { CheckpointError } from "../base/errors.ts";
import { isDict, type SavedState } from "../io/state_dict.ts";
import * as nn from "../nn/mod.ts";
import type { LayerMaker, LayerParts } from "./layer_makers.ts";

type RecurrentClass = typeof nn.LSTM | typeof nn.GRU | typeof nn.RNN;

function recurrent(make: RecurrentClass, gates: number): LayerMaker {
  return ({ json, weights }) => {
    const input = json.count("input"), hidden = json.count("hidden"), layers = json.count("layers");
    const bidirectional = json.boolean("bidirectional"), ways = bidirectional ? 2 : 1;
    weights(ways * gates * hidden * (input + hidden + (layers - 1) * (ways + 1) * hidden));
    const options = { layers, bidirectional, bias: json.boolean("bias"), dropout: json.number("dropout") };
    return new make(input, hidden, { ...options, ...nonlinearity(json) });
  };
}

function nonlinearity(json: SavedState): nn.RnnOptions {
  return json.has("nonlinearity") ? { nonlinearity: json.string("nonlinearity") === "relu" ? "relu" : "tanh" } : {};
}

const attend: LayerMaker = ({ json, weights }) => {
  const dim = json.count("dim"), heads = json.count("heads"), kdim = json.count("kdim"), vdim = json.count("vdim");
  weights(dim * (2 * dim + kdim + vdim));
  // its generator would be the one that drops, too: the default one does
  return new nn.MultiheadAttention(dim, heads, {
    dropout: json.number("dropout"),
    bias: json.boolean("bias"),
    kdim,
    vdim,
  });
};

function layerOptions(json: SavedState): nn.TransformerLayerOptions {
  return {
    dimFeedforward: json.count("dimFeedforward"),
    dropout: json.number("dropout"),
    activation: json.string("activation") === "gelu" ? "gelu" : "relu",
    layerNormEps: json.number("layerNormEps"),
    normFirst: json.boolean("normFirst"),
    bias: json.boolean("bias"),
  };
}

type LayerClass = typeof nn.TransformerEncoderLayer | typeof nn.TransformerDecoderLayer;

function transformerLayer(make: LayerClass, attentions: number): LayerMaker {
  return ({ json, weights }) => {
    const dim = json.count("dim"), options = layerOptions(json);
    weights(dim * (4 * attentions * dim + 2 * options.dimFeedforward!));
    return new make(dim, json.count("heads"), options);
  };
}

function stack<L extends nn.AnyModule>(
  { json, layer, weights }: LayerParts,
  Layer: new (...args: never[]) => L,
  make: (layer: L, n: number, options: nn.TransformerOptions) => nn.AnyModule,
): nn.AnyModule {
  const inner = json.value("layer"), norm = json.value("norm"), n = json.count("numLayers");
  const first: unknown = isDict(inner) ? layer(inner) : null;
  if (!(first instanceof Layer)) {
    throw new CheckpointError(`Cannot restore a stack of layers: it needs a ${Layer.name}`);
  }
  weights((n - 1) * first.parameters().reduce((sum, p) => sum + p.size, 0));
  return make(first, n, isDict(norm) ? { norm: layer(norm) } : {});
}

/** The layers of sequences of `nn`. */
export const SEQUENCE_MAKERS: Readonly<Record<string, LayerMaker>> = {
  RNN: recurrent(nn.RNN, 1),
  GRU: recurrent(nn.GRU, 3),
  LSTM: recurrent(nn.LSTM, 4),
  MultiheadAttention: attend,
  TransformerEncoderLayer: transformerLayer(nn.TransformerEncoderLayer, 1),
  TransformerDecoderLayer: transformerLayer(nn.TransformerDecoderLayer, 2),
  TransformerEncoder: (parts) =>
    stack(parts, nn.TransformerEncoderLayer, (layer, n, options) => new nn.TransformerEncoder(layer, n, options)),
  TransformerDecoder: (parts) =>
    stack(parts, nn.TransformerDecoderLayer, (layer, n, options) => new nn.TransformerDecoder(layer, n, options)),
  SinusoidalPositions: ({ json }) =>
    new nn.SinusoidalPositions(json.count("dim"), {
      base: json.number("base"),
      layout: json.string("layout") === "halves" ? "halves" : "interleaved",
    }),
  EmbeddingBag: ({ json, drawn: { rng }, weights }) => {
    const count = json.count("count"), size = json.count("size");
    weights(count * size);
    const padding = json.value("paddingIdx") === null ? {} : { paddingIdx: json.count("paddingIdx") };
    return new nn.EmbeddingBag(count, size, { mode: json.string("mode") === "sum" ? "sum" : "mean", ...padding, rng });
  },
};
