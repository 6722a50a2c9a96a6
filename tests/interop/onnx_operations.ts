/**
 * Operations that are exported to ONNX, each as a model of its own.
 *
 * @module
 */
import { arange, cat, nn, oneHot, ops, stack, type Tensor, tensor, where } from "../../mod.ts";
import { TextClassifier } from "../../src/entry/text.ts";
import { AwdLstm } from "../../src/text/models/awd_lstm.ts";
import { Gpt } from "../../src/text/models/gpt.ts";
import { type Case, Fn } from "./onnx_models.ts";

type OneArgument = (x: Tensor) => unknown;

/** Functions of f32 `[n, 4, 6]`. */
const OF_ROWS: Readonly<Record<string, OneArgument>> = {
  arithmetic: (x) => x.mul(2).add(x.neg()).sub(0.5).div(x.abs().add(1)).maximum(x.mul(0.3)).minimum(x.square()),
  powers: (x) =>
    x.abs().add(0.1).pow(1.7).add(x.abs().sqrt()).add(x.abs().add(1).rsqrt()).add(x.abs().add(1).reciprocal()),
  functions: (x) =>
    x.exp().add(x.abs().add(0.1).log()).add(x.sin()).add(x.cos()).add(x.tanh()).add(x.erf()).add(x.atan()),
  "inverse functions": (x) => x.tanh().asin().add(x.tanh().acos()).add(x.expm1()).add(x.abs().add(0.1).log2()),
  "more functions": (x) => x.abs().log1p().add(x.sigmoid()).add(x.softplus()).add(x.silu()).add(x.gelu()).add(x.relu()),
  "kinked functions": (x) => x.elu(0.7).add(x.hardswish()).add(x.hardsigmoid()).add(x.relu6()).add(x.leakyRelu(0.2)),
  "smooth functions": (x) => x.mish().add(x.gelu({ approximate: "tanh" })).add(x.softplus({ beta: 2, threshold: 3 })),
  rounding: (x) => x.floor().add(x.ceil()).add(x.round()).add(x.sign()),
  comparisons: (x) => where(x.gt(0).and(x.lt(1)).or(x.ge(2)), x, x.le(-1).cast("f32").add(x.ne(0).cast("f32"))),
  clamp: (x) => x.clamp({ min: -0.5 }).add(x.clamp({ max: 0.3 })).add(x.clamp({ min: -1, max: 1 })),
  sums: (x) => x.sum({ axis: 1 }).add(x.sum({ axis: [1, 2], keepdim: true }).reshape([-1, 1])),
  "all items": (x) => x.sum().add(x.mean()).add(x.max()).add(x.mean({ axis: 0 }).sum()),
  extremes: (x) => x.max({ axis: 2 }).add(x.min({ axis: 2 })).add(x.max({ axis: [2] })),
  places: (x) => x.argmax({ axis: 1 }).add(x.argmin({ axis: 1 })).add(x.argmax()),
  spread: (x) => x.std({ axis: 2 }).add(x.var({ axis: 2, correction: 0 })).add(x.logsumexp({ axis: 2 })),
  tests: (x) => x.gt(0).any({ axis: 2 }).cast("i32").add(x.gt(-1).all({ axis: 2 }).cast("i32")),
  softmax: (x) => x.softmax({ axis: 1 }).add(x.logSoftmax({ axis: 2 })),
  cumsum: (x) => x.cumsum({ axis: 1 }),
  topk: (x) => {
    const { values, indices } = x.topk(3);
    return { values, indices };
  },
  slices: (x) => x.slice([null, [1, 4, 2], [null, null, -1]]),
  "slices of items": (x) => x.slice([[1, null]]).sum({ axis: 0 }).add(x.flip(0).slice([[0, 1]]).reshape([4, 6])),
  "the last item": (x) => x.slice([[-1, null]]),
  shapes: (x) => x.reshape([-1, 2, 2, 6]).permute([0, 3, 1, 2]).unsqueeze(1).squeeze(1).transpose(1, 2),
  "items and rows": (x) => x.reshape([-1, 6]),
  joins: (x) => cat([x, x.mul(2)], { axis: 2 }).add(stack([x, x], { axis: 3 }).reshape([-1, 4, 12])),
  splits: (x) => x.split([2, 4], { axis: 2 }),
  "pads with zeros": (x) => x.pad([[0, 0], [1, 2], [0, 1]]),
  pads: (x) =>
    x.pad([[0, 0], [1, 2], [0, 1]], { value: 3 }).sum({ axis: [1, 2] })
      .add(x.pad([[0, 0], [2, 1], [1, 3]], { mode: "reflect" }).square().sum({ axis: [1, 2] }))
      .add(x.pad([[0, 0], [2, 1], [1, 3]], { mode: "replicate" }).square().sum({ axis: [1, 2] }))
      .add(x.pad([[0, 0], [2, 1], [1, 3]], { mode: "circular" }).square().sum({ axis: [1, 2] })),
  "pads of items": (x) => x.pad([[1, 0], [0, 0], [0, 0]]),
  roll: (x) => x.roll(2, { axis: 2 }).add(x.roll(1, { axis: 0 })).add(x.tril(1)),
  places_of_items: (x) => x.add(arange(6)).add(x.gt(0).cast("i32").cumsum({ axis: 2 })),
  products: (x) => x.matmul(x.transpose(1, 2)).matmul(x),
  "products of vectors": (x) => x.matmul(arange(6)).add(1),
  gather: (x) => x.gather(x.argmax({ axis: 2, keepdim: true }), { axis: 2 }),
  indexSelect: (x) =>
    x.indexSelect(tensor(Int32Array.of(2, 0, 0)), { axis: 2 }).add(
      x.indexSelect(tensor(Int32Array.of(0)), { axis: 0 }).slice([null, null, [0, 3]]),
    ),
  scatterAdd: (x) => x.scatterAdd(x.gt(0).cast("i32"), x, { axis: 2 }),
  oneHot: (x) => oneHot(x.argmax({ axis: 2 }), 6),
  integers: (x) => x.mul(5).cast("i32").mul(2).sub(1).abs().maximum(1).cast("f32").div(x.cast("i32").square().add(1)),
  bytes: (x) => x.gt(0).not(),
};

