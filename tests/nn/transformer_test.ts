/**
 * Attention layers and transformers: stacks, first values, padding and errors; values are recorded in `sequence.json`.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError, DtypeError, ShapeError } from "../../src/base/errors.ts";
import * as nn from "../../src/nn/mod.ts";
import { backward, grad, ones, randn, Rng, setSeed, type Tensor, tensor, zeros } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

const onCpu = { kinds: ["cpu"] } as const;
const draw = (seed: number, ...shape: number[]) => randn(shape, { rng: new Rng(seed) });
const small = (seed: number, options: nn.TransformerLayerOptions = {}) =>
  new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 6, dropout: 0, rng: new Rng(seed), ...options });

async function near(got: Tensor, want: Tensor, what: string): Promise<void> {
  const a = await got.data(), b = await want.data();
  assertEquals(a.length, b.length, what);
  a.forEach((v, i) => assert(Math.abs(v - b[i]) < 2e-6, `${what} ${i}: ${v}, ${b[i]}`));
}

onDevices("stacks are their layers one after the other, and start alike", async () => {
  const encoder = new nn.TransformerEncoder(small(1), 3, { norm: new nn.LayerNorm(8) });
  const names = [...encoder.stateDict().keys()];
  assertEquals(names[0], "layers.0.self_attn.in_proj_weight");
  assertEquals(names.at(-1), "norm.bias");
  assertEquals(names.length, 3 * 12 + 2);
  await near(encoder.layers[2].linear1.weight, encoder.layers[0].linear1.weight, "first weights");
  const x = draw(2, 2, 4, 8), mask = tensor([[0, 0, 0, 1], [0, 0, 0, 0]]).cast("bool");
  const options = { keyPaddingMask: mask, causal: true };
  const by = encoder.layers.reduce((z, layer) => layer.forward(z, options), x);
  await near(encoder.forward(x, options), encoder.norm!.forward(by), "encoder");
  const decoder = new nn.TransformerDecoder(new nn.TransformerDecoderLayer(8, 2, { dimFeedforward: 6, dropout: 0 }), 2);
  const memory = draw(3, 2, 5, 8);
  const twice = decoder.layers[1].forward(decoder.layers[0].forward(x, memory, { causal: true }), memory, {
    causal: true,
  });
  await near(decoder.forward(x, memory, { causal: true }), twice, "decoder");
  assertEquals([...decoder.stateDict().keys()][4], "layers.0.multihead_attn.in_proj_weight");
}, onCpu);

onDevices("padding changes nothing, whatever it is, and an item of nothing but padding gives numbers", async () => {
  const layer = small(4), mask = tensor([[0, 0, 1, 1], [1, 1, 1, 1]]).cast("bool");
  const x = draw(5, 2, 4, 8), numbers = (await x.data()).slice();
  const run = async (input: Tensor) => {
    const y = layer.forward(input, { keyPaddingMask: mask });
    const [g] = grad(y.slice([[0, 1], [0, 2]]).square().sum(), [layer.selfAttn.inProjWeight!]);
    return [...(await y.slice([[0, 1], [0, 2]]).data()), ...(await g.data())];
  };
  const clean = await run(x);
  numbers.fill(1e3, 16, 32);
  assertEquals(await run(tensor(numbers, { shape: [2, 4, 8] })), clean);
  const all = await layer.forward(x, { keyPaddingMask: mask }).data();
  assert(all.every(Number.isFinite), "a row of padding only");
  const [y, weights] = layer.selfAttn.forward(x, x, x, { keyPaddingMask: mask, needWeights: true });
  assertEquals(new Set(await weights!.slice([[1, 2]]).data()), new Set([0]));
  await near(
    y.slice([[1, 2], [0, 1]]).reshape([8]),
    layer.selfAttn.outProj.bias!,
    "what a query gets that sees nothing",
  );
}, onCpu);

onDevices("cross attention with keys of another size, one head, one position", async () => {
  const attend = new nn.MultiheadAttention(4, 1, { kdim: 3, vdim: 5, rng: new Rng(1) });
  const [y, weights] = attend.forward(draw(1, 1, 1, 4), draw(2, 1, 1, 3), draw(3, 1, 1, 5), { needWeights: true });
  assertEquals([y.shape, weights!.shape, [...await weights!.data()]], [[1, 1, 4], [1, 1, 1], [1]]);
  assertEquals(attend.forward(zeros([0, 2, 4]), zeros([0, 3, 3]), zeros([0, 3, 5]))[0].shape, [0, 2, 4]);
}, onCpu);

onDevices("dropout drops in training only", async () => {
  setSeed(3);
  const layer = new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 6, dropout: 0.5 }), x = draw(6, 1, 3, 8);
  const run = async () => `${await layer.forward(x).data()}`;
  assert(await run() !== await run());
  layer.eval();
  assertEquals(await run(), await run());
}, onCpu);

onDevices("it learns, and three projections of one tensor are one product", async (device) => {
  const layer = small(7), x = draw(8, 2, 4, 8), loss = () => layer.forward(x).sub(1).square().mean();
  backward(loss());
  assert(layer.parameters().every((p) => p.grad !== null));
  const attend = new nn.MultiheadAttention(8, 2, { rng: new Rng(1) });
  attend.eval();
  const kernels = async (run: () => Tensor) => {
    await run().data();
    const before = device.stats().dispatches;
    await run().data();
    return device.stats().dispatches - before;
  };
  const one = await kernels(() => attend.forward(x)[0]),
    apart = await kernels(() => attend.forward(x, x.mul(1), x.mul(2))[0]);
  assert(one < apart, `${one} kernels, ${apart} of three tensors`);
}, onCpu);

Deno.test("first values are PyTorch's", async () => {
  const attend = new nn.MultiheadAttention(16, 4, { rng: new Rng(2) });
  const bound = Math.sqrt(6 / (16 + 48)), weights = await attend.inProjWeight!.data();
  assert(weights.every((w) => Math.abs(w) <= bound) && Math.max(...weights) > 0.9 * bound);
  for (const bias of [attend.inProjBias!, attend.outProj.bias!]) assertEquals(new Set(await bias.data()), new Set([0]));
  const layer = new nn.TransformerEncoderLayer(8, 2);
  assertEquals([layer.linear1.outFeatures, layer.dropout.p, layer.selfAttn.dropout, layer.norm1.eps], [
    2048,
    0.1,
    0.1,
    1e-5,
  ]);
});

Deno.test("what does not fit is said", () => {
  const attend = new nn.MultiheadAttention(8, 2), x = ones([2, 3, 8]);
  const refused = (options: nn.AttendOptions, why: string) =>
    assertThrows(() => attend.forward(x, x, x, options), ShapeError, why);
  refused(
    { mask: zeros([3, 4]).cast("bool") },
    "with a mask of shape [3, 4]: it is [n, m] or [b heads, n, m], here [3, 3] or [4, 3, 3]",
  );
  refused({ mask: zeros([2, 3, 3]).cast("bool") }, "a mask of shape [2, 3, 3]");
  refused({ keyPaddingMask: zeros([3, 2]).cast("bool") }, "one value for each key, [2, 3]");
  assertThrows(
    () => attend.forward(x, x, x, { keyPaddingMask: zeros([2, 3]).cast("i32") }),
    DtypeError,
    "a mask of type i32",
  );
  assertThrows(
    () => attend.forward(ones([2, 3, 7])),
    ShapeError,
    "Cannot apply MultiheadAttention(8, 2) to queries [2, 3, 7]",
  );
  assertThrows(() => attend.forward(x, ones([1, 3, 8])), ShapeError, "batch first");
  assertThrows(() => new nn.MultiheadAttention(8, 3), ConfigError, "8 features do not divide into 3 heads");
  assertThrows(() => new nn.TransformerEncoderLayer(8, 2, { dropout: 2 }), ConfigError, "a probability from 0 to 1");
  assertThrows(() => new nn.TransformerEncoder(small(1), 0), ConfigError, "numLayers is a whole number from 1");
  assertThrows(
    () => new nn.TransformerEncoder(new nn.Linear(2, 2) as never, 2),
    ConfigError,
    "it takes a TransformerEncoderLayer",
  );
  assertThrows(() => new nn.SinusoidalPositions(5), ConfigError, "dim is an even number");
  assertThrows(() => new nn.EmbeddingBag(3, 2).forward(zeros([3]).cast("i32")), ShapeError, "the offsets of the bags");
  assertThrows(
    () => new nn.CrossEntropyLoss().forward(ones([2, 3, 5]), zeros([2, 3]).cast("i32")),
    ShapeError,
    "the classes along axis 1; if they are along the last one, say { axis: -1 }",
  );
});
