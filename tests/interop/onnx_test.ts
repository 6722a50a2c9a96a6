/**
 * Models as ONNX: what the runtime of ONNX computes is what the model does.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  arange,
  ConfigError,
  DataLoaders,
  Learner,
  nn,
  noGrad,
  randn,
  Rng,
  silentLogger,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";
import { TextClassifier } from "../../src/entry/text.ts";
import { AwdLstm } from "../../src/text/models/awd_lstm.ts";
import { Bert } from "../../src/text/models/bert.ts";
import { Gpt } from "../../src/text/models/gpt.ts";
import { exportOnnx } from "../../src/interop/mod.ts";
import { encodeModel } from "../../src/interop/onnx/encode.ts";
import { floatToHalf, halfToFloat } from "../../src/base/half.ts";
import { opTable } from "../../src/graph/registry.ts";
import { trace } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { architectures, Fn, inputsOf } from "./onnx_models.ts";
import { operations } from "./onnx_operations.ts";
import { assertSame, check, runOnnx, tensorsOf } from "./onnx_runtime.ts";

const kinds = { kinds: ["cpu"] } as const;

onDevices("architectures as ONNX compute what they do", async () => {
  for (const [name, make] of Object.entries(architectures())) await check(make(), name);
}, kinds);

onDevices("operations as ONNX compute what they do, with the operators of any version", async () => {
  for (const [name, make] of Object.entries(operations())) {
    const one = make();
    for (const opset of [17, 18, 22]) await check(one, `${name}, opset ${opset}`, { opset });
  }
}, kinds);

onDevices("a model that was trained is exported with its weights of now, and trains on", async () => {
  const x = randn([32, 4], { rng: new Rng(1) });
  const dls = DataLoaders.fromArrays({ x, y: x.sum({ axis: 1 }).gt(0).cast("i32") }, { bs: 8, seed: 1 });
  const model = new nn.Sequential(new nn.Linear(4, 8), new nn.BatchNorm1d(8), new nn.Dropout(0.3), new nn.Linear(8, 2));
  const learn = new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss(), logger: silentLogger });
  await learn.fit(2, { lr: 0.1 });
  model.train();
  const onnx = await exportOnnx(model, zeros([1, 4]));
  assertEquals(onnx.operators, ["Gemm", "BatchNormalization", "Gemm"]);
  assert(model.modules().every((m) => m.training), "modes are as before");
  model.eval();
  await assertSame(onnx, (t) => model.forward(t), [x], "trained");
  await learn.fit(1, { lr: 0.1 });
}, kinds);

onDevices("files for batches of one size, with names, text and weights of their own file", async () => {
  const model = new nn.Sequential(new nn.Linear(40, 40), new nn.Linear(40, 2));
  const fixed = await exportOnnx(model, zeros([3, 40]), { dynamicBatch: false, inputNames: ["x"], outputNames: ["y"] });
  await assertSame(fixed, (t) => model.forward(t), [randn([3, 40])], "three items");
  await assertRejects(() => runOnnx(fixed, [randn([2, 40])]), Error, "3");
  assertEquals([fixed.inputs, fixed.outputs], [["x"], ["y"]]);
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "a.onnx");
    const onnx = await exportOnnx(model, zeros([1, 40]), { externalData: true });
    assertEquals(await onnx.save(path), [path, `${path}.data`]);
    assertEquals((await Deno.stat(`${path}.data`)).size, 40 * 40 * 4, "small ones stay in the file");
    await assertSame(path, (t) => model.forward(t), [randn([5, 40])], "external");
    const one = join(folder, "b.onnx");
    assertEquals(await (await exportOnnx(model, zeros([1, 40]))).save(one), [one]);
    await assertSame(one, (t) => model.forward(t), [randn([5, 40])], "one file");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}, kinds);

onDevices("weights are stored as f16 where that is asked for, and computed with as f32", async () => {
  const model = new nn.Sequential(new nn.Linear(64, 64), new nn.ReLU(), new nn.Linear(64, 2)), x = randn([5, 64]);
  const whole = await exportOnnx(model, x), half = await exportOnnx(model, x, { weights: "f16" });
  const sizes = [(await whole.bytes()).length, (await half.bytes()).length];
  assert(sizes[1] < 0.6 * sizes[0], `${sizes}`);
  const rounded = model.namedParameters();
  for (const [name, p] of rounded) {
    if (name.endsWith("weight")) {
      p.assign(tensor(halfToFloat(floatToHalf(await p.data() as Float32Array)), { shape: p.shape }));
    }
  }
  await assertSame(half, (t) => model.forward(t), [x], "rounded weights");
  rounded.get("0.weight")!.assign(rounded.get("0.weight")!.add(1e5));
  await assertRejects(() => exportOnnx(model, x, { weights: "f16" }), ConfigError, "0.weight has");
}, kinds);

onDevices("inputs and outputs of every type", async () => {
  const fn = new Fn((bytes, whole, big) => ({
    bytes: bytes.cast("f32").div(255),
    whole: whole.mul(2),
    flags: whole.gt(1),
    big,
    picked: tensor([[1, 2], [3, 4]]).indexSelect(big.reshape([-1])),
  }));
  const inputs = (n: number): Tensor[] => [
    tensor(Uint8Array.from({ length: 2 * n }, (_, i) => 40 * i), { shape: [n, 2] }),
    tensor(Int32Array.from({ length: n }, (_, i) => i), { shape: [n] }),
    tensor(Uint32Array.from({ length: n }, (_, i) => i % 2), { shape: [n, 1] }),
  ];
  const onnx = await exportOnnx(fn, inputs(2));
  assertEquals(onnx.outputs, ["bytes", "whole", "flags", "big", "picked"]);
  await assertSame(onnx, (...x) => fn.forward(...x), inputs(5), "types");
}, kinds);

onDevices("what ONNX cannot say is refused by name", async () => {
  const x = randn([2, 3]);
  const refused = async (fn: (x: Tensor) => unknown, ...words: string[]) => {
    const error = await assertRejects(() => exportOnnx(new Fn(fn), x), ConfigError);
    for (const word of words) assert(error.message.includes(word), `${error.message} lacks ${word}`);
  };
  const table = new Map(
    [2, 3, 5].map((n) => [n, tensor(Float32Array.from({ length: 3 * n }, (_, i) => i), { shape: [n, 3] })]),
  );
  await refused((t) => t.add(table.get(t.shape[0])!), "numbers of shape [2, 3]", "dynamicBatch: false");
  await refused((t) => t.shape[0] > 2 ? t.add(1).relu() : t.mul(2), "something else for 3 items than for 2 items");
  await refused((t) => t.mul(1 / t.shape[0]), "depends on the number of items");
  await refused((t) => t.reshape([2, 3]), "inputs of [3, 3] it fails", "Cannot reshape");
  await refused((t) => t.add(randn([3])), "random numbers");
  const noise = randn([3]); // drawn once
  await check({ model: new Fn((t) => t.add(noise)), inputs: [{ shape: [3] }], operators: ["Add"] }, "noise");
  await refused((t) => [t, 3], "no tensor");
  await refused((t) => t.mul(t.detach().add(1).realize()), "other batches");
  await assertRejects(
    () => exportOnnx(new nn.ReLU(), x, { opset: 12 }),
    ConfigError,
    "opset 12: it takes a whole number from 17",
  );
  await assertRejects(() => exportOnnx(new nn.ReLU(), x, { inputNames: ["a", "b"] }), ConfigError, "it has 1 input");
  await assertRejects(
    () => exportOnnx(new nn.ReLU(), x, { outputNames: ["input"] }),
    ConfigError,
    "both input and output",
  );
  await assertRejects(() => exportOnnx(new nn.ReLU(), zeros([0, 3])), ConfigError, "at least one item");
  // what they brake for is no fault of batches of one size
  await check({ model: new Fn((t) => t.mul(1 / 3)), inputs: [{ shape: [3] }], operators: ["Mul"] }, "a number");
  const one = await exportOnnx(new Fn((t) => t.reshape([2, 3]).mul(1 / t.shape[0])), x, { dynamicBatch: false });
  await assertSame(one, (t) => t.reshape([2, 3]).mul(1 / t.shape[0]), [x], "two items");
}, kinds);

onDevices("a model without operations, and results that are the same value", async () => {
  const same = new Fn((t) => [t, t, t.relu(), t.relu()]);
  const onnx = await exportOnnx(same, inputsOf({ model: same, inputs: [{ shape: [3] }], operators: [] }, 1));
  await assertSame(onnx, (t) => same.forward(t), [randn([4, 3])], "same");
}, kinds);

onDevices("an encoder that goes on where the batch before ended is exported as it begins", async () => {
  const model = new AwdLstm(20, { embSize: 6, hidden: 8, layers: 2, bidirectional: true });
  const texts = (n: number, seed: number) => {
    const numbers = Int32Array.from(new Rng(seed).uniformArray(5 * n, 0, 20), Math.floor);
    return tensor(numbers, { shape: [n, 5] });
  };
  model.eval();
  await noGrad(() => model.forward(texts(2, 1))).data(); // leaves a state
  const weights = [...model.stateDict().keys()];
  const onnx = await exportOnnx(model, texts(1, 2));
  assertEquals(onnx.operators.filter((name) => name === "LSTM").length, 4);
  for (const n of [1, 2, 7]) {
    const forward = (t: Tensor) => {
      model.reset();
      return model.forward(t);
    };
    await assertSame(onnx, forward, [texts(n, n)], `${n} texts`);
  }
  assertEquals([...model.stateDict().keys()], weights);
}, kinds);

onDevices("what a forward pass assigns is not carried out by an export, and what was assigned before is", async () => {
  class Counter extends nn.Module {
    readonly count = this.buffer("count", zeros([1]));
    constructor(readonly late: boolean) {
      super();
    }
    override forward(x: Tensor): Tensor {
      const before = x.add(this.count);
      this.count.assign(this.count.add(1));
      return this.late ? x.add(this.count) : before;
    }
  }
  const model = new Counter(false);
  model.count.assign(tensor([5]));
  const onnx = await exportOnnx(model, zeros([1, 3]));
  assertEquals(await model.count.item(), 5);
  const [{ data }] = await runOnnx(onnx, [zeros([2, 3])]);
  assertEquals(new Set(data), new Set([5]));
  await assertRejects(() => exportOnnx(new Counter(true), zeros([1, 3])), ConfigError, "has assigned to");
}, kinds);

onDevices("zeros that a model makes for each batch, as a first state, are as many as there are items", async () => {
  const model = new Fn((t) => t.add(tensor(new Float32Array(3 * t.shape[0]).fill(2), { shape: [t.shape[0], 3] })));
  await check({ model, inputs: [{ shape: [3] }], operators: ["Add"] }, "a fill");
}, kinds);

Deno.test("a model of more than 2 GiB is not written as one file", async () => {
  const rawData = { byteLength: 2 ** 31 } as Uint8Array;
  const initializer = [{ name: "w", dims: [2 ** 29], dataType: 1, rawData }];
  const graph = { name: "a", node: [], initializer, input: [], output: [] };
  const model = { irVersion: 8, producerName: "anneal", opsetImport: [], metadataProps: [], graph };
  await assertRejects(() => encodeModel(model), ConfigError, "2147483648 bytes");
});

onDevices("texts of any length: attention, recurrent nets, pools over positions", async () => {
  const attending = new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 12 });
  const gpt = new Gpt(20, { blockSize: 12, nEmbd: 8, nLayer: 2, nHead: 2 });
  const lstm = new TextClassifier(new AwdLstm(20, { embSize: 6, hidden: 8, layers: 2 }, { task: "classifier" }), 3);
  const bert = new TextClassifier(new Bert(20, { maxLength: 12, hiddenSize: 8, layers: 2, heads: 2 }), 3);
  const ids = (n: number, t: number) => {
    const numbers = Int32Array.from(new Rng(n * t).uniformArray(n * t, 0, 20), Math.floor);
    return tensor(numbers, { shape: [n, t] });
  };
  const mask = (n: number, t: number) => arange(t).reshape([1, t]).lt(arange(1, n + 1).reshape([n, 1]).add(1));
  const cases: Record<string, [nn.AnyModule, (n: number, t: number) => Tensor[], string]> = {
    numbers: [
      new Fn((x) => x.mul(2).cumsum({ axis: 1 }).add(arange(x.shape[1], { dtype: "f32" }))),
      (n, t) => [randn([n, t])],
      "CumSum",
    ],
    rows: [new nn.Linear(4, 3), (n, t) => [randn([n, t, 4])], "MatMul"],
    attention: [attending, (n, t) => [randn([n, t, 8])], "Softmax"],
    causal: [gpt, (n, t) => [ids(n, t)], "Softmax"],
    recurrent: [new nn.GRU(4, 3, { bidirectional: true }), (n, t) => [randn([n, t, 4])], "GRU"],
    "a classifier by LSTM": [lstm, (n, t) => [ids(n, t), mask(n, t)], "LSTM"],
    "a classifier by attention": [bert, (n, t) => [ids(n, t), mask(n, t)], "LayerNormalization"],
    sequences: [
      new nn.Lambda((x) => x.mean({ axis: 1 }).add(x.flip(1).slice([null, [0, 1]]).reshape([-1, 4]))),
      (n, t) => [randn([n, t, 4])],
      "ReduceMean",
    ],
  };
  for (const [name, [model, inputs, operator]] of Object.entries(cases)) {
    const onnx = await exportOnnx(model, inputs(2, 7), { lengthAxis: 1 });
    assert(onnx.operators.includes(operator), `${name}: ${onnx.operators}`);
    model.eval();
    for (const [n, t] of [[1, 1], [3, 7], [2, 12]]) {
      await assertSame(onnx, (...x) => model.forward(...x), inputs(n, t), `${name}, ${n} of length ${t}`);
    }
  }
  const refused = (model: nn.AnyModule, x: Tensor, ...words: string[]) =>
    assertRejects(() => exportOnnx(model, x, { lengthAxis: 1 }), ConfigError, words[0]);
  await refused(new nn.Linear(5, 3), randn([1, 5]), "it fails");
  await refused(new Fn((t) => t.reshape([-1, 1]).expand([-1, t.shape[1] ** 2])), randn([1, 5]), "number and length");
  await assertRejects(() => exportOnnx(new nn.ReLU(), randn([2]), { lengthAxis: 1 }), ConfigError, "one size there");
  await assertRejects(() => exportOnnx(gpt, ids(1, 4), { lengthAxis: 0 }), ConfigError, "a whole number from 1");
}, kinds);

/** Operations that no model has in evaluation, and why. */
const NONE: Readonly<Record<string, string>> = {
  assign: "assignments are not carried out",
  random: "random numbers are refused, or are constants",
  array: "a constant",
  scalar: "a number",
  const: "a number",
  segment: "optimizers alone",
  segmentSum: "optimizers alone",
  convWeight: "gradients alone",
  shear: "gradients alone",
  attention: "traced as what it is made of",
  attentionGrad: "gradients alone",
  inverseDeviation: "gradients alone",
  rowProduct: "traced as the product that was asked for",
  binaryCrossEntropy: "a loss",
  given: "what another program computed",
  retainGrad: "several processes alone",
};

onDevices("every operation of the graph has a case", () => {
  const met = new Set<string>();
  for (const make of Object.values(operations())) {
    const one = make(), inputs = inputsOf(one, 2);
    one.model.eval();
    const named = new Map<string, Tensor>([...one.model.namedParameters(), ...one.model.namedBuffers()]);
    for (const { op } of trace(inputs, named, () => tensorsOf(one.model.forward(...inputs))).ops) met.add(op);
  }
  const all = [...opTable().keys()];
  assertEquals(all.filter((name) => !met.has(name) && !(name in NONE)), [], "tests/interop/onnx_operations.ts lacks");
  assertEquals(Object.keys(NONE).filter((name) => !all.includes(name)), []);
}, kinds);
