/**
 * f16 as a type of tensors: what is computed with it is rounded to it, sums are f32, memory is half as much.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { floatToHalf, halfToFloat, roundToHalf } from "../../src/base/half.ts";
import * as nn from "../../src/nn/mod.ts";
import { autocast, endStep, grad, ops, Parameter, rand, Rng, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fill, fillF32 } from "../support/fill.ts";

/** Numbers of f16 in f64. */
const halves = (seed: number, n: number, scale = 3): Float64Array => fill(seed, n, scale).map(roundToHalf);
const numbers = async (t: Tensor): Promise<number[]> => [...await t.data()];
const round = (values: ArrayLike<number>): number[] => Array.from(values, roundToHalf);

Deno.test("every number of f16 is itself, and what lies between goes to the nearest, to even from the middle", () => {
  const bits = Uint16Array.from({ length: 0x7c00 }, (_, i) => i);
  const all = halfToFloat(bits);
  assertEquals(floatToHalf(all), bits);
  for (let i = 0; i < all.length - 1; i++) {
    const middle = (all[i] + all[i + 1]) / 2; // exact in f64, and in f32
    const even = i % 2 === 0 ? all[i] : all[i + 1];
    if (roundToHalf(middle) !== even || roundToHalf(-middle) !== -even || roundToHalf(all[i]) !== all[i]) {
      throw new Error(`${middle} between ${all[i]} and ${all[i + 1]} becomes ${roundToHalf(middle)}`);
    }
  }
  assertEquals([65519.99, 65520, -7e4, NaN, -0, 1e-9].map(roundToHalf), [65504, Infinity, -Infinity, NaN, -0, 0]);
});

onDevices("casts round to the nearest, and give every number back", async () => {
  const x = [0.1, -2049, 2051, 65504, 65520, -1e9, 6e-8, 2.9e-8, NaN, -0, 1 / 3, 1e-5, 5];
  const h = tensor(x).half();
  assertEquals([h.dtype, h.toString()], ["f16", "Tensor f16 [13]"]);
  assertEquals(await numbers(h), round(Float32Array.from(x)));
  assertEquals(await numbers(h.float()), round(Float32Array.from(x)));
  assertEquals(await numbers(tensor(x, { dtype: "f16" })), round(Float32Array.from(x)));
  assertEquals(await numbers(tensor([3, -7], { dtype: "f16" }).cast("i32")), [3, -7]);
  assertEquals(await numbers(tensor([true, false]).cast("f16")), [1, 0]);
});

onDevices("each operation rounds once, whatever shares its kernel", async () => {
  const [a, b] = [halves(1, 37), halves(2, 37)];
  const [x, y] = [tensor(a, { dtype: "f16" }), tensor(b, { dtype: "f16" })];
  const sums = round(a.map((v, i) => v + b[i]));
  const products = round(sums.map((v, i) => roundToHalf(v * b[i])));
  const quotients = round(products.map((v, i) => v - a[i]));
  const chain = x.add(y).mul(y).sub(x);
  assertEquals([chain.dtype, await numbers(chain)], ["f16", quotients]);
  const numbersKeep = x.mul(0.3).add(tensor(2)).relu().maximum(0.7).neg().abs();
  const want = round(a.map((v) => roundToHalf(v * Math.fround(0.3)))).map((v) => roundToHalf(Math.max(v + 2, 0)));
  assertEquals([numbersKeep.dtype, await numbers(numbersKeep)], [
    "f16",
    want.map((v) => roundToHalf(Math.max(v, Math.fround(0.7)))),
  ]);
});

onDevices("types go together as PyTorch has it, and what leaves the range of f16 is f32", () => {
  const h = tensor([1, 2], { dtype: "f16" }), f = tensor([1, 2]), i = tensor(Int32Array.of(1, 2)), one = tensor(1);
  const types = [
    h.add(h),
    h.add(f),
    h.mul(i),
    h.mul(one),
    h.div(2),
    h.div(h),
    h.gt(0),
    h.sigmoid(),
    h.gelu(),
    h.mish(),
    h.max(),
    h.reshape([2, 1]),
    ops.cat([h, h]),
    ops.cat([h, f]),
    ops.where(h.gt(0), h, 0),
    h.argmax(),
  ].map((t) => t.dtype);
  const half = "f16", wide = "f32";
  assertEquals(types, [
    half,
    wide,
    half,
    half,
    half,
    half,
    "bool",
    half,
    half,
    half,
    half,
    half,
    half,
    wide,
    half,
    "i32",
  ]);
  const ranges = [h.sum(), h.mean(), h.exp(), h.log(), h.square(), h.pow(3), h.softmax(), h.cumsum(), h.std()];
  assertEquals(ranges.map((t) => t.dtype), ranges.map(() => wide));
}, { kinds: ["reference"] });