/** Functions of images f32 `[n, 4, 7, 9]`. */
const OF_IMAGES: Readonly<Record<string, OneArgument>> = {
  "uneven pools": (x) => x.adaptiveAvgPool2d([3, 4]).add(x.adaptiveMaxPool2d([3, 4])),
  "pools of parts of windows": (x) =>
    x.maxPool2d(3, { stride: 2, padding: 1, ceilMode: true }).add(
      x.maxPool2d(3, { stride: 2, padding: 1, dilation: 1, ceilMode: true }),
    ),
  "mean pools": (x) => [
    x.avgPool2d(3, { stride: 2, padding: 1 }),
    x.avgPool2d(3, { stride: 2, padding: 1, countIncludePad: false }),
    x.avgPool2d(2, { ceilMode: true }),
    x.avgPool2d([2, 3], { ceilMode: true, countIncludePad: false }),
  ],
  "larger by a factor": (x) => x.interpolate({ scale: 2 }).add(x.interpolate({ scale: 2, mode: "bilinear" })),
  "other sizes": (x) => x.interpolate({ size: [5, 12] }).add(x.interpolate({ size: [5, 12], mode: "bilinear" })),
  "corners on corners": (x) => x.interpolate({ size: [14, 20], mode: "bilinear", alignCorners: true }),
  "odd scales": (x) => x.interpolate({ scale: 1.3 }).add(x.interpolate({ scale: 1.3, mode: "bilinear" })),
  "sampled": (x) =>
    x.gridSample(x.slice([null, [0, 2]]).permute([0, 2, 3, 1]).tanh(), { paddingMode: "border" })
      .add(x.gridSample(x.slice([null, [0, 2]]).permute([0, 2, 3, 1]), { paddingMode: "reflection" })),
};

class Own extends nn.Module<Tensor[], unknown> {
  readonly layers: readonly nn.Module[];
  constructor(...layers: nn.Module[]) {
    super();
    this.layers = layers;
  }
  override forward(x: Tensor): Tensor {
    return this.layers.reduce((y, layer) => layer.forward(y), x);
  }
}

const recurrent = [
  new nn.LSTM(4, 3, { bidirectional: true, layers: 2 }),
  new nn.GRU(6, 2),
  new nn.RNN(4, 3, { bias: false }),
  new nn.RNN(4, 2, { nonlinearity: "relu" }),
] as const;
const transformers = [
  new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 12, activation: "gelu" }),
  new nn.TransformerDecoderLayer(8, 4, { dimFeedforward: 12, normFirst: true }),
] as const;
const classifier = new TextClassifier(new AwdLstm(20, { embSize: 6, hidden: 8, layers: 2 }, { task: "classifier" }), 3);
const encoders = [
  new AwdLstm(20, { embSize: 6, hidden: 8, layers: 2 }, { task: "classifier" }),
  new Gpt(20, { blockSize: 8, nEmbd: 8, nLayer: 2, nHead: 2 }),
] as const;

/** A function of modules and inputs. */
class Parts<M extends readonly nn.AnyModule[]> extends nn.Module<Tensor[], unknown> {
  constructor(readonly parts: M, readonly fn: (parts: M, ...x: Tensor[]) => unknown) {
    super();
  }
  override forward(...x: Tensor[]): unknown {
    return this.fn(this.parts, ...x);
  }
}

