/**
 * Metrics of what is no number, of one logit, of several classes, and of what they do not fit.
 */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { AnnealError, ConfigError } from "../../src/base/errors.ts";
import { DataLoaders } from "../../src/data/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { type Tensor, tensor } from "../../src/tensor/mod.ts";
import * as M from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";

const here = { kinds: ["cpu"] } as const;

type Make = () => M.MetricLike;
/** Metrics of classes; those that take two classes only, and those that take several. */
const BINARY: Record<string, Make> = {
  F1Score: () => new M.F1Score(),
  Precision: () => new M.Precision(),
  Recall: () => new M.Recall(),
  Jaccard: () => new M.Jaccard(),
  FBeta: () => new M.FBeta(2),
  RocAucBinary: () => new M.RocAucBinary(),
  APScoreBinary: () => new M.APScoreBinary(),
};
const CLASSES: Record<string, Make> = {
  accuracy: () => M.accuracy,
  errorRate: () => M.errorRate,
  "F1Score, macro": () => new M.F1Score({ average: "macro" }),
  "F1Score, weighted": () => new M.F1Score({ average: "weighted" }),
  "Recall, micro": () => new M.Recall({ average: "micro" }),
  BalancedAccuracy: () => new M.BalancedAccuracy(),
  CohenKappa: () => new M.CohenKappa(),
  MatthewsCorrCoef: () => new M.MatthewsCorrCoef(),
  HammingLoss: () => new M.HammingLoss(),
  RocAuc: () => new M.RocAuc(),
};
const MASKS: Record<string, Make> = {
  Dice: () => new M.Dice(),
  DiceMulti: () => new M.DiceMulti(),
  JaccardCoeff: () => new M.JaccardCoeff(),
  JaccardCoeffMulti: () => new M.JaccardCoeffMulti(),
  foregroundAcc: () => M.foregroundAcc,
};
const LABELS: Record<string, Make> = {
  accuracyMulti: () => M.accuracyMulti,
  F1ScoreMulti: () => new M.F1ScoreMulti(),
  PrecisionMulti: () => new M.PrecisionMulti(),
  RecallMulti: () => new M.RecallMulti(),
  JaccardMulti: () => new M.JaccardMulti(),
  HammingLossMulti: () => new M.HammingLossMulti(),
  RocAucMulti: () => new M.RocAucMulti(),
};
const NUMBERS: Record<string, Make> = {
  mse: () => M.mse,
  mae: () => M.mae,
  msle: () => M.msle,
  rmse: () => M.rmse,
  expRmspe: () => M.expRmspe,
  R2Score: () => new M.R2Score(),
  ExplainedVariance: () => new M.ExplainedVariance(),
  PearsonCorrCoef: () => new M.PearsonCorrCoef(),
  SpearmanCorrCoef: () => new M.SpearmanCorrCoef(),
};
const OWN: Record<string, Make> = {
  "AccumMetric, decided": () => new M.AccumMetric((p, t) => p.eq(t).mean(), { argmaxAxis: -1 }),
  "AccumMetric, thresholded": () =>
    new M.AccumMetric((p, t) => p.reshape([-1]).eq(t.reshape([-1])).mean(), { thresh: 0.5 }),
};

/** The value over some batches. */
async function valueOf(make: Make, ...batches: [pred: Tensor, targ: Tensor][]): Promise<number | null> {
  const [metric] = M.toMetrics(make());
  metric.reset();
  for (const [pred, targ] of batches) await metric.accumulate({ batch: { pred, yb: [targ] } } as never);
  return await metric.value;
}

const ints = (...values: number[]) => tensor(Int32Array.from(values));

