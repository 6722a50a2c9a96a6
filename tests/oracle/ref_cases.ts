/**
 * How the float64 references compute each recorded operation of `tests/golden/ops.json`.
 *
 * @module
 */
import type { Json, RecordedOp } from "../support/golden.ts";
import * as r from "../support/ref.ts";
import type { Ref } from "../support/ref.ts";

/** Attributes of a recorded case, under PyTorch's names. */
export type Attrs = RecordedOp["attrs"];

/** Inputs by name, as recorded. */
export type Inputs = { readonly [name: string]: Ref };

const one = (v: Json | undefined, fallback?: number): number => {
  if (typeof v === "number") return v;
  if (fallback !== undefined) return fallback;
  throw new Error(`${JSON.stringify(v)} is no number`);
};
const maybe = (v: Json | undefined): number | undefined => v === undefined || v === null ? undefined : one(v);
const list = (v: Json | undefined): number[] => Array.isArray(v) ? v.map((x: Json) => one(x)) : [one(v)];
const choice = <T extends string>(v: Json | undefined): T | undefined => typeof v === "string" ? v as T : undefined;

const axes = (a: Attrs): { axis?: number[]; keepdim?: boolean } => ({
  axis: a.dim === undefined ? undefined : list(a.dim),
  keepdim: a.keepdim === true,
});
const axis = (a: Attrs): { axis: number } => ({ axis: one(a.dim) });
const reduction = (a: Attrs): r.Reduction | undefined => choice<r.Reduction>(a.reduction);
const classes = (a: Attrs, i: Inputs): r.ClassLossOptions => ({
  weight: i.weight,
  reduction: reduction(a),
  ignoreIndex: maybe(a.ignore_index),
  labelSmoothing: maybe(a.label_smoothing),
});

type Compute = (i: Inputs, a: Attrs) => Ref;
const unary = (f: (x: Ref) => Ref): Compute => ({ x }) => f(x);
const binary = (f: (a: Ref, b: Ref) => Ref): Compute => ({ a, b }) => f(a, b);
const reduce = (f: (x: Ref, options: r.AxisOptions) => Ref): Compute => ({ x }, a) => f(x, axes(a));
const loss = (f: (x: Ref, target: Ref, options: { reduction?: r.Reduction }) => Ref): Compute => ({ x, target }, a) =>
  f(x, target, { reduction: reduction(a) });
const batchNorm: Compute = (i, a) => batchNormOf(i, a).y;

/** The reference's batch norm on a recorded case: output and running statistics. */
export function batchNormOf(i: Inputs, a: Attrs): ReturnType<typeof r.batchNorm> {
  const { weight, bias } = i;
  const options = { training: a.training === true, momentum: one(a.momentum), eps: one(a.eps), weight, bias };
  return r.batchNorm(i.x, { mean: i.running_mean, variance: i.running_var }, options);
}

/** PyTorch's flat list of paddings, last axis first, as one pair an axis. */
function widths(x: Ref, flat: readonly number[]): [number, number][] {
  return x.shape.map((_, i) => {
    const k = 2 * (x.shape.length - 1 - i);
    return [flat[k] ?? 0, flat[k + 1] ?? 0];
  });
}