/** Cases by name. */
export function operations(): Record<string, () => Case> {
  const out: Record<string, () => Case> = {};
  for (const [name, fn] of Object.entries(OF_ROWS)) {
    out[name] = () => ({ model: new Fn(fn), inputs: [{ shape: [4, 6] }], operators: [] });
  }
  for (const [name, fn] of Object.entries(OF_IMAGES)) {
    out[name] = () => ({ model: new Fn(fn), inputs: [{ shape: [4, 7, 9] }], operators: [] });
  }
  out["transposed convolutions"] = () => ({
    model: new Own(
      new nn.ConvTranspose2d(4, 6, [3, 2], { stride: [2, 3], padding: 1, groups: 2, outputPadding: [1, 2] }),
      new nn.ConvTranspose2d(6, 2, 3, { dilation: 2, bias: false }),
    ),
    inputs: [{ shape: [4, 5, 6] }],
    operators: ["ConvTranspose"],
  });
  out["convolutions of sequences"] = () => ({
    model: new Own(
      new nn.Conv1d(4, 6, 3, { stride: 2, padding: 2 }),
      new nn.BatchNorm1d(6),
      new nn.Conv1d(6, 6, 2, { groups: 6 }),
    ),
    inputs: [{ shape: [4, 9] }],
    operators: ["Conv", "BatchNormalization"],
  });
  out["normalizations without weights"] = () => ({
    model: new Own(
      new nn.BatchNorm2d(4, { affine: false }),
      new nn.LayerNorm([5, 6], { affine: false }),
      new nn.GroupNorm(2, 4),
      new nn.BatchNorm2d(4),
    ),
    inputs: [{ shape: [4, 5, 6] }],
    operators: ["BatchNormalization", "LayerNormalization"],
  });
  out["layers of recurrent nets"] = () => ({
    model: new Parts(recurrent, ([lstm, gru, rnn, relu], x) => {
      const [y, state] = lstm.forward(x), [z, last] = gru.forward(y), [a] = rnn.forward(x), [b] = relu.forward(x, last);
      return { y, state, z, a, b };
    }),
    inputs: [{ shape: [3, 4] }],
    operators: ["LSTM", "GRU", "RNN"],
  });
  out["recurrent nets over texts of several lengths"] = () => ({
    model: new Parts([recurrent[0]], ([lstm], x, n) => lstm.forward(x, null, { lengths: n.reshape([-1]) })[0]),
    inputs: [{ shape: [3, 4] }, { shape: [1], below: 4 }],
    operators: ["LSTM"],
  });
  out["a classifier of texts"] = () => ({
    // texts whose first token is below 10 end after four
    model: new Parts([classifier], ([net], x) => net.forward(x, x.slice([null, [0, 1]]).ge(10).or(arange(6).lt(4)))),
    inputs: [{ shape: [6], below: 20 }],
    operators: ["LSTM", "BatchNormalization"],
  });
  out["attention"] = () => ({
    model: new Fn((x) => {
      const heads = x.reshape([-1, 5, 2, 4]).permute([0, 2, 1, 3]);
      const seen = heads.slice([null, [0, 1], null, [0, 1]]).transpose(2, 3).gt(-1);
      return ops.scaledDotProductAttention(heads, heads, heads, { causal: true })
        .add(ops.scaledDotProductAttention(heads, heads, heads, { mask: seen }));
    }),
    inputs: [{ shape: [5, 8] }],
    operators: ["Softmax", "MatMul"],
  });
  out["layers of transformers"] = () => ({
    model: new Parts(transformers, ([encoder, decoder], x) => decoder.forward(encoder.forward(x), x, { causal: true })),
    inputs: [{ shape: [5, 8] }],
    operators: ["Softmax", "LayerNormalization"],
  });
  out["encoders of texts"] = () => ({
    model: new Parts(encoders, ([lstm, gpt], x) => [lstm.forward(x), gpt.forward(x)]),
    inputs: [{ shape: [6], below: 20 }],
    operators: ["LSTM", "Softmax", "Gather"],
  });
  out["layers of all kinds"] = () => ({
    model: new Own(
      new nn.Conv2d(4, 4, [2, 4], { padding: "same", padMode: "circular" }),
      new nn.SigmoidRange(-1, 2),
      new nn.Dropout2d(0.5),
      new nn.Unflatten(1, [2, -1]),
      new nn.Flatten(1, 2),
      new nn.MaxPool2d([2, 3], { stride: 1, padding: 1, dilation: 2 }),
      new nn.PixelShuffle(2),
      new nn.RMSNorm(8),
      new nn.Upsample({ size: [5, 4] }),
    ),
    inputs: [{ shape: [4, 5, 6] }],
    operators: ["Conv"],
  });
  out["words with padding"] = () => ({
    model: new Own(new nn.Embedding(7, 3, { paddingIdx: 0 }), new nn.Linear(3, 2)),
    inputs: [{ shape: [5], below: 7 }],
    operators: ["Gather", "MatMul"],
  });
  out["more words than the table has"] = () => ({
    model: new Own(new nn.Embedding(2, 3), new nn.Linear(3, 2)),
    inputs: [{ shape: [5], below: 2 }],
    operators: ["Gather", "MatMul"],
  });
  out["several inputs and outputs"] = () => ({
    model: new Fn((a, b) => ({ sum: a.add(b.unsqueeze(1)), same: a, other: a.add(b.unsqueeze(1)).mul(2) })),
    inputs: [{ shape: [2, 3] }, { shape: [3] }],
    operators: ["Add"],
  });
  return out;
}