for (const odd of [NaN, Infinity, -Infinity]) {
  onDevices(`metrics of predictions or targets with ${odd}`, async () => {
    const check = async (name: string, make: Make, pred: (v: number) => Tensor, targ: Tensor) => {
      const good: [Tensor, Tensor] = [pred(0.3), targ];
      const clean = await valueOf(make, good);
      assert(clean !== null && Number.isFinite(clean), `${name}: ${clean}`);
      const value = await valueOf(make, good, [pred(odd), targ], good);
      // infinite scores have an order; what is no number has none
      if (Number.isNaN(odd)) assertEquals(value, NaN, name);
      else assert(value !== null, name);
    };
    const two = (v: number) => tensor([[0.1, 0.9], [v, 0.2], [0.3, 0.7], [2, 1]]);
    for (const [name, make] of Object.entries({ ...BINARY, ...CLASSES })) {
      await check(name, make, two, ints(1, 0, 1, 0));
    }
    await check("topKAccuracy", () => (p, t) => M.topKAccuracy(p, t, { k: 1 }), two, ints(1, 0, 1, 0));
    await check("AccumMetric, decided", OWN["AccumMetric, decided"], two, ints(1, 0, 1, 0));
    const masks = (v: number) => tensor([[[1, -1, v, 2], [0, 1, 2, -1]]]);
    for (const [name, make] of Object.entries(MASKS)) {
      await check(name, make, masks, tensor(Int32Array.of(0, 1, 1, 0), { shape: [1, 4] }));
    }
    const labels = (v: number) => tensor([[1, -1], [v, 2], [-3, -2]]);
    for (const [name, make] of Object.entries(LABELS)) {
      await check(name, make, labels, tensor([[1, 0], [1, 1], [0, 0]]));
    }
    await check("AccumMetric, thresholded", OWN["AccumMetric, thresholded"], labels, tensor([[1, 0], [1, 1], [0, 0]]));
    const numbers = (v: number) => tensor([[0.1], [v], [0.3], [0.7]]);
    const values = tensor([[0.2], [0.5], [0.1], [1]]);
    for (const [name, make] of Object.entries(NUMBERS)) await check(name, make, numbers, values);
    // and in targets
    if (!Number.isNaN(odd)) return;
    for (const [name, make] of Object.entries(NUMBERS)) {
      assertEquals(await valueOf(make, [numbers(0.3), numbers(odd)]), NaN, name);
    }
  });
}

onDevices("metrics of one logit an item: class 1 is above 0", async () => {
  for (const shape of [[4, 1], [4]]) {
    const pred = tensor([3, -3, 2, -2]).reshape(shape), targ = tensor([1, 0, 1, 0]).reshape(shape);
    for (const [name, make] of Object.entries({ ...BINARY, ...CLASSES })) {
      const want = name === "errorRate" || name === "HammingLoss" ? 0 : 1;
      assertEquals(await valueOf(make, [pred, targ]), want, `${name} of ${shape}`);
    }
    const half = tensor([1, 1, 0, 0]).reshape(shape);
    assertEquals(await valueOf(() => M.accuracy, [pred, half]), 0.5);
    assertEquals(await valueOf(() => new M.F1Score(), [pred, half]), 0.5);
    assertEquals(await valueOf(() => new M.RocAuc(), [pred, half]), 0.5);
  }
  await assertRejects(
    () => valueOf(() => (p, t) => M.topKAccuracy(p, t, { k: 1 }), [tensor([[3]]), tensor([[1]])]),
    ConfigError,
    "use accuracy",
  );
}, here);

onDevices("a single probability counts from a half on where the loss takes probabilities", async () => {
  const x = { data: Float32Array.of(-1, -0.2, 0.2, 1), shape: [4, 1] },
    y = { data: Float32Array.of(0, 0, 1, 1), shape: [4, 1] };
  const model = new nn.Sequential(new nn.Linear(1, 1), new nn.Sigmoid());
  model.loadStateDict(new Map([["0.weight", tensor([[1]])], ["0.bias", tensor([0])]]));
  const metrics = [M.accuracy, new M.F1Score(), new M.BalancedAccuracy()];
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 4 });
  const learn = new Learner(dls, model, { lossFunc: new nn.BCELoss(), metrics, logger: M.silentLogger });
  assertEquals((await learn.validate()).slice(1), [1, 1, 1]);
}, here);

onDevices("scores of two classes refuse several, and name average", async () => {
  const pred = tensor([[9, 0, 0], [0, 9, 0], [9, 0, 0], [0, 0, 9], [0, 9, 0], [9, 0, 0]]),
    targ = ints(0, 1, 2, 0, 1, 2);
  for (const [name, make] of Object.entries(BINARY)) {
    const error = await assertRejects(() => valueOf(make, [pred, targ]), ConfigError, "3 classes");
    if (!name.endsWith("Binary")) assert(error.message.includes('{ average: "macro" }'), error.message);
  }
  assertAlmostEquals((await valueOf(CLASSES["F1Score, macro"], [pred, targ]))!, 0.4666666666666666, 1e-12);
}, here);

/** A learner on 12 items, of a model with `outputs` outputs. */
function learner(
  y: Float32Array | Int32Array,
  outputs: number,
  lossFunc: M.LossFunc,
  metrics: M.MetricLike | readonly M.MetricLike[],
): Learner {
  const x = { data: Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)), shape: [12, 1] };
  const targ = { data: y, shape: y instanceof Float32Array ? [12, 1] : [12] };
  const dls = DataLoaders.fromArrays({ x, y: targ, xValid: x, yValid: targ }, { bs: 4, shuffle: false });
  return new Learner(dls, new nn.Linear(1, outputs), { lossFunc, metrics, logger: M.silentLogger });
}

