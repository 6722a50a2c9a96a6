/**
 * Every recorded operation that tensors have, forward and backward, against PyTorch's float64.
 */
import { assertEquals } from "@std/assert";
import { backward, cat, Parameter, stack, type Tensor, tensor, where } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { checkGolden, type GoldenCase, goldenCases, inputTensor } from "./golden_cases.ts";

type Run = (c: GoldenCase, ...inputs: Tensor[]) => Tensor;

const same = (c: GoldenCase) => ({ axis: c.attrs.dim, keepdim: c.attrs.keepdim });

/** PyTorch's pairs, last axis first, as pairs for every axis. */
function widths(x: Tensor, pad: readonly number[]): [number, number][] {
  return x.shape.map((_, i): [number, number] => {
    const k = 2 * (x.shape.length - 1 - i);
    return k < pad.length ? [pad[k], pad[k + 1]] : [0, 0];
  });
}

/** One range along axis `dim`. */
function ranges({ dim, start, end, step }: GoldenCase["attrs"]): ([number, number | null, number] | null)[] {
  return [...new Array<null>(dim).fill(null), [start, end, step]];
}

const RUN: Record<string, Run> = {
  add: (_, a, b) => a.add(b),
  sub: (_, a, b) => a.sub(b),
  mul: (_, a, b) => a.mul(b),
  div: (_, a, b) => a.div(b),
  pow: (c, a, b) => a.pow(c.attrs.exponent ?? b),
  maximum: (_, a, b) => a.maximum(b),
  minimum: (_, a, b) => a.minimum(b),
  where: (_, c, a, b) => where(c, a, b),
  neg: (_, x) => x.neg(),
  exp: (_, x) => x.exp(),
  log: (_, x) => x.log(),
  log1p: (_, x) => x.log1p(),
  sqrt: (_, x) => x.sqrt(),
  rsqrt: (_, x) => x.rsqrt(),
  reciprocal: (_, x) => x.reciprocal(),
  abs: (_, x) => x.abs(),
  square: (_, x) => x.square(),
  sin: (_, x) => x.sin(),
  cos: (_, x) => x.cos(),
  tanh: (_, x) => x.tanh(),
  sigmoid: (_, x) => x.sigmoid(),
  relu: (_, x) => x.relu(),
  silu: (_, x) => x.silu(),
  softplus: (_, x) => x.softplus(),
  mish: (_, x) => x.mish(),
  hardswish: (_, x) => x.hardswish(),
  hardsigmoid: (_, x) => x.hardsigmoid(),
  relu6: (_, x) => x.relu6(),
  erf: (_, x) => x.erf(),
  clamp: (c, x) => x.clamp(c.attrs),
  leaky_relu: (c, x) => x.leakyRelu(c.attrs.negative_slope),
  elu: (c, x) => x.elu(c.attrs.alpha),
  gelu: (c, x) => x.gelu({ approximate: c.attrs.approximate }),
  matmul: (_, a, b) => a.matmul(b),
  linear: (_, x, w, b) => b ? x.matmul(w.transpose()).add(b) : x.matmul(w.transpose()),
  sum: (c, x) => x.sum(same(c)),
  mean: (c, x) => x.mean(same(c)),
  amax: (c, x) => x.max(same(c)),
  amin: (c, x) => x.min(same(c)),
  logsumexp: (c, x) => x.logsumexp(same(c)),
  max_dim: (c, x) => x.max({ axis: c.attrs.dim }),
  max_all: (_, x) => x.max(),
  var: (c, x) => x.var({ ...same(c), correction: c.attrs.correction }),
  std: (c, x) => x.std({ ...same(c), correction: c.attrs.correction }),
  cumsum: (c, x) => x.cumsum({ axis: c.attrs.dim }),
  argmax: (c, x) => x.argmax({ axis: c.attrs.dim }),
  topk: (c, x) => x.topk(c.attrs.k, { axis: c.attrs.dim }).values,
  softmax: (c, x) => x.softmax({ axis: c.attrs.dim }),
  log_softmax: (c, x) => x.logSoftmax({ axis: c.attrs.dim }),
  reshape: (c, x) => x.reshape(c.attrs.shape),
  permute: (c, x) => x.permute(c.attrs.dims),
  transpose: (c, x) => x.transpose(c.attrs.dim0, c.attrs.dim1),
  expand: (c, x) => x.expand(c.attrs.size),
  slice: (c, x) => x.slice(ranges(c.attrs)),
  flip: (c, x) => x.flip(c.attrs.dims),
  roll: (c, x) => x.roll(c.attrs.shifts, { axis: c.attrs.dims }),
  cat: (c, ...xs) => cat(xs, { axis: c.attrs.dim }),
  stack: (c, ...xs) => stack(xs, { axis: c.attrs.dim }),
  pad: (c, x) => x.pad(widths(x, c.attrs.pad), { mode: c.attrs.mode, value: c.attrs.value }),
  tril: (c, x) => x.tril(c.attrs.diagonal),
  index_select: (c, x, index) => x.indexSelect(index, { axis: c.attrs.dim }),
  gather: (c, x, index) => x.gather(index, { axis: c.attrs.dim }),
  scatter_add: (c, x, index, src) => x.scatterAdd(index, src, { axis: c.attrs.dim }),
  conv1d: (c, x, w, bias) => x.conv1d(w, { ...c.attrs, bias }),
  conv2d: (c, x, w, bias) => x.conv2d(w, { ...c.attrs, bias }),
  conv_transpose2d: (c, x, w, bias) =>
    x.convTranspose2d(w, {
      stride: c.attrs.stride,
      padding: c.attrs.padding,
      dilation: c.attrs.dilation,
      groups: c.attrs.groups,
      bias,
      outputPadding: c.attrs.output_padding,
    }),
  max_pool2d: (c, x) =>
    x.maxPool2d(c.attrs.kernel_size, {
      stride: c.attrs.stride,
      padding: c.attrs.padding,
      dilation: c.attrs.dilation,
      ceilMode: c.attrs.ceil_mode,
    }),
  avg_pool2d: (c, x) =>
    x.avgPool2d(c.attrs.kernel_size, {
      stride: c.attrs.stride,
      padding: c.attrs.padding,
      ceilMode: c.attrs.ceil_mode,
      countIncludePad: c.attrs.count_include_pad,
    }),
  adaptive_avg_pool2d: (c, x) => x.adaptiveAvgPool2d(c.attrs.output_size),
  adaptive_max_pool2d: (c, x) => x.adaptiveMaxPool2d(c.attrs.output_size),
  interpolate: (c, x) =>
    x.interpolate({
      size: c.attrs.size,
      scale: c.attrs.scale_factor,
      mode: c.attrs.mode,
      alignCorners: c.attrs.align_corners,
    }),
  affine_grid: (c, theta) => theta.affineGrid(c.attrs.size, { alignCorners: c.attrs.align_corners }),
  grid_sample: (c, x, grid) =>
    x.gridSample(grid, {
      mode: c.attrs.mode,
      paddingMode: c.attrs.padding_mode,
      alignCorners: c.attrs.align_corners,
    }),
};

