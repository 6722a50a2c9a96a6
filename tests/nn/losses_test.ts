/**
 * Losses: items that do not count, changing reductions, large numbers, kernels that a loss takes.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError, DataError } from "../../src/base/errors.ts";
import { collect } from "../../src/graph/collect.ts";
import { lower } from "../../src/graph/lower/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { cat, grad, Parameter, randn, Rng, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

const weight = tensor([0.5, 1, 2, 0.25]);
const classLosses: Record<string, (options: nn.ClassLossOptions) => nn.Loss> = {
  CrossEntropyLoss: (o) => new nn.CrossEntropyLoss(o),
  smoothed: (o) => new nn.CrossEntropyLoss({ ...o, labelSmoothing: 0.2 }),
  NLLLoss: (o) => new nn.NLLLoss(o),
  LabelSmoothingCrossEntropy: (o) => new nn.LabelSmoothingCrossEntropy(o),
  FocalLoss: (o) => new nn.FocalLoss(o),
};

function near(got: ArrayLike<number>, want: ArrayLike<number>, what: string): void {
  assertEquals(got.length, want.length, what);
  for (let i = 0; i < want.length; i++) {
    assert(Math.abs(got[i] - want[i]) < 2e-6, `${what} ${i}: ${got[i]}, ${want[i]}`);
  }
}

for (const [name, make] of Object.entries(classLosses)) {
  onDevices(`${name}: ignored items change nothing and get no gradient`, async () => {
    const rng = new Rng(8);
    const few = randn([3, 4], { rng }), noise = randn([2, 4], { rng });
    const rows = cat([few, noise]);
    for (const reduction of ["mean", "sum"] as const) {
      for (const options of [{ reduction }, { reduction, weight }]) {
        const want = make(options).forward(few, tensor(Int32Array.of(2, 0, 3)));
        const [part] = grad(want, [few]);
        const known = tensor(Int32Array.of(2, 0, 3, -100, -100));
        for (const labels of [known, known.cast("f32").cast("i32").add(0)]) {
          const loss = make({ ...options, ignoreIndex: -100 }).forward(rows, labels);
          const [all] = grad(loss, [rows]);
          near([await loss.item()], [await want.item()], `${reduction} loss`);
          near(await all.data(), [...await part.data(), ...new Array<number>(8).fill(0)], `${reduction} gradient`);
        }
      }
    }
    const items = make({ reduction: "none", ignoreIndex: -100 }).forward(
      rows,
      tensor(Int32Array.of(2, 0, 3, -100, -100)),
    );
    assertEquals(Array.from(await items.data()).slice(3), [0, 0]);
  }, { kinds: ["reference", "cpu"] });
}

Deno.test("a label that is no class is told even where one label is ignored", () => {
  const loss = new nn.CrossEntropyLoss({ ignoreIndex: -100 });
  const pred = tensor([[1, 2], [3, 4]]);
  loss.forward(pred, tensor(Int32Array.of(-100, 1)));
  assertThrows(
    () => loss.forward(pred, tensor(Int32Array.of(-100, 2))),
    DataError,
    "Cannot compute CrossEntropyLoss: label 2 is none of the 2 classes, labels go from 0 to 1",
  );
  assertThrows(() => loss.forward(pred, tensor(Int32Array.of(-1, 0))), DataError, "label -1");
});

Deno.test("options that make no sense are ConfigErrors", () => {
  assertThrows(() => new nn.LabelSmoothingCrossEntropy({ eps: 2 }), ConfigError, "Cannot smooth labels by 2");
  assertThrows(() => new nn.FocalLoss({ gamma: -1 }), ConfigError, "gamma is a number from 0, got -1");
  assertThrows(() => new nn.SmoothL1Loss({ beta: 0 }), ConfigError, "beta is a number above 0, got 0");
  assertThrows(() => new nn.HuberLoss({ delta: -1 }), ConfigError, "delta is a number above 0, got -1");
  assertThrows(
    () => new nn.MSELoss({ reduction: "avg" as nn.Reduction }),
    ConfigError,
    'Cannot make MSELoss with reduction "avg": it takes "mean", "sum" or "none"',
  );
});

onDevices("the reduction may be changed, and what was built before stays", async () => {
  const loss = new nn.MSELoss();
  const pred = tensor([1, 2, 4]), targ = tensor([1, 1, 1]);
  const mean = loss.forward(pred, targ);
  loss.reduction = "none";
  assertEquals(await loss.forward(pred, targ).array(), [0, 1, 9]);
  loss.reduction = "sum";
  assertEquals(await loss.forward(pred, targ).item(), 10);
  near([await mean.item()], [10 / 3], "mean");
}, { kinds: ["reference"] });

onDevices("large logits neither overflow nor lose their gradients", async () => {
  const x = tensor([[1000, -1000, 0], [0, 800, 799]]), labels = tensor(Int32Array.of(1, 2));
  const loss = new nn.CrossEntropyLoss({ reduction: "none" }).forward(x, labels);
  const [dx] = grad(loss.sum(), [x]);
  near(Array.from(await loss.data(), (v) => v / 1000), [2, Math.log(1 + Math.E) / 1000], "cross-entropy / 1000");
  const s = 1 / (1 + Math.E);
  near(await dx.data(), [1, -1, 0, 0, 1 - s, s - 1], "gradient");
  const z = tensor([500, -500, 500, -500]), t = tensor([1, 0, 0, 1]);
  const bce = new nn.BCEWithLogitsLoss({ reduction: "none" }).forward(z, t);
  const [dz] = grad(bce.sum(), [z]);
  near(Array.from(await bce.data(), (v) => v / 500), [0, 0, 1, 1], "binary cross-entropy / 500");
  near(await dz.data(), [0, 0, 1, -1], "gradient of the binary cross-entropy");
});

onDevices("classes may lie along any axis", async () => {
  const rng = new Rng(3);
  const x = randn([2, 3, 5], { rng }), labels = tensor(Int32Array.of(0, 4, 1, 3, 2, 0), { shape: [2, 3] });
  const last = new nn.CrossEntropyLoss({ axis: -1 }).forward(x, labels);
  const flat = new nn.CrossEntropyLoss().forward(x.reshape([6, 5]), labels.reshape([6]));
  const second = new nn.CrossEntropyLoss().forward(x.permute([0, 2, 1]), labels);
  near([await last.item(), await second.item()], Array(2).fill(await flat.item()), "loss");
  assertEquals(new nn.CrossEntropyLoss({ axis: -1 }).decodes(x).shape, [2, 3]);
  assertEquals(new nn.CrossEntropyLoss().decodes(x).shape, [2, 5]);
}, { kinds: ["reference"] });

/** Kinds of the kernels that compute `tensors` together. */
function kernels(tensors: readonly Tensor[]): string[] {
  const { program } = lower(collect(tensors.map((t) => t.node), []), { maxSlotsPerKernel: 8, maxBufferBytes: 2 ** 27 });
  return program.kernels.map((k) => k.op);
}