/** What the references compute, by the recording's name for it. */
export const REFERENCE: { readonly [op: string]: Compute } = {
  add: binary(r.add),
  sub: binary(r.sub),
  mul: binary(r.mul),
  div: binary(r.div),
  pow: ({ a, b, x }, { exponent }) => x ? r.pow(x, r.ref([], [one(exponent)])) : r.pow(a, b),
  maximum: binary(r.maximum),
  minimum: binary(r.minimum),
  where: ({ cond, a, b }) => r.where(cond, a, b),
  neg: unary(r.neg),
  exp: unary(r.exp),
  log: unary(r.log),
  log1p: unary(r.log1p),
  sqrt: unary(r.sqrt),
  rsqrt: unary(r.rsqrt),
  reciprocal: unary(r.reciprocal),
  abs: unary(r.abs),
  square: unary(r.square),
  sin: unary(r.sin),
  cos: unary(r.cos),
  tanh: unary(r.tanh),
  sigmoid: unary(r.sigmoid),
  relu: unary(r.relu),
  silu: unary(r.silu),
  softplus: unary(r.softplus),
  mish: unary(r.mish),
  hardswish: unary(r.hardswish),
  hardsigmoid: unary(r.hardsigmoid),
  relu6: unary(r.relu6),
  erf: unary(r.erf),
  clamp: ({ x }, a) => r.clamp(x, { min: maybe(a.min), max: maybe(a.max) }),
  leaky_relu: ({ x }, a) => r.leakyRelu(x, one(a.negative_slope)),
  elu: ({ x }, a) => r.elu(x, one(a.alpha)),
  gelu: ({ x }, a) => r.gelu(x, { approximate: choice(a.approximate) }),
  matmul: binary(r.matmul),
  linear: ({ x, weight, bias }) => r.linear(x, weight, bias),
  sum: reduce(r.sum),
  mean: reduce(r.mean),
  amax: reduce(r.max),
  amin: reduce(r.min),
  max_dim: reduce(r.max),
  max_all: reduce(r.max),
  logsumexp: reduce(r.logsumexp),
  argmax: reduce(r.argmax),
  var: ({ x }, a) => r.variance(x, { ...axes(a), correction: one(a.correction) }),
  std: ({ x }, a) => r.std(x, { ...axes(a), correction: one(a.correction) }),
  cumsum: ({ x }, a) => r.cumsum(x, axis(a)),
  topk: ({ x }, a) => r.topk(x, one(a.k), axis(a)).values,
  softmax: ({ x }, a) => r.softmax(x, axis(a)),
  log_softmax: ({ x }, a) => r.logSoftmax(x, axis(a)),
  reshape: ({ x }, a) => r.reshape(x, list(a.shape)),
  permute: ({ x }, a) => r.permute(x, list(a.dims)),
  transpose: ({ x }, a) => r.transpose(x, one(a.dim0), one(a.dim1)),
  expand: ({ x }, a) => r.expand(x, list(a.size)),
  slice: ({ x }, { dim, start, end, step }) =>
    r.slice(x, x.shape.map((_, i) => i === dim ? [one(start), maybe(end) ?? null, one(step)] : null)),
  flip: ({ x }, a) => r.flip(x, list(a.dims)),
  roll: ({ x }, a) => list(a.shifts).reduce((y, shift, i) => r.roll(y, shift, { axis: list(a.dims)[i] }), x),
  cat: (i, a) => r.cat(Object.values(i), axis(a)),
  stack: (i, a) => r.stack(Object.values(i), axis(a)),
  pad: ({ x }, a) => r.pad(x, widths(x, list(a.pad)), { mode: choice(a.mode), value: one(a.value, 0) }),
  tril: ({ x }, a) => r.tril(x, one(a.diagonal)),
  index_select: ({ x, index }, a) => r.indexSelect(x, index, axis(a)),
  gather: ({ x, index }, a) => r.gather(x, index, axis(a)),
  scatter_add: ({ x, index, src }, a) => r.scatterAdd(x, index, src, axis(a)),
  embedding: ({ index, weight }) => r.embedding(index, weight),
  interpolate: ({ x }, a) => {
    const [h, w] = a.size === undefined ? [] : list(a.size);
    const size = a.size === undefined ? undefined : [h, w] as const;
    const alignCorners = a.align_corners === true;
    return r.interpolate(x, { size, scale: maybe(a.scale_factor), mode: choice(a.mode), alignCorners });
  },
  pixel_shuffle: ({ x }, a) => r.pixelShuffle(x, one(a.upscale_factor)),
  affine_grid: ({ theta }, a) => r.affineGrid(theta, list(a.size), { alignCorners: a.align_corners === true }),
  grid_sample: ({ x, grid }, a) => {
    const alignCorners = a.align_corners === true;
    return r.gridSample(x, grid, { mode: choice(a.mode), paddingMode: choice(a.padding_mode), alignCorners });
  },
  batch_norm1d: batchNorm,
  batch_norm2d: batchNorm,
  layer_norm: ({ x, weight, bias }, a) =>
    r.layerNorm(x, list(a.normalized_shape).length, { weight, bias, eps: one(a.eps) }),
  group_norm: ({ x, weight, bias }, a) => r.groupNorm(x, one(a.num_groups), { weight, bias, eps: one(a.eps) }),
  instance_norm: ({ x, weight, bias }, a) => r.instanceNorm(x, { weight, bias, eps: one(a.eps) }),
  cross_entropy: (i, a) => r.crossEntropy(i.x, i.target, classes(a, i)),
  cross_entropy_prob: (i, a) => r.crossEntropyProb(i.x, i.target, classes(a, i)),
  nll_loss: (i, a) => r.nllLoss(i.x, i.target, classes(a, i)),
  bce_with_logits: (i, a) => r.bceWithLogits(i.x, i.target, { posWeight: i.pos_weight, reduction: reduction(a) }),
  binary_cross_entropy: loss(r.binaryCrossEntropy),
  mse_loss: loss(r.mseLoss),
  l1_loss: loss(r.l1Loss),
  smooth_l1_loss: ({ x, target }, a) => r.smoothL1Loss(x, target, { beta: one(a.beta), reduction: reduction(a) }),
  huber_loss: ({ x, target }, a) => r.huberLoss(x, target, { delta: one(a.delta), reduction: reduction(a) }),
  kl_div: ({ x, target }, a) => r.klDiv(x, target, { logTarget: a.log_target === true, reduction: reduction(a) }),
  fastai_label_smoothing_cross_entropy: ({ x, target, weight }, a) =>
    r.labelSmoothingCrossEntropy(x, target, { eps: one(a.eps), weight, reduction: reduction(a) }),
  fastai_focal_loss_flat: ({ x, target, weight }, a) =>
    r.focalLoss(x, target, { gamma: one(a.gamma), weight, reduction: reduction(a) }),
  fastai_dice_loss: ({ x, target }, a) => r.diceLoss(x, target, { smooth: one(a.smooth), reduction: reduction(a) }),
};