onDevices("sums of f16 do not stop at its range", async () => {
  const x = tensor(new Float32Array(5000).fill(60), { dtype: "f16" });
  assertEquals([await x.sum().item(), await x.mean().item()], [300000, 60]);
});

onDevices("views, look-ups and pieces of f16", async () => {
  const values = halves(3, 24);
  const x = tensor(values, { shape: [4, 6], dtype: "f16" });
  assertEquals(await numbers(x.transpose().flip(0)), await numbers(x.float().transpose().flip(0)));
  const rows = tensor(Int32Array.of(3, 0, 3));
  assertEquals(await numbers(x.indexSelect(rows)), await numbers(x.float().indexSelect(rows)));
  const pieces = ops.cat([x.slice([[1, 3], [0, 5]]), x.slice([[0, 2], [1, 6]])], { axis: 1 });
  assertEquals([pieces.dtype, await numbers(pieces)], [
    "f16",
    await numbers(ops.cat([x.float().slice([[1, 3], [0, 5]]), x.float().slice([[0, 2], [1, 6]])], { axis: 1 })),
  ]);
});

onDevices("products sum in f32, of f16 they are f16, and inside autocast all are", async () => {
  const [m, k, n] = [5, 300, 7];
  const [a, b] = [halves(4, m * k, 20), halves(5, k * n, 20)];
  const want = Array.from({ length: m * n }, (_, at) => {
    let sum = 0;
    for (let j = 0; j < k; j++) sum += a[Math.floor(at / n) * k + j] * b[j * n + at % n];
    return sum;
  });
  const x = tensor(a, { shape: [m, k] }), w = tensor(b, { shape: [k, n] });
  const y = autocast(() => x.matmul(w));
  assertEquals([y.dtype, x.half().matmul(w).dtype, x.half().matmul(w.half()).dtype, x.matmul(w).dtype], [
    "f16",
    "f32",
    "f16",
    "f32",
  ]);
  const got = await numbers(y), halved = await numbers(x.half().matmul(w.half()));
  assertEquals(got, halved);
  // f32's own error decides which of two neighbours a sum goes to; in f16 sums of such size would be whole units off
  got.forEach((v, i) => assert(Math.abs(v - want[i]) <= Math.abs(want[i]) * 2 ** -11 + 0.02, `${v} for ${want[i]}`));
  const large = tensor([[300]]), over = autocast(() => large.matmul(large.transpose()));
  assertEquals(await numbers(over), [Infinity]);
});

onDevices("layers inside autocast give the types that PyTorch gives them on a GPU", () => {
  const x = tensor(halves(1, 24), { shape: [2, 3, 4], dtype: "f16" }), image = x.reshape([1, 2, 3, 4]), f = x.float();
  const square = tensor(halves(2, 9), { shape: [3, 3] }), classes = tensor(Int32Array.of(0, 2));
  const types = (all: Record<string, () => Tensor>): Record<string, string> =>
    autocast(() => Object.fromEntries(Object.entries(all).map(([name, make]) => [name, make().dtype])));
  const half = types({
    matmul: () => square.matmul(square),
    linear: () => new nn.Linear(4, 2).forward(f),
    conv: () => new nn.Conv2d(2, 3, 1).forward(image.float()),
    transposed: () => new nn.ConvTranspose2d(2, 3, 1).forward(image.float()),
    attention: () => ops.scaledDotProductAttention(f, f, f),
    prelu: () => new nn.PReLU().forward(x),
    batchNorm: () => new nn.BatchNorm2d(2).forward(image),
    dropout: () => new nn.Dropout(0.5).forward(x),
    maxPool: () => image.maxPool2d(2),
    avgPool: () => image.avgPool2d(2),
    partly: () => image.avgPool2d(2, { padding: 1, countIncludePad: false }),
    adaptive: () => image.adaptiveAvgPool2d([2, 3]),
    relu: () => x.relu(),
    gelu: () => x.gelu(),
    tanh: () => x.tanh(),
  });
  const wide = types({
    embedding: () => new nn.Embedding(4, 3).forward(classes),
    layerNorm: () => new nn.LayerNorm(4).forward(x),
    groupNorm: () => new nn.GroupNorm(1, 2).forward(image),
    softmax: () => x.softmax(),
    logSoftmax: () => x.logSoftmax(),
    exp: () => x.exp(),
    log: () => x.log(),
    pow: () => x.pow(3),
    rsqrt: () => x.rsqrt(),
    softplus: () => x.softplus(),
    sum: () => x.sum(),
    cumsum: () => x.cumsum(),
    crossEntropy: () => new nn.CrossEntropyLoss().forward(x.reshape([6, 4]).slice([[0, 2]]), classes),
    mse: () => new nn.MSELoss().forward(x, f),
    l1: () => new nn.L1Loss().forward(x, f),
    smoothL1: () => new nn.SmoothL1Loss().forward(x, f),
    added: () => x.add(f),
    joined: () => ops.cat([x, f]),
    // these are f16 there
    mean: () => x.mean(),
    std: () => x.std(),
    instanceNorm: () => new nn.InstanceNorm2d(2).forward(image),
    lstm: () => new nn.LSTM(4, 5).forward(x)[0],
  });
  assertEquals(half, Object.fromEntries(Object.keys(half).map((name) => [name, "f16"])));
  assertEquals(wide, Object.fromEntries(Object.keys(wide).map((name) => [name, "f32"])));
}, { kinds: ["reference"] });

