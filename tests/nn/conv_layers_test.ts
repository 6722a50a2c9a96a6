/**
 * Layers over images and sequences: what they pass on to the operations, which have tests of their own, and what they draw.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import * as nn from "../../src/nn/mod.ts";
import { readAll, Rng, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { ref, refConv, refConvTranspose, type RefWindows } from "../support/ref.ts";
import { assertClose } from "../tensor/golden_cases.ts";

const some = (seed: number, shape: number[]): [Tensor, Float32Array] => {
  const data = new Rng(seed).uniformArray(shape.reduce((a, b) => a * b), -1, 1);
  return [tensor(data, { shape }), data];
};

/** What a layer with a bias gives, by the definition. */
async function wanted(layer: nn.Conv1d | nn.Conv2d, x: Float32Array, shape: number[], w: RefWindows) {
  const [weight, bias] = await readAll([layer.weight, layer.bias!]);
  const y = refConv(ref(shape, x), ref(layer.weight.shape, Array.from(weight)), w);
  const inner = y.shape.slice(2).reduce((a, b) => a * b);
  return y.data.map((v, i) => v + bias[Math.floor(i / inner) % y.shape[1]]);
}

onDevices("Conv1d and Conv2d with stride, padding, dilation and groups", async () => {
  const [x, xData] = some(1, [2, 4, 9]);
  const one = new nn.Conv1d(4, 6, 3, { stride: 2, padding: 1, groups: 2, rng: new Rng(2) });
  const of = (stride: number[], padding: number[], dilation: number[], groups: number) => ({
    stride,
    padding,
    dilation,
    groups,
  });
  assertClose(await one.forward(x).data(), await wanted(one, xData, [2, 4, 9], of([2], [1], [1], 2)), "Conv1d");
  const [z, zData] = some(3, [2, 3, 7, 6]);
  const two = new nn.Conv2d(3, 5, [3, 2], { stride: [1, 2], padding: [2, 0], dilation: [2, 1], rng: new Rng(4) });
  assertClose(
    await two.forward(z).data(),
    await wanted(two, zData, [2, 3, 7, 6], of([1, 2], [2, 0], [2, 1], 1)),
    "Conv2d",
  );
});

onDevices("ConvTranspose2d is the convolution's gradient plus a bias", async () => {
  const [x, xData] = some(5, [2, 4, 3, 4]);
  const layer = new nn.ConvTranspose2d(4, 6, 3, {
    stride: 2,
    padding: 1,
    outputPadding: 1,
    groups: 2,
    rng: new Rng(6),
  });
  const y = layer.forward(x);
  assertEquals([...y.shape], [2, 6, 6, 8]);
  const [weight, bias] = await readAll([layer.weight, layer.bias!]);
  const w = { stride: [2, 2], padding: [1, 1], dilation: [1, 1], groups: 2 };
  const want = refConvTranspose(ref([2, 4, 3, 4], xData), ref(layer.weight.shape, Array.from(weight)), w, [6, 8]);
  assertClose(await y.data(), want.data.map((v, i) => v + bias[Math.floor(i / 48) % 6]), "ConvTranspose2d");
});

onDevices("padding of every mode, and the padding that keeps the size", async () => {
  const [x] = some(7, [1, 2, 5, 6]);
  for (const padMode of ["reflect", "replicate", "circular"] as const) {
    const layer = new nn.Conv2d(2, 3, 3, { padding: [2, 1], padMode, rng: new Rng(8) });
    const around = x.pad([[0, 0], [0, 0], [2, 2], [1, 1]], { mode: padMode });
    const [got, want] = await readAll([layer.forward(x), around.conv2d(layer.weight, { bias: layer.bias })]);
    assertClose(got, want, padMode);
  }
  const even = new nn.Conv2d(2, 3, [4, 3], { padding: "same", rng: new Rng(9) });
  const y = even.forward(x);
  assertEquals([...y.shape], [1, 3, 5, 6]);
  const around = x.pad([[0, 0], [0, 0], [1, 2], [1, 1]]); // PyTorch puts the odd row behind
  const [got, want] = await readAll([y, around.conv2d(even.weight, { bias: even.bias })]);
  assertClose(got, want, "same");
});

