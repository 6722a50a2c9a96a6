/**
 * Metrics against fastai's on fixed predictions, in one batch and in several.
 *
 * @module
 */
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { ConfigError, ShapeError } from "../../src/base/errors.ts";
import { type Tensor, tensor } from "../../src/tensor/mod.ts";
import {
  accuracy,
  accuracyMulti,
  APScoreBinary,
  BalancedAccuracy,
  CohenKappa,
  Dice,
  DiceMulti,
  errorRate,
  ExplainedVariance,
  expRmspe,
  F1Score,
  F1ScoreMulti,
  FBeta,
  foregroundAcc,
  HammingLoss,
  HammingLossMulti,
  Jaccard,
  JaccardCoeff,
  JaccardCoeffMulti,
  JaccardMulti,
  mae,
  MatthewsCorrCoef,
  type MetricLike,
  mse,
  msle,
  PearsonCorrCoef,
  Perplexity,
  Precision,
  PrecisionMulti,
  R2Score,
  Recall,
  RecallMulti,
  rmse,
  RocAuc,
  RocAucBinary,
  RocAucMulti,
  SpearmanCorrCoef,
  toMetrics,
  topKAccuracy,
} from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fill } from "../support/fill.ts";
import { loadGolden } from "../support/golden.ts";
import { linearLearner } from "./learners.ts";
import * as nn from "../../src/nn/mod.ts";

interface Input {
  readonly shape: readonly number[];
  readonly seed?: number;
  readonly scale?: number;
  readonly offset?: number;
  readonly dtype?: string;
  readonly values?: readonly number[];
}

interface Case {
  readonly preds: string;
  readonly targs: string;
  readonly batches?: readonly number[];
  readonly name?: string;
  readonly value: number;
}

const { inputs, metrics } = loadGolden<{ inputs: Record<string, Input>; metrics: Record<string, Case> }>(
  "metrics.json",
);

const average = (how: "macro" | "micro" | "weighted") => ({ average: how });

const METRICS: Record<string, MetricLike> = {
  F1Score_macro: new F1Score(average("macro")),
  F1Score_micro: new F1Score(average("micro")),
  F1Score_weighted: new F1Score(average("weighted")),
  Precision_macro: new Precision(average("macro")),
  Precision_micro: new Precision(average("micro")),
  Precision_weighted: new Precision(average("weighted")),
  Recall_macro: new Recall(average("macro")),
  Recall_micro: new Recall(average("micro")),
  Recall_weighted: new Recall(average("weighted")),
  Jaccard_macro: new Jaccard(average("macro")),
  Jaccard_micro: new Jaccard(average("micro")),
  Jaccard_weighted: new Jaccard(average("weighted")),
  FBeta_macro: new FBeta(2, average("macro")),
  CohenKappa: CohenKappa,
  CohenKappa_quadratic: new CohenKappa({ weights: "quadratic" }),
  MatthewsCorrCoef,
  BalancedAccuracy,
  HammingLoss,
  RocAuc_macro_ovr: RocAuc,
  F1Score_binary: F1Score,
  Precision_binary: Precision,
  Recall_binary: Recall,
  MatthewsCorrCoef_binary: MatthewsCorrCoef,
  CohenKappa_binary: CohenKappa,
  BalancedAccuracy_binary: BalancedAccuracy,
  RocAucBinary_binary: RocAucBinary,
  APScoreBinary_binary: APScoreBinary,
  R2Score,
  PearsonCorrCoef,
  SpearmanCorrCoef,
  ExplainedVariance,
  F1ScoreMulti,
  PrecisionMulti,
  RecallMulti,
  HammingLossMulti,
  JaccardMulti,
  RocAucMulti,
  Dice,
  JaccardCoeff,
  DiceMulti,
  JaccardCoeffMulti,
  DiceMulti_3: DiceMulti,
  JaccardCoeffMulti_3: JaccardCoeffMulti,
  foreground_acc_3: foregroundAcc,
  accuracy,
  error_rate: errorRate,
  top_k_accuracy: (p, t) => topKAccuracy(p, t, { k: 2 }),
  Perplexity,
  mse,
  mae,
  msle,
  rmse,
  exp_rmspe: expRmspe,
  accuracy_multi: accuracyMulti,
  "accuracy_multi_thresh_0.3_no_sigmoid": (p, t) => accuracyMulti(p, t, { thresh: 0.3, sigmoid: false }),
};

function valuesOf(name: string): { data: Float64Array; shape: readonly number[]; whole: boolean } {
  const { shape, seed, scale, offset = 0, values } = inputs[name];
  const n = shape.reduce((a, b) => a * b, 1);
  if (name === "regTargsMixed") {
    const p = valuesOf("regPreds").data, t = valuesOf("regTargs").data;
    return { data: p.map((v, i) => 0.7 * v + 0.3 * t[i]), shape, whole: false };
  }
  if (values !== undefined) return { data: Float64Array.from(values), shape, whole: true };
  return { data: fill(seed!, n, scale).map((v) => v + offset), shape, whole: false };
}

function rowsOf(name: string, from: number, to: number): Tensor {
  const { data, shape, whole } = valuesOf(name);
  const width = shape.slice(1).reduce((a, b) => a * b, 1);
  const part = data.slice(from * width, to * width);
  return tensor(whole ? Int32Array.from(part) : Float32Array.from(part), { shape: [to - from, ...shape.slice(1)] });
}

for (const [key, want] of Object.entries(metrics)) {
  const made = METRICS[key.replace(/_two_batches$/, "")];
  if (made === undefined) throw new Error(`${key} has no metric here`);
  onDevices(`${key} is fastai's`, async () => {
    const [metric] = toMetrics(made);
    if (want.name !== undefined) assertEquals(metric.name, want.name.replace(/^_/, ""));
    const learn = linearLearner({ lossFunc: new nn.CrossEntropyLoss() });
    metric.reset();
    assertEquals(await metric.value, null);
    let at = 0;
    for (const n of want.batches ?? [inputs[want.preds].shape[0]]) {
      learn.pred = rowsOf(want.preds, at, at + n);
      learn.xb = [learn.pred];
      learn.yb = [rowsOf(want.targs, at, at + n)];
      if (key.startsWith("Perplexity")) learn.loss = new nn.CrossEntropyLoss().forward(learn.pred, learn.yb[0]);
      await metric.accumulate(learn);
      at += n;
    }
    assertAlmostEquals((await metric.value)!, want.value, Math.abs(want.value) * 1e-5);
  });
}

Deno.test("metrics refuse what does not fit", () => {
  const p = tensor([[1, 2, 3], [3, 2, 1]]);
  assertThrows(
    () => accuracy(p, tensor([0, 1, 2])),
    ShapeError,
    "Cannot compare predictions of shape [2] with targets of shape [3]",
  );
  assertThrows(() => topKAccuracy(p, tensor([0, 1]), { k: 4 }), ConfigError, "Cannot take the top 4 of 3 classes");
});

onDevices("a metric takes a batch by hand, without a learner", async () => {
  const batch = { pred: tensor([[0.2, 0.8], [0.6, 0.4]]), yb: [tensor(Int32Array.of(1, 1))] };
  const metric = new F1Score();
  await metric.accumulate({ batch } as unknown as Parameters<typeof metric.accumulate>[0]);
  assertAlmostEquals((await metric.value)!, 2 / 3, 1e-6);
}, { kinds: ["reference"] });
