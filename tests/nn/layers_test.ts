/**
 * Layers: what recordings do not show, such as first values, large epsilons and odd ways to nest.
 */
import { assert, assertEquals } from "@std/assert";
import { session } from "../../src/graph/session.ts";
import * as nn from "../../src/nn/mod.ts";
import { backward, grad, noGrad, Parameter, randn, Rng, type Tensor, tensor, zeros } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";

function near(got: ArrayLike<number>, want: ArrayLike<number>, what: string): void {
  assertEquals(got.length, want.length, what);
  for (let i = 0; i < want.length; i++) {
    assert(Math.abs(got[i] - want[i]) < 2e-6, `${what} ${i}: ${got[i]}, ${want[i]}`);
  }
}

onDevices("eps keeps constant inputs finite, and is added to the variance", async () => {
  const flat = zeros([4, 2]).add(3);
  assertEquals(await new nn.BatchNorm1d(2).forward(flat).array(), [[0, 0], [0, 0], [0, 0], [0, 0]]);
  assertEquals(await new nn.LayerNorm(2).forward(flat).array(), [[0, 0], [0, 0], [0, 0], [0, 0]]);
  const x = tensor([[1, 10], [3, 30]]);
  const [a, b] = [1 / Math.sqrt(1 + 8), 10 / Math.sqrt(100 + 8)];
  const norm = new nn.BatchNorm1d(2, { eps: 8 });
  near(await norm.forward(x).data(), [-a, -b, a, b], "batch norm in training");
  norm.eval();
  norm.loadStateDict(new Map([...norm.stateDict(), ["running_var", tensor([1, 100])], ["running_mean", zeros([2])]]));
  near(await norm.forward(x).data(), [a, b, 3 * a, 3 * b], "batch norm in evaluation");
  const c = 4.5 / Math.sqrt(4.5 ** 2 + 8), d = 13.5 / Math.sqrt(13.5 ** 2 + 8);
  near(await new nn.LayerNorm(2, { eps: 8 }).forward(x).data(), [-c, c, -d, d], "layer norm");
});

onDevices("running statistics follow over several steps, and rest in evaluation", async () => {
  const norm = new nn.BatchNorm1d(3, { momentum: 0.25 });
  const rng = new Rng(12);
  const mean = [0, 0, 0], variance = [1, 1, 1];
  for (let step = 0; step < 4; step++) {
    const values = rng.normalArray(15, step, 2);
    noGrad(() => norm.forward(tensor(values, { shape: [5, 3] })));
    session.endStep();
    for (let c = 0; c < 3; c++) {
      const column = Array.from({ length: 5 }, (_, i) => values[i * 3 + c]);
      const m = column.reduce((s, v) => s + v) / 5;
      mean[c] += 0.25 * (m - mean[c]);
      variance[c] += 0.25 * (column.reduce((s, v) => s + (v - m) ** 2, 0) / 4 - variance[c]);
    }
  }
  norm.eval();
  norm.forward(tensor(new Float32Array(6), { shape: [2, 3] }));
  session.endStep();
  near(await norm.runningMean.data(), mean, "running mean");
  near(await norm.runningVar.data(), variance, "running variance");
  assertEquals(await norm.numBatchesTracked.item(), 4);
});

onDevices("the padding row of an embedding starts at 0 and stays out of the gradient", async () => {
  const layer = new nn.Embedding(4, 2, { paddingIdx: 1, rng: new Rng(2) });
  const y = layer.forward(tensor(Int32Array.of(1, 3, 1, 0), { shape: [2, 2] }));
  assertEquals(y.shape, [2, 2, 2]);
  backward(y.sum());
  const [rows, grad] = [await layer.weight.data(), await layer.weight.grad!.data()];
  assertEquals(Array.from(rows.slice(2, 4)), [0, 0]);
  assert(rows.every((v, i) => v !== 0 || i === 2 || i === 3));
  assertEquals(Array.from(grad), [1, 1, 0, 0, 0, 0, 1, 1]);
});

onDevices("linear layers take any number of axes in front", async () => {
  const layer = new nn.Linear(3, 2, { rng: new Rng(1) });
  const x = randn([2, 4, 3], { rng: new Rng(2) });
  const wide = layer.forward(x);
  assertEquals(wide.shape, [2, 4, 2]);
  near(await wide.data(), await layer.forward(x.reshape([8, 3])).data(), "rows");
  near(await layer.forward(x.reshape([24]).slice([[0, 3]])).data(), (await wide.data()).slice(0, 2), "a vector");
  assertEquals(new nn.Linear(3, 2, { bias: false }).parameters().length, 1);
});

