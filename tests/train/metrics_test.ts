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
  errorRate,
  expRmspe,
  mae,
  type MetricLike,
  mse,
  msle,
  Perplexity,
  rmse,
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

const METRICS: Record<string, MetricLike> = {
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
  if (made === undefined) continue; // of scikit-learn's metrics, those are left that are not here yet
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