Deno.test("cross-entropy with its gradient takes four kernels: two passes over the rows, the mean, the gradient", () => {
  const x = new Parameter(tensor(new Float32Array(640), { shape: [64, 10] }));
  const labels = tensor(new Int32Array(64));
  const loss = new nn.CrossEntropyLoss().forward(x, labels);
  const [g] = grad(loss, [x]);
  const used = kernels([loss, g]);
  assert(used.length <= 4, used.join(" "));
  assert(!used.includes("scatterAdd"), used.join(" "));
});

Deno.test("batch norm is two reductions and a map", () => {
  const layer = new nn.BatchNorm1d(32);
  const x = new Parameter(tensor(new Float32Array(64 * 32), { shape: [64, 32] }));
  const y = layer.forward(x);
  const used = kernels([y]);
  assert(used.length <= 3, used.join(" "));
});

onDevices("where every label is ignored or weighs nothing the loss is 0, and so is the gradient", async () => {
  const ignored = tensor(Int32Array.of(-100, -100)), first = tensor(Int32Array.of(0, 0));
  for (const name of ["CrossEntropyLoss", "LabelSmoothingCrossEntropy", "NLLLoss", "FocalLoss"] as const) {
    const cases: [nn.ClassLossOptions, Tensor][] = [[{ ignoreIndex: -100 }, ignored], [
      { weight: tensor([0, 1]) },
      first,
    ]];
    for (const [options, labels] of cases) {
      const x = tensor([[1, 2], [3, -1]]);
      const loss = new nn[name](options).forward(name === "NLLLoss" ? x.logSoftmax() : x, labels);
      const [g] = grad(loss, [x]);
      if (name === "LabelSmoothingCrossEntropy" && options.weight !== undefined) continue; // its smoothing has no weights
      assertEquals([await loss.item(), ...await g.data()], [0, 0, 0, 0, 0], `${name} ${Object.keys(options)}`);
    }
  }
});

onDevices("binary cross-entropy of a sigmoid that is 1 leaves the weights numbers", async () => {
  const z = tensor([20, 0]);
  const [g] = grad(new nn.BCELoss().forward(z.sigmoid(), tensor([1, 1])), [z]);
  assertEquals(Array.from(await g.data()), [0, -0.25]);
});

onDevices("the loss of a prediction that is sure and right keeps its digits", async () => {
  const x = tensor([[10, 0, -5], [0, 20, 0], [3, 3, 30]]), labels = tensor(Int32Array.of(0, 1, 2));
  const rows = [[10, 0, -5], [0, 20, 0], [3, 3, 30]];
  for (
    const loss of [new nn.CrossEntropyLoss({ reduction: "none" }), new nn.FocalLoss({ gamma: 0, reduction: "none" })]
  ) {
    const items = await loss.forward(x, labels).data();
    rows.forEach((row, i) => {
      const others = row.filter((_, j) => j !== i).reduce((sum, v) => sum + Math.exp(v - row[i]), 0);
      assert(Math.abs(items[i] / Math.log1p(others) - 1) < 2e-6, `${i}: ${items[i]}, ${Math.log1p(others)}`);
    });
  }
});
