/**
 * Modules: what is found in their fields, and their state.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError, DataError, DtypeError, ShapeError } from "../../src/base/errors.ts";
import { session } from "../../src/graph/session.ts";
import * as nn from "../../src/nn/mod.ts";
import { backward, Parameter, randn, Rng, setSeed, type Tensor, tensor, zeros } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

class Inner extends nn.Module {
  readonly b = new Parameter(tensor([1]));
  readonly statistics = this.buffer("running_stuff", tensor([5]));
  override forward(x: Tensor): Tensor {
    return x.mul(this.b);
  }
}

class Outer extends nn.Module {
  readonly z = new Parameter(tensor([2, 3]));
  readonly list = [new Inner(), new Inner()];
  readonly record = { left: new Parameter(tensor([4])), text: "no tensor" };
  readonly map = new Map([["k", new Inner()]]);
  readonly again = this.z;
  readonly #hidden = new Parameter(tensor([9]));
  override forward(x: Tensor): Tensor {
    return x.add(this.#hidden);
  }
}

Deno.test("parameters and modules are found in the fields, in order, each once", () => {
  const m = new Outer();
  assertEquals([...m.namedParameters().keys()], ["z", "list.0.b", "list.1.b", "record.left", "map.k.b"]);
  assertEquals([...m.namedBuffers().keys()], ["list.0.running_stuff", "list.1.running_stuff", "map.k.running_stuff"]);
  assertEquals([...m.namedModules().keys()], ["", "list.0", "list.1", "map.k"]);
  assertEquals(m.children().length, 3);
  assertEquals(m.parameters().length, 5);
  const order: string[] = [];
  m.apply((x) => order.push(x.constructor.name));
  assertEquals(order, ["Inner", "Inner", "Inner", "Outer"]);
  m.eval();
  assert(m.modules().every((x) => !x.training));
  m.train();
  assert(m.modules().every((x) => x.training));
});

Deno.test("a sequential has PyTorch's names", () => {
  const m = new nn.Sequential(
    new nn.Linear(2, 3),
    new nn.BatchNorm1d(3),
    new nn.ReLU(),
    new nn.Sequential(new nn.Linear(3, 1)),
  );
  assertEquals([...m.stateDict().keys()], [
    "0.weight",
    "0.bias",
    "1.weight",
    "1.bias",
    "1.running_mean",
    "1.running_var",
    "1.num_batches_tracked",
    "3.0.weight",
    "3.0.bias",
  ]);
  assertEquals(m.length, 4);
  assertEquals(m.at(-1).constructor.name, "Sequential");
  assertThrows(() => m.at(4), ConfigError, "it has 4");
});

onDevices("a state is a copy, and comes back bit for bit", async () => {
  setSeed(3);
  const m = new nn.Sequential(new nn.Linear(3, 4), new nn.BatchNorm1d(4));
  const before = m.stateDict();
  const values = await Promise.all([...before.values()].map((t) => t.data()));
  const x = randn([8, 3], { rng: new Rng(1) });
  m.forward(x);
  for (const p of m.parameters()) p.assign(p.add(1));
  session.endStep();
  assert((await m.parameters()[0].data())[0] !== values[0][0]);
  assertEquals(m.loadStateDict(before), { missing: [], unexpected: [], misshapen: [] });
  session.endStep();
  const after = await Promise.all([...m.stateDict().values()].map((t) => t.data()));
  assertEquals(after, values);
});

Deno.test("a state that does not fit: all problems at once, and nothing is changed", async () => {
  const m = new nn.Sequential(new nn.Linear(2, 3), new nn.Linear(3, 1));
  const state = m.stateDict();
  state.delete("0.bias");
  state.set("7.weight", zeros([1]));
  state.set("1.weight", zeros([5]));
  const before = await m.parameters()[0].data();
  assertThrows(
    () => m.loadStateDict(state),
    ConfigError,
    "missing 0.bias; unexpected 7.weight; of another shape 1.weight ([5] for [1, 3])",
  );
  assertEquals(await m.parameters()[0].data(), before);
  const own = await m.namedParameters().get("1.weight")!.data();
  state.set("0.weight", zeros([3, 2]));
  assertEquals(m.loadStateDict(state, { strict: false }), {
    missing: ["0.bias"],
    unexpected: ["7.weight"],
    misshapen: ["1.weight"],
  });
  assertEquals(await m.namedParameters().get("1.weight")!.data(), own);
  assertEquals([...await m.parameters()[0].data()], [0, 0, 0, 0, 0, 0]);
});

onDevices("first weights have PyTorch's distributions, and depend on the seed alone", async () => {
  const make = (seed: number) => {
    setSeed(seed);
    return new nn.Linear(100, 400);
  };
  const a = await make(1).weight.data(), b = await make(1).weight.data(), c = await make(2).weight.data();
  assertEquals(a, b);
  assert(a.some((v, i) => v !== c[i]));
  assert(a.every((v) => Math.abs(v) <= 0.1));
  const values = Array.from(a);
  const mean = values.reduce((s, v) => s + v, 0) / a.length;
  const variance = values.reduce((s, v) => s + v * v, 0) / a.length;
  assert(Math.abs(mean) < 2e-3 && Math.abs(variance - 0.01 / 3) < 1e-4, `mean ${mean}, variance ${variance}`);
});

onDevices("dropout keeps the mean, draws anew at each call, and rests in evaluation", async () => {
  setSeed(5);
  const layer = new nn.Dropout(0.25);
  const x = tensor(new Float32Array(20000).fill(1));
  const a = await layer.forward(x).data(), b = await layer.forward(x).data();
  const zerosIn = (v: ArrayLike<number>) => Array.from(v).filter((e) => e === 0).length;
  assert(Math.abs(zerosIn(a) - 5000) < 250, `${zerosIn(a)} of 20000 were dropped`);
  assert(Array.from(a).every((v) => v === 0 || Math.abs(v - 4 / 3) < 1e-6));
  assert(Array.from(a).some((v, i) => v !== b[i]));
  layer.eval();
  assertEquals(await layer.forward(x).data(), await x.data());
});

onDevices("the gradient of dropout uses the mask of its forward pass", async () => {
  setSeed(6);
  const p = new Parameter(tensor(new Float32Array(64).fill(2)));
  const y = new nn.Dropout(0.5).forward(p);
  backward(y.sum());
  const [out, grad] = await Promise.all([y.data(), p.grad!.data()]);
  assertEquals(Array.from(grad), Array.from(out, (v) => v === 0 ? 0 : 2));
});

Deno.test("layers refuse what they cannot take, and say so", () => {
  assertThrows(() => new nn.Linear(0, 3), ConfigError, "inFeatures is a whole number from 1, got 0");
  assertThrows(() => new nn.Linear(4, 2).forward(zeros([3, 5])), ShapeError, "Cannot apply Linear(4, 2) to [3, 5]");
  assertThrows(() => new nn.BatchNorm1d(4).forward(zeros([3, 5])), ShapeError, "Cannot apply BatchNorm1d(4) to [3, 5]");
  assertThrows(() => new nn.BatchNorm1d(4).forward(zeros([1, 4])), ShapeError, "needs more than one value");
  assertThrows(() => new nn.LayerNorm(4).forward(zeros([3, 5])), ShapeError, "Cannot apply LayerNorm([4]) to [3, 5]");
  assertThrows(() => new nn.Dropout(1.5), ConfigError, "p is a probability from 0 to 1, got 1.5");
  assertThrows(() => new nn.Flatten(3).forward(zeros([2, 2])), ShapeError, "Cannot flatten");
  assertThrows(() => new nn.Embedding(3, 2, { paddingIdx: 3 }), ConfigError, "paddingIdx is a row from 0 to 2");
  assertThrows(() => new nn.Embedding(3, 2).forward(tensor(Int32Array.of(0, 5))), ShapeError, "element 5 of 3");
});

Deno.test("losses refuse what they cannot compare, before any work", () => {
  const ce = new nn.CrossEntropyLoss();
  const logits = zeros([2, 3]);
  assertThrows(() => ce.forward(logits, tensor(Int32Array.of(0, 3))), DataError, "label 3 is none of the 3 classes");
  assertThrows(() => ce.forward(logits, tensor(Int32Array.of(0, -1))), DataError, "label -1");
  assertThrows(() => ce.forward(logits, tensor([0, 1])), DtypeError, "classes are whole numbers");
  assertThrows(() => ce.forward(logits, tensor(Int32Array.of(0, 1, 2))), ShapeError, "one label for each of 2 items");
  assertThrows(() => new nn.MSELoss().forward(zeros([2]), zeros([3])), ShapeError, "got 2 and 3");
  assertThrows(() => new nn.CrossEntropyLoss({ labelSmoothing: 2 }), ConfigError, "from 0 to 1");
  assertThrows(
    () => new nn.CrossEntropyLoss({ weight: zeros([2]) }).forward(logits, tensor(Int32Array.of(0, 1))),
    ConfigError,
    "2 class weights for 3",
  );
});

onDevices("a label that nobody could check gives NaN, not a wrong loss", async () => {
  const labels = tensor([0, 7]).cast("i32");
  const loss = new nn.CrossEntropyLoss({ reduction: "none" }).forward(zeros([2, 3]), labels);
  const [fine, bad] = await loss.data();
  assert(Math.abs(fine - Math.log(3)) < 1e-6 && Number.isNaN(bad), `${fine}, ${bad}`);
});

onDevices("predictions of another shape are flattened, and targets become f32", async () => {
  const loss = new nn.MSELoss().forward(tensor([[1], [2]]), tensor(Int32Array.of(3, 2)));
  assertEquals(await loss.item(), 2);
});

Deno.test("losses know what predictions mean", async () => {
  const ce = new nn.CrossEntropyLoss();
  const pred = tensor([[0, 2, 1], [5, 0, 0]]);
  assertEquals(await ce.decodes(ce.activation(pred)).array(), [1, 0]);
  const bce = new nn.BCEWithLogitsLoss({ thresh: 0.6 });
  assertEquals(await bce.decodes(bce.activation(tensor([0.2, 1]))).array(), [false, true]);
});
