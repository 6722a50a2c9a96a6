/**
 * Layers and losses against PyTorch's and fastai's recordings, values and gradients.
 */
import { assert } from "@std/assert";
import * as nn from "../../src/nn/mod.ts";
import { session } from "../../src/graph/session.ts";
import type { Tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { assertClose, checkGolden, type GoldenCase, goldenCases } from "../tensor/golden_cases.ts";

type Run = (c: GoldenCase, ...inputs: Tensor[]) => Tensor;

/** The layer's parameters are the case's inputs themselves, so that gradients reach them. */
function withFields<M extends nn.AnyModule>(layer: M, fields: Readonly<Record<string, Tensor | null>>): M {
  for (const [name, value] of Object.entries(fields)) Object.defineProperty(layer, name, { value, enumerable: true });
  return layer;
}

const optional = (t: Tensor | undefined) => t ?? null;
const named = (c: GoldenCase, inputs: readonly Tensor[], name: string) =>
  inputs[c.inputs.findIndex((i) => i.name === name)] as Tensor | undefined;

const batchNorm: Run = (c, ...inputs) => {
  const [x, mean, variance] = inputs;
  const { eps, momentum, training } = c.attrs;
  const layer = new nn.BatchNorm1d(x.shape[1], { eps, momentum });
  layer.runningMean.assign(mean);
  layer.runningVar.assign(variance);
  session.endStep();
  layer.train(training);
  return withFields(layer, { weight: optional(inputs[3]), bias: optional(inputs[4]) }).forward(x);
};

const withWeight = (c: GoldenCase, inputs: readonly Tensor[], name = "weight") => {
  const weight = named(c, inputs, name);
  return weight === undefined ? {} : { weight };
};

const RUNS: Readonly<Record<string, Run>> = {
  linear: (_c, x, weight, bias) =>
    withFields(new nn.Linear(weight.shape[1], weight.shape[0]), { weight, bias: optional(bias) }).forward(x),
  embedding: (c, index, weight) => {
    const { padding_idx: paddingIdx } = c.attrs;
    const layer = new nn.Embedding(weight.shape[0], weight.shape[1], paddingIdx === undefined ? {} : { paddingIdx });
    return withFields(layer, { weight }).forward(index);
  },
  batch_norm1d: batchNorm,
  batch_norm2d: (c, ...inputs) => {
    const layer = new nn.BatchNorm2d(inputs[0].shape[1], { eps: c.attrs.eps, momentum: c.attrs.momentum });
    layer.runningMean.assign(inputs[1]);
    layer.runningVar.assign(inputs[2]);
    session.endStep();
    layer.train(c.attrs.training);
    return withFields(layer, { weight: optional(inputs[3]), bias: optional(inputs[4]) }).forward(inputs[0]);
  },
  group_norm: (c, x, weight, bias) =>
    withFields(new nn.GroupNorm(c.attrs.num_groups, x.shape[1], { eps: c.attrs.eps }), {
      weight: optional(weight),
      bias: optional(bias),
    }).forward(x),
  instance_norm: (c, x, weight, bias) =>
    withFields(new nn.InstanceNorm2d(x.shape[1], { eps: c.attrs.eps, affine: true }), {
      weight: optional(weight),
      bias: optional(bias),
    }).forward(x),
  pixel_shuffle: (c, x) => new nn.PixelShuffle(c.attrs.upscale_factor).forward(x),
  layer_norm: (c, x, weight, bias) =>
    withFields(new nn.LayerNorm(c.attrs.normalized_shape, { eps: c.attrs.eps }), {
      weight: optional(weight),
      bias: optional(bias),
    }).forward(x),
  cross_entropy: (c, ...inputs) =>
    new nn.CrossEntropyLoss({
      reduction: c.attrs.reduction,
      ...withWeight(c, inputs),
      ...(c.attrs.label_smoothing === undefined ? {} : { labelSmoothing: c.attrs.label_smoothing }),
      ...(c.attrs.ignore_index === undefined ? {} : { ignoreIndex: c.attrs.ignore_index }),
    }).forward(inputs[0], inputs[1]),
  cross_entropy_prob: (c, x, t) =>
    new nn.CrossEntropyLoss({ reduction: c.attrs.reduction, labelSmoothing: c.attrs.label_smoothing ?? 0 }).forward(
      x,
      t,
    ),
  nll_loss: (c, ...inputs) =>
    new nn.NLLLoss({
      reduction: c.attrs.reduction,
      ...withWeight(c, inputs),
      ...(c.attrs.ignore_index === undefined ? {} : { ignoreIndex: c.attrs.ignore_index }),
    }).forward(inputs[0], inputs[1]),
  bce_with_logits: (c, ...inputs) => {
    const posWeight = named(c, inputs, "pos_weight");
    return new nn.BCEWithLogitsLoss({ reduction: c.attrs.reduction, ...(posWeight ? { posWeight } : {}) }).forward(
      inputs[0],
      inputs[1],
    );
  },
  binary_cross_entropy: (c, x, t) => new nn.BCELoss({ reduction: c.attrs.reduction }).forward(x, t),
  mse_loss: (c, x, t) => new nn.MSELoss({ reduction: c.attrs.reduction }).forward(x, t),
  l1_loss: (c, x, t) => new nn.L1Loss({ reduction: c.attrs.reduction }).forward(x, t),
  smooth_l1_loss: (c, x, t) => new nn.SmoothL1Loss({ reduction: c.attrs.reduction, beta: c.attrs.beta }).forward(x, t),
  huber_loss: (c, x, t) => new nn.HuberLoss({ reduction: c.attrs.reduction, delta: c.attrs.delta }).forward(x, t),
  kl_div: (c, x, t) => new nn.KLDivLoss({ reduction: c.attrs.reduction, logTarget: c.attrs.log_target }).forward(x, t),
  fastai_label_smoothing_cross_entropy: (c, ...inputs) =>
    new nn.LabelSmoothingCrossEntropy({ eps: c.attrs.eps, reduction: c.attrs.reduction, ...withWeight(c, inputs) })
      .forward(
        inputs[0],
        inputs[1],
      ),
  fastai_focal_loss_flat: (c, ...inputs) =>
    new nn.FocalLoss({
      gamma: c.attrs.gamma,
      axis: c.attrs.axis,
      reduction: c.attrs.reduction ?? "mean",
      ...withWeight(c, inputs),
    })
      .forward(inputs[0], inputs[1]),
  fastai_dice_loss: (c, x, t) =>
    new nn.DiceLoss({ axis: c.attrs.axis, smooth: c.attrs.smooth, reduction: c.attrs.reduction }).forward(x, t),
};

const seen = new Set<string>();
goldenCases().forEach((c, i) => {
  const run = RUNS[c.op];
  if (run === undefined) return;
  seen.add(c.op);
  onDevices(`${c.op} ${JSON.stringify(c.attrs)}, case ${i}`, async () => {
    await checkGolden(c, run);
  });
});

Deno.test("there are recordings of every layer and loss in the list", () => {
  for (const op of Object.keys(RUNS)) assert(seen.has(op), `${op} has no recording`);
});

onDevices("running statistics follow the batch as PyTorch's do", async () => {
  for (const c of goldenCases().filter((c) => c.op === "batch_norm1d" && c.extra)) {
    let layer: nn.BatchNorm1d | null = null;
    await checkGolden(c, (_c, ...inputs) => {
      layer = new nn.BatchNorm1d(inputs[0].shape[1], { eps: c.attrs.eps, momentum: c.attrs.momentum });
      layer.runningMean.assign(inputs[1]);
      layer.runningVar.assign(inputs[2]);
      session.endStep();
      layer.train(c.attrs.training);
      return withFields(layer, { weight: optional(inputs[3]), bias: optional(inputs[4]) }).forward(inputs[0]);
    });
    const { running_mean: mean, running_var: variance } = c.extra!;
    assertClose(await layer!.runningMean.data(), mean.values, "running mean");
    assertClose(await layer!.runningVar.data(), variance.values, "running variance");
  }
});