onDevices("a metric that does not fit the task is refused in the first batch", async () => {
  const numbers = Float32Array.from({ length: 12 }, (_, i) => i * 0.3),
    classes = Int32Array.from(numbers, (_, i) => i % 3);
  const cases: [name: string, learn: Learner, words: string][] = [
    ...Object.entries({ ...BINARY, ...CLASSES, ...MASKS, RocAucMulti: LABELS.RocAucMulti }).filter(([n]) =>
      n !== "foregroundAcc"
    )
      .map(([name, make]): [string, Learner, string] => [
        name,
        learner(numbers, 1, new nn.MSELoss(), make()),
        "the targets of MSELoss are numbers",
      ]),
    ...Object.entries(BINARY).map(([name, make]): [string, Learner, string] => [
      name,
      learner(classes, 3, new nn.CrossEntropyLoss(), make()),
      "on 3 classes",
    ]),
    ...["R2Score", "ExplainedVariance", "PearsonCorrCoef", "SpearmanCorrCoef"].map((
      name,
    ): [string, Learner, string] => [
      name,
      learner(classes, 3, new nn.CrossEntropyLoss(), NUMBERS[name]()),
      "the targets of CrossEntropyLoss are classes",
    ]),
    ...["mse", "mae", "msle", "rmse"].map((name): [string, Learner, string] => [
      name,
      learner(classes, 3, new nn.CrossEntropyLoss(), NUMBERS[name]()),
      "one prediction for each target",
    ]),
    ["topKAccuracy", learner(classes, 3, new nn.CrossEntropyLoss(), M.topKAccuracy), "Cannot take the top 5 of 3"],
  ];
  for (const [name, learn, words] of cases) {
    const error = await assertRejects(() => learn.fit(1), AnnealError);
    assert(error.message.includes(words), `${name}: ${error.message}`);
    assertEquals(learn.recorder.rows.length, 0);
    assert(learn.trainIter <= 1, name);
  }
  // what fits is left alone
  await learner(numbers, 1, new nn.MSELoss(), [M.rmse, M.mae, new M.R2Score()]).fit(1);
  await learner(classes, 3, new nn.CrossEntropyLoss(), [
    M.accuracy,
    new M.RocAuc(),
    new M.F1Score({ average: "macro" }),
  ]).fit(1);
  await learner(Float32Array.from(classes, (c) => c % 2), 1, new nn.BCEWithLogitsLoss(), [M.accuracy, new M.F1Score()])
    .fit(1);
  await learner(numbers, 1, (p, t) => p.sub(t).square().mean(), [M.mse]).fit(1);
}, here);

onDevices("a metric's function may give a tensor, a number, or a promise of either; else it is told", async () => {
  const numbers = Float32Array.from({ length: 12 }, (_, i) => i * 0.3);
  const plain = function plain(): number {
    return 2;
  };
  const later = async function later(pred: Tensor): Promise<number> {
    return (await pred.data()).length;
  };
  const lazy = async function lazy(pred: Tensor): Promise<Tensor> {
    return await Promise.resolve(pred.mean().mul(0).add(3));
  };
  const learn = learner(numbers, 1, new nn.MSELoss(), [plain, later, lazy, new M.AccumMetric(() => 5)]);
  learn.recorder.trainMetrics = true;
  await learn.fit(1);
  const { row } = { row: learn.recorder.rows[0] };
  assertEquals([row.valid_plain ?? row.plain, row.valid_later ?? row.later, row.valid_lazy ?? row.lazy], [2, 4, 3]);
  assertEquals((await learn.validate()).slice(1), [2, 4, 3, 5]);
  const bad = learner(numbers, 1, new nn.MSELoss(), (() => "good") as never);
  await assertRejects(() => bad.fit(1), ConfigError, "or a plain one, got good");
}, here);

onDevices(
  "scores of numbers where all targets, or all predictions, are one number, as scikit-learn and SciPy have them",
  async () => {
    const odd = new Array<number>(7).fill(14.62), various = [1, 2, 4, 8, 16, 32, 64];
    const of = async (name: string, pred: number[], targ: number[]) =>
      await valueOf(NUMBERS[name], [tensor(pred), tensor(targ)]);
    for (const name of ["R2Score", "ExplainedVariance"]) {
      assertEquals(await of(name, various, odd), 0, name);
      assertEquals(await of(name, odd, odd), 1, name);
      assertEquals(await of(name, [1], [2]), NaN, name);
    }
    for (const name of ["PearsonCorrCoef", "SpearmanCorrCoef"]) {
      assertEquals(await of(name, various, odd), NaN, name);
      assertEquals(await of(name, odd, various), NaN, name);
    }
  },
  { kinds: ["reference"] },
);

Deno.test("scores of classes take an axis, nothing else", () => {
  for (const make of [M.BalancedAccuracy, M.MatthewsCorrCoef, M.HammingLoss]) {
    assertThrows(() => new make({ axis: 1 } as never), ConfigError, "it takes a number");
  }
});
