/**
 * Whole runs against fastai's: each batch's loss, rows, smoothed losses, final weights.
 *
 * @module
 */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { GradientAccumulation, GradientClip, InterruptCallback } from "../../src/callbacks/mod.ts";
import type { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { Adam, ranger, SGD } from "../../src/optim/mod.ts";
import { accuracy, Callback, errorRate, type Model } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { loadGolden } from "../support/golden.ts";
import { classifierGolden, synthGolden } from "./learners.ts";

interface Case {
  readonly name: string;
  readonly metricNames: readonly string[];
  readonly values: readonly (readonly number[])[];
  readonly lrs: readonly number[];
  readonly losses: readonly number[];
  readonly iters: readonly number[];
  readonly trainLosses: readonly number[];
  readonly validLosses: readonly number[];
  readonly params: Readonly<Record<string, unknown>>;
}

const { cases } = loadGolden<{ cases: Case[] }>("training.json");

/** Each batch's own loss, kept on the device until the end. */
class EachLoss extends Callback {
  override readonly order = 71;
  readonly ofTrain: number[] = [];
  readonly ofValid: number[] = [];
  override async afterBatch(): Promise<void> {
    (this.learn.training ? this.ofTrain : this.ofValid).push(await this.learn.loss.item());
  }
}

interface Run {
  readonly make: () => Learner<Model>;
  /** So many batches are fastai's; the rest is not, for a reason. All are, if left out. */
  readonly batches?: number;
  /** Gives the learner whose recorder and weights count. */
  readonly go: (learn: Learner<Model>, log: EachLoss) => Promise<Learner<Model> | void>;
}

const c = classifierGolden, s = synthGolden;

const RUNS: Record<string, Run> = {
  "synth lr 1e-2: fit_one_cycle(2)": { make: () => s({ lr: 1e-2 }), go: (l) => l.fitOneCycle(2) },
  "synth: fit_flat_cos(2, 5e-3)": { make: () => s(), go: (l) => l.fitFlatCos(2, { lr: 5e-3 }) },
  "synth: fit_sgdr(2, 1)": { make: () => s({ lr: 5e-3 }), go: (l) => l.fitSgdr(2, 1) },
  "synth: fit(2, wd=.1)": { make: () => s({ lr: 1e-2 }), go: (l) => l.fit(2, { wd: 0.1 }) },
  "synth Adam: fit_one_cycle(3, .1)": { make: () => s({ optFunc: Adam }), go: (l) => l.fitOneCycle(3, { lrMax: 0.1 }) },
  "synth ranger: fit_flat_cos(3, .1)": { make: () => s({ optFunc: ranger }), go: (l) => l.fitFlatCos(3, { lr: 0.1 }) },
  "classifier Adam lr 1e-2, accuracy: fit_one_cycle(3)": {
    make: () => c({ lr: 1e-2, metrics: accuracy }),
    go: (l) => l.fitOneCycle(3),
  },
  "classifier Adam, accuracy and error_rate, train metrics, wd .1, wd_bn_bias: fit(2, 5e-3)": {
    make: () => c({ metrics: [accuracy, errorRate], wd: 0.1, wdBnBias: true }),
    go: (l) => {
      l.recorder.trainMetrics = true;
      return l.fit(2, { lr: 5e-3 });
    },
  },
  "classifier SGD mom .9, GradientClip(.5): fit_one_cycle(2, .1)": {
    make: () => c({ optFunc: SGD.with({ mom: 0.9 }), cbs: new GradientClip(0.5) }),
    go: (l) => l.fitOneCycle(2, { lrMax: 0.1 }),
  },
  "classifier Adam, GradientAccumulation(40): fit(2, 1e-2)": {
    make: () => c({ cbs: new GradientAccumulation(40) }),
    go: (l) => l.fit(2, { lr: 1e-2 }),
    // the first step of epoch 1 has 50 items; fastai divides their sum by 40 (see tests/callbacks for what is right)
    batches: 13,
  },
  "classifier LabelSmoothing: fit_one_cycle(2, 1e-2)": {
    make: () => c({ lossFunc: new nn.LabelSmoothingCrossEntropy() }),
    go: (l) => l.fitOneCycle(2, { lrMax: 1e-2 }),
  },
  "classifier: fit_one_cycle(5, 1e-2) interrupted before epoch 2, saved with optimizer, loaded, resumed with start_epoch=2":
    {
      make: () => c({ lr: 1e-2 }),
      go: async (l, log) => {
        await l.fitOneCycle(5, { lrMax: 1e-2, cbs: new InterruptCallback(2) });
        const again = c({ lr: 1e-2 });
        again.model.loadStateDict(l.model.stateDict(), { strict: true });
        again.opt.loadStateDict(l.opt.stateDict());
        l.removeCb(log);
        again.addCb(log);
        await again.fitOneCycle(5, { lrMax: 1e-2, startEpoch: 2 });
        return again;
      },
    },
  "classifier: fit_one_cycle(5, 1e-2)": { make: () => c({ lr: 1e-2 }), go: (l) => l.fitOneCycle(5, { lrMax: 1e-2 }) },
};

Deno.test("every recorded run is run", () => assertEquals(Object.keys(RUNS).sort(), cases.map((c) => c.name).sort()));

for (const want of cases) {
  onDevices(`${want.name} is fastai's run`, async () => {
    const { make, go, batches } = RUNS[want.name];
    const log = new EachLoss();
    const learn = make().addCb(log);
    const result = await go(learn, log) ?? learn;
    const { recorder } = result;
    assertEquals(recorder.metricNames, want.metricNames);
    closeAll(log.ofTrain.slice(0, 5), want.trainLosses.slice(0, 5), 1e-6, "first losses");
    if (batches !== undefined) {
      closeAll(log.ofTrain.slice(0, batches), want.trainLosses.slice(0, batches), 1e-4, "training losses");
      closeAll(recorder.losses.slice(0, batches), want.losses.slice(0, batches), 1e-4, "smoothed losses");
      closeAll(recorder.values[0].map(Number), want.values[0], 1e-4, "first row");
      return;
    }
    closeAll(log.ofTrain, want.trainLosses, 1e-4, "training losses");
    closeAll(log.ofValid, want.validLosses, 1e-4, "validation losses");
    closeAll(recorder.losses, want.losses, 1e-4, "smoothed losses");
    closeAll(recorder.lrs, want.lrs, 1e-6, "learning rates");
    const skipped = want.values.filter((v) => v.length === 0).length; // empty rows of epochs before start_epoch
    assertEquals(recorder.iters, want.iters.slice(skipped));
    assertEquals(recorder.values.length, want.values.length - skipped);
    recorder.values.forEach((row, i) => closeAll(row.map(Number), want.values[i + skipped], 1e-4, `row ${i}`));
    for (const [name, tensor] of result.model.stateDict()) {
      // batch norm takes the mean away again: but for rounding the gradient of a bias in front of it is 0, Adam makes
      // steps of the rounding, and the running mean follows
      closeAll(
        await tensor.data(),
        flatten(want.params[name]),
        /^layers\.(0\.bias|1\.running_mean)$/.test(name) ? 1e-3 : 1e-4,
        name,
      );
    }
  });
}

/** Relative to the largest magnitude of the list. */
function closeAll(got: ArrayLike<number>, want: readonly number[], relative: number, what: string): void {
  assertEquals(got.length, want.length, `${what}: length`);
  const size = want.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  want.forEach((w, i) => assertAlmostEquals(got[i], w, size * relative, `${what}[${i}]`));
}

function flatten(nested: unknown): number[] {
  return Array.isArray(nested) ? nested.flatMap(flatten) : [Number(nested)];
}