/** Recorded for layers, losses and the rest: tested with them. */
const ELSEWHERE = new Set([
  ...["embedding", "pixel_shuffle", "batch_norm1d", "batch_norm2d", "layer_norm", "group_norm", "instance_norm"],
  ...[
    "cross_entropy",
    "cross_entropy_prob",
    "nll_loss",
    "bce_with_logits",
    "binary_cross_entropy",
    "mse_loss",
    "l1_loss",
  ],
  ...["smooth_l1_loss", "huber_loss", "kl_div", "fastai_label_smoothing_cross_entropy", "fastai_focal_loss_flat"],
  "fastai_dice_loss",
]);

const cases = goldenCases();

Deno.test("every recorded operation is tested here or with the layers", () => {
  const unknown = new Set(cases.map((c) => c.op).filter((op) => RUN[op] === undefined && !ELSEWHERE.has(op)));
  assertEquals([...unknown], []);
  assertEquals(Object.keys(RUN).filter((op) => !cases.some((c) => c.op === op)), []);
});

for (const [op, run] of Object.entries(RUN)) {
  onDevices(`${op} follows PyTorch`, async () => {
    for (const c of cases) if (c.op === op) await checkGolden(c, run);
  });
}

onDevices("the indices of topk and of ties follow PyTorch", async () => {
  for (const c of cases) {
    const want = c.extra?.indices?.values;
    if (want === undefined || (c.op !== "topk" && c.op !== "max_dim")) continue;
    const x = inputTensor(c.inputs[0]);
    const got = c.op === "topk" ? x.topk(c.attrs.k, { axis: c.attrs.dim }).indices : x.argmax({ axis: c.attrs.dim });
    assertEquals(Array.from(await got.data()), want);
  }
});

onDevices("the derivative of clamp at its bounds is 1", async () => {
  const x = new Parameter(tensor([-1, -0.5, 0, 1, 2]));
  backward(x.clamp({ min: -0.5, max: 1 }).sum());
  assertEquals([...await x.grad!.data()], [0, 1, 1, 1, 0]);
});