/** Gradients of `sum(f(x, w) * c)`, computed on f16 and on the same numbers in f32. */
async function gradientsOf(
  f: (x: Tensor, w: Tensor) => Tensor,
  shapes: readonly (readonly number[])[],
): Promise<{ half: number[][]; wide: number[][] }> {
  const parameters = () =>
    shapes.map((shape, i) =>
      new Parameter(tensor(halves(6 + i, shape.reduce((a, b) => a * b), 1), { shape: [...shape] }))
    );
  const run = async (body: (f: () => Tensor) => Tensor) => {
    const [x, w] = parameters();
    const y = body(() => f(x, w));
    const c = tensor(halves(9, y.size, 1), { shape: [...y.shape] });
    const found = grad(y.float().mul(c).sum(), [x, w]);
    return await Promise.all(found.map((g) => {
      assertEquals(g.dtype, "f32");
      return numbers(g);
    }));
  };
  return { half: await run(autocast), wide: await run((f) => f()) };
}

const near = (got: readonly number[][], want: readonly number[][], what: string): void =>
  got.forEach((g, i) => {
    const size = Math.max(...want[i].map(Math.abs));
    g.forEach((v, j) => assert(Math.abs(v - want[i][j]) <= 4e-3 * size, `${what} ${i} [${j}]: ${v} for ${want[i][j]}`));
  });

/** A layer with the same numbers each time. */
function filled<M extends nn.AnyModule>(m: M): M {
  m.parameters().forEach((p, i) => p.assign(tensor(fillF32(50 + i, p.size, 0.4), { shape: p.shape })));
  return m;
}
/** `x w` as sequences of features. */
const sequences = (x: Tensor, w: Tensor): Tensor => x.matmul(w).reshape([2, 3, 4]);

const LAYERS: readonly [string, (x: Tensor, w: Tensor) => Tensor, readonly (readonly number[])[]][] = [
  ["product, relu", (x, w) => x.matmul(w).relu(), [[5, 12], [12, 7]]],
  ["product, gelu, product", (x, w) => x.matmul(w).gelu().matmul(w.transpose()), [[5, 12], [12, 7]]],
  ["convolution, sigmoid", (x, w) => ops.conv2d(x, w, { padding: 1, stride: 2 }).sigmoid(), [[2, 4, 7, 6], [
    5,
    4,
    3,
    3,
  ]]],
  ["convolution, largest", (x, w) => ops.conv2d(x, w, { padding: 1 }).maxPool2d(2), [[2, 4, 8, 6], [5, 4, 3, 3]]],
  ["depthwise convolution", (x, w) => ops.conv2d(x, w, { padding: 1, groups: 4 }), [[2, 4, 7, 6], [4, 1, 3, 3]]],
  ["transposed convolution", (x, w) => ops.convTranspose2d(x, w, { stride: 2 }), [[2, 4, 3, 3], [4, 2, 3, 3]]],
  ["attention", (x, w) => ops.scaledDotProductAttention(x, w, w), [[1, 2, 9, 8], [1, 2, 9, 8]]],
  ["softmax of a product", (x, w) => x.matmul(w).softmax(), [[5, 12], [12, 7]]],
  ["norm of a product", (x, w) => new nn.LayerNorm(7).forward(x.matmul(w)).tanh(), [[5, 12], [12, 7]]],
  [
    "average pools of a convolution",
    (x, w) => ops.conv2d(x, w, { padding: 1 }).avgPool2d(2).adaptiveAvgPool2d([2, 1]),
    [
      [2, 4, 8, 6],
      [5, 4, 3, 3],
    ],
  ],
  ["prelu of a product", (x, w) => filled(new nn.PReLU()).forward(x.matmul(w)), [[5, 12], [12, 7]]],
  ["LSTM", (x, w) => filled(new nn.LSTM(4, 5)).forward(sequences(x, w))[0], [[6, 8], [8, 4]]],
  ["GRU", (x, w) => filled(new nn.GRU(4, 5)).forward(sequences(x, w))[0], [[6, 8], [8, 4]]],
  [
    "layer of a transformer",
    (x, w) => filled(new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 8, dropout: 0 })).forward(sequences(x, w)),
    [[6, 8], [8, 4]],
  ],
  [
    "cross entropy of a product",
    (x, w) => new nn.CrossEntropyLoss().forward(x.matmul(w), tensor(Int32Array.of(0, 3, 6, 1, 2))),
    [[5, 12], [12, 7]],
  ],
  ["batch norm of a convolution", (x, w) => new nn.BatchNorm2d(5).forward(ops.conv2d(x, w)).relu(), [[4, 3, 5, 5], [
    5,
    3,
    3,
    3,
  ]]],
];