class Tied extends nn.Module {
  readonly encode: nn.Linear = new nn.Linear(2, 2, { bias: false });
  readonly decode: nn.Linear = new nn.Linear(2, 2, { bias: false });
  constructor() {
    super();
    Object.defineProperty(this.decode, "weight", { value: this.encode.weight, enumerable: true });
  }
  override forward(x: Tensor): Tensor {
    return this.decode.forward(this.encode.forward(x));
  }
}

onDevices("a weight that two layers share is one parameter with both gradients", async () => {
  const model = new Tied();
  assertEquals([...model.namedParameters().keys()], ["encode.weight"]);
  model.encode.weight.assign(tensor([[2, 0], [0, 3]]));
  backward(model.forward(tensor([[1, 1]])).sum());
  // y = w (w x): each element's gradient comes from both uses
  near(await model.encode.weight.grad!.data(), [4, 5, 5, 6], "gradient");
});

class Child extends nn.Module {
  readonly parent: nn.AnyModule;
  readonly bias: Parameter = new Parameter(tensor([1]));
  constructor(parent: nn.AnyModule) {
    super();
    this.parent = parent;
  }
  override forward(x: Tensor): Tensor {
    return x.add(this.bias);
  }
}

class Parent extends nn.Module {
  readonly child: Child = new Child(this);
  readonly scale: Parameter = new Parameter(tensor([2]));
  override forward(x: Tensor): Tensor {
    return this.child.forward(x).mul(this.scale);
  }
}

Deno.test("a module that knows its owner does not lead round in circles", () => {
  const model = new Parent();
  assertEquals([...model.namedParameters().keys()], ["child.bias", "scale"]);
  assertEquals([...model.namedModules().keys()], ["", "child"]);
  model.eval();
  assertEquals([model.training, model.child.training], [false, false]);
});

onDevices("batch norm keeps its digits where the mean is large against the deviation", async () => {
  const n = 64, values = new Rng(9).normalArray(n * 2 * 9, 1000, 1), norm = new nn.BatchNorm2d(2);
  const y = await norm.forward(tensor(values, { shape: [n, 2, 3, 3] })).data();
  for (let c = 0; c < 2; c++) {
    const at = (i: number, t: number) => (i * 2 + c) * 9 + t;
    const own = Array.from({ length: n * 9 }, (_, k) => at(Math.floor(k / 9), k % 9));
    const mean = own.reduce((s, i) => s + values[i], 0) / own.length;
    const deviation = Math.sqrt(own.reduce((s, i) => s + (values[i] - mean) ** 2, 0) / own.length + 1e-5);
    // numbers near 1000 are multiples of 6e-5, and so is the mean in f32
    for (const i of own) assert(Math.abs(y[i] - (values[i] - mean) / deviation) < 1e-4, `${i}: ${y[i]}`);
  }
});

onDevices("the second gradient of batch norm is that of its formula", async () => {
  const values = new Rng(10).normalArray(24), probe = tensor(new Rng(11).normalArray(24), { shape: [4, 2, 3] });
  const second = async (normal: (x: Tensor) => Tensor) => {
    const x = new Parameter(tensor(values, { shape: [4, 2, 3] }));
    const [first] = grad(normal(x).mul(probe).square().sum(), [x]);
    return await grad(first.mul(probe).sum(), [x])[0].data();
  };
  const norm = new nn.BatchNorm1d(2);
  const plain = (x: Tensor) => {
    const centred = x.sub(x.mean({ axis: [0, 2], keepdim: true }));
    return centred.mul(centred.square().mean({ axis: [0, 2], keepdim: true }).add(1e-5).rsqrt());
  };
  const [got, want] = [await second((x) => norm.forward(x)), await second(plain)];
  const scale = Math.max(...want.map(Math.abs));
  got.forEach((v, i) => assert(Math.abs(v - want[i]) < 1e-5 * scale, `${i}: ${v}, ${want[i]}`));
});

onDevices("batch norm's variance keeps its digits where one element lies far from the others", async () => {
  for (const [n, first, error] of [[1000, 30, 9e-6], [1000, 1000, 3e-6], [100_003, 300, 1e-5], [200_000, 1000, 1e-5]]) {
    const values = fillF32(n, n, 0.5);
    values[0] = first;
    const mean = values.reduce((a, b) => a + b, 0) / n;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
    const norm = new nn.BatchNorm1d(1, { affine: false, momentum: 1 });
    const y = await norm.forward(tensor(values, { shape: [n, 1] })).data();
    const got = await norm.runningVar.item() * (n - 1) / n;
    assert(Math.abs(got / variance - 1) < error, `${n} values, the first ${first}: ${got}, should be ${variance}`);
    const want = (values[5] - mean) / Math.sqrt(variance + 1e-5);
    assert(
      Math.abs(y[5] - want) < 2e-6 * Math.abs(want),
      `${n} values, the first ${first}: ${y[5]}, should be ${want}`,
    );
  }
}, { kinds: ["cpu", "webgpu"] });