onDevices("pools, and both adaptive ones next to each other", async () => {
  const [x] = some(10, [2, 3, 8, 6]);
  const both = new nn.AdaptiveConcatPool2d(2).forward(x);
  assertEquals([...both.shape], [2, 6, 2, 2]);
  const [got, max, avg] = await readAll([
    both,
    new nn.AdaptiveMaxPool2d(2).forward(x),
    new nn.AdaptiveAvgPool2d(2).forward(x),
  ]);
  const maxFirst = [0, 1].flatMap((n) => [...max.slice(n * 12, n * 12 + 12), ...avg.slice(n * 12, n * 12 + 12)]);
  assertEquals([...got], maxFirst);
  const [pooled, mean] = await readAll([
    new nn.MaxPool2d(3, { stride: 2, padding: 1 }).forward(x),
    new nn.AvgPool2d(2).forward(x),
  ]);
  const [opMax, opMean] = await readAll([x.maxPool2d(3, { stride: 2, padding: 1 }), x.avgPool2d(2)]);
  assertEquals([[...pooled], [...mean]], [[...opMax], [...opMean]]);
});

onDevices("Upsample repeats or blends", async () => {
  const [x] = some(11, [1, 2, 3, 4]);
  const [up, want] = await readAll([
    new nn.Upsample({ scale: 2, mode: "bilinear" }).forward(x),
    x.interpolate({ size: [6, 8], mode: "bilinear" }),
  ]);
  assertClose(up, want, "bilinear");
  assertEquals([...new nn.Upsample({ scale: 3 }).forward(x).shape], [1, 2, 9, 12]);
});

onDevices("Dropout2d drops whole channels and keeps the mean", async () => {
  const x = tensor(new Float32Array(64 * 32 * 4).fill(1), { shape: [64, 32, 2, 2] });
  const drop = new nn.Dropout2d(0.25, { rng: new Rng(12) });
  const y = await drop.forward(x).data();
  let dropped = 0;
  for (let i = 0; i < y.length; i += 4) {
    assertEquals(new Set(y.subarray(i, i + 4)).size, 1, "a channel is dropped whole");
    assert(y[i] === 0 || Math.abs(y[i] - 4 / 3) < 1e-6);
    if (y[i] === 0) dropped++;
  }
  const share = dropped / 2048; // standard deviation 0.0096
  assert(Math.abs(share - 0.25) < 0.04, `${share} of the channels`);
  drop.eval();
  assertEquals(drop.forward(x), x);
});

Deno.test("weights are drawn as PyTorch draws them", async () => {
  const layer = new nn.Conv2d(8, 64, 3, { rng: new Rng(13) });
  const bound = 1 / Math.sqrt(8 * 9);
  const [weight, bias] = (await readAll([layer.weight, layer.bias!])).map((v) => Float64Array.from(v));
  const largest = weight.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  assert(largest <= bound && largest > 0.99 * bound, `${largest} of ${bound}`);
  const deviation = Math.sqrt(weight.reduce((s, v) => s + v * v, 0) / weight.length);
  assert(Math.abs(deviation / (bound / Math.sqrt(3)) - 1) < 0.03);
  assert(bias.every((v) => Math.abs(v) <= bound));
  assertEquals([...layer.stateDict().keys()], ["weight", "bias"]);
  assertEquals(new nn.Conv2d(1, 1, 3, { bias: false }).bias, null);
});

const REFUSED: [string, () => unknown, string][] = [
  ["groups", () => new nn.Conv2d(3, 4, 3, { groups: 2 }), "2 groups do not divide 3 inChannels"],
  ["same with a stride", () => new nn.Conv2d(3, 4, 3, { padding: "same", stride: 2 }), 'padding "same" needs stride 1'],
  ["kernel", () => new nn.Conv2d(3, 4, 0), "kernel is a whole number from 1"],
  ["three strides", () => new nn.Conv2d(3, 4, 3, { stride: [1, 1, 1] }), "or 2 of them"],
  ["probability", () => new nn.Dropout2d(2), "from 0 to 1"],
];

for (const [what, make, message] of REFUSED) {
  Deno.test(`layers over images refuse a wrong ${what}`, () => {
    assertThrows(make, ConfigError, message);
  });
}