onDevices("gradients inside autocast are those of f32, to what f16 keeps", async (_, kind) => {
  // compiling all of them takes drivers long
  const layers = kind === "webgpu" ? LAYERS.filter(([name]) => name === "convolution, sigmoid") : LAYERS;
  for (const [name, f, shapes] of layers) {
    const { half, wide } = await gradientsOf(f, shapes);
    near(half, wide, name);
    assert(half.flat().some((v, i) => v !== wide.flat()[i]), `${name}: nothing was rounded`);
  }
});

onDevices("activations that wait for their gradients take half the memory", async (device) => {
  const [rows, wide, layers] = [2048, 64, 16];
  const weights = Array.from(
    { length: layers },
    (_, i) => new Parameter(tensor(fillF32(20 + i, wide * wide, 0.1), { shape: [wide, wide] })),
  );
  const x = tensor(fillF32(30, rows * wide), { shape: [rows, wide] });
  for (const t of [x, ...weights]) await t.sum().item(); // is on the device
  const bytesOf = async (body: (f: () => Tensor) => Tensor): Promise<number> => {
    const before = device.stats().liveBytes;
    const y = body(() => weights.reduce((h, w) => h.matmul(w).relu(), x)).float();
    await ops.cat(grad(y.sum(), weights).map((g) => g.reshape([-1]))).data();
    return device.stats().liveBytes - before; // programs keep their temporaries
  };
  const f32 = await bytesOf((f) => f()), f16 = await bytesOf(autocast);
  // beside a layer's operands as f32, which products on the CPU take
  assert(f16 < 0.62 * f32, `${f16} bytes for ${f32}`);
}, { kinds: ["cpu"] });

onDevices("random numbers, steps and parameters with f16", async () => {
  assertThrows(
    () => new Parameter(tensor([1], { dtype: "f16" })),
    Error,
    'Cannot train a f16 tensor: parameters are f32, use cast("f32")',
  );
  const p = new Parameter(tensor([1, 2, 3]));
  p.assign(tensor([0.1, 0.2, 0.3], { dtype: "f16" }).mul(2));
  endStep();
  assertEquals(await numbers(p), round([0.1, 0.2, 0.3]).map((v) => v * 2));
  const kept = rand([1000], { rng: new Rng(1) }).half();
  assertEquals((await numbers(kept)).every((v) => v >= 0 && v <= 1), true);
});

onDevices("NaN counts as the largest of f16, too, and one of equal ones takes the gradient", async () => {
  const { values, indices } = tensor([1, NaN, 3, NaN, 2]).half().topk(4);
  assertEquals(await values.array(), [NaN, NaN, 3, 2]);
  assertEquals(await indices.array(), [1, 3, 2, 4]);
  const x = tensor([[1, 3, 3], [2, 2, 0]]);
  const [most] = grad(x.half().max({ axis: 1 }).sum().float(), [x]);
  assertEquals(await most.array(), [[0, 1, 0], [1, 0, 0]]);
  const [least] = grad(x.half().min({ axis: 1 }).sum().float(), [x]);
  assertEquals(await least.array(), [[1, 0, 0], [0, 0, 1]]);
});
