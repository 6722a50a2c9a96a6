/**
 * Replayed steps: they change nothing but time.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { StaleTensorError } from "../../src/base/errors.ts";
import { GradientAccumulation, GradientClip, MixUp } from "../../src/callbacks/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import {
  Adam,
  Lamb,
  Larc,
  Lookahead,
  type OptFunc,
  Optimizer,
  QHAdam,
  RAdam,
  RMSProp,
  SGD,
  sgdStep,
} from "../../src/optim/mod.ts";
import { readAll, stepInput, type Tensor } from "../../src/tensor/mod.ts";
import { accuracy, Callback, silentLogger } from "../../src/train/mod.ts";
import { ScalarHistory } from "../../src/train/scalar_history.ts";
import { onDevices } from "../support/devices.ts";
import { Ema, fitBoth, Inside, learnerOf, left, type Net } from "./replays.ts";

const OPTIMIZERS: Record<string, OptFunc> = {
  "SGD": SGD,
  "SGD with momentum": SGD.with({ mom: 0.9, wd: 0.1 }),
  "SGD with l2": SGD.with({ mom: 0.9, wd: 0.1, decoupleWd: false }),
  "RMSProp": RMSProp.with({ mom: 0.9 }),
  Adam,
  RAdam,
  "RAdam, smooth": RAdam.with({ beta: 50 }),
  QHAdam,
  Larc,
  Lamb,
  "ranger": Lookahead(RAdam, { k: 3 }),
  "Lookahead over SGD": Lookahead(SGD.with({ mom: 0.9 }), { k: 4, alpha: 0.3 }),
};

for (const [name, optFunc] of Object.entries(OPTIMIZERS)) {
  onDevices(`replayed steps give the same bits: ${name}`, async () => {
    // 18 batches of two sizes: all but the first of each
    assertEquals(await fitBoth({ optFunc }), 16);
  }, { kinds: ["cpu", "webgpu"] });
}

onDevices("so they do with other data, schedules and groups", async () => {
  assertEquals(await fitBoth({ optFunc: Adam, streamed: true }), 16);
  assertEquals(await fitBoth({ optFunc: Adam, wd: 0.1, wdBnBias: true }, undefined, (l) => l.fit(2, { lr: 0.01 })), 16);
  assertEquals(await fitBoth({ optFunc: Adam, moms: [0.9, 0.8, 0.9] }, () => new MixUp(0.4)) > 0, true);
  const tuned = await fitBoth({ optFunc: Adam }, undefined, (l) => l.fineTune(1, { freezeEpochs: 1, baseLr: 0.01 }));
  assertEquals(tuned, 14); // frozen and unfrozen steps are two kinds of steps
  const found = await fitBoth({ optFunc: SGD }, undefined, async (l) => {
    await l.lrFind({ numIt: 12 });
    await l.fit(1);
  });
  assert(found >= 15, `${found}`);
});

/** As callbacks of users do it: numbers of its own in every step. */
class OwnNumbers extends Callback {
  override runValid: boolean = false;
  override afterLoss(): void {
    const { learn } = this;
    const shares = Float32Array.from({ length: learn.pred.shape[0] }, (_, i) => ((learn.trainIter + i) % 5) / 4);
    learn.loss = learn.loss.add(learn.pred.square().sum({ axis: 1 }).mul(stepInput(shares)).mean());
  }
}

onDevices("steps with numbers of a callback's own are replayed", async () => {
  assertEquals(await fitBoth({}, () => new OwnNumbers()), 16);
}, { kinds: ["cpu"] });

/** Adds to what is differentiated, and leaves the loss alone. */
class Regularizer extends Callback {
  override runValid: boolean = false;
  override afterLoss(): void {
    const { batch } = this.learn;
    batch.lossGrad = batch.lossGrad!.add(batch.pred!.square().mean().mul(0.1));
  }
}

onDevices("steps whose gradients are of more than the loss are replayed", async () => {
  assertEquals(await fitBoth({}, () => new Regularizer()), 16);
  assertEquals(await fitBoth({ streamed: true }, () => new Regularizer()), 16);
  // steps with it and without are two kinds of steps
  const mixed = await fitBoth({}, undefined, async (l) => {
    await l.fit(1);
    await l.fit(1, { cbs: new Regularizer() });
    await l.fit(1);
  });
  assertEquals(mixed, 23);
});

onDevices("whoever looks inside a step sees it built", async () => {
  for (const event of ["beforeBackward", "afterBackward", "beforeStep", "afterStep"] as const) {
    assertEquals(await fitBoth({}, (_, seen) => new Inside(seen, event)), 0);
  }
  assertEquals(await fitBoth({}, () => new GradientClip(0.1)), 0);
  assertEquals(await fitBoth({}, () => new GradientAccumulation(16)), 0);
  const own = Optimizer.from([{
    apply: (u) => {
      u.p = u.p.sub(u.g.mul(u.hypers.lr)); // a number that the expression does not know to change
    },
  }]);
  assertEquals(await fitBoth({ optFunc: own }), 0);
  assertEquals(await fitBoth({ optFunc: Optimizer.from([sgdStep]) }), 16);
}, { kinds: ["cpu"] });

onDevices("averages of the weights see weights after the step", async () => {
  const values: number[][] = [];
  for (const enabled of [false, true]) {
    const learn = learnerOf(), ema = new Ema();
    learn.steps.enabled = enabled;
    await learn.fit(2, { lr: 0.01, cbs: ema });
    values.push((await readAll(ema.averages)).flatMap((v) => [...v]));
  }
  assertEquals(values[0], values[1]);
}, { kinds: ["cpu", "webgpu"] });

onDevices("expressions of weights are stale after a step, replayed or not", async () => {
  for (const enabled of [false, true]) {
    const learn = learnerOf({ optFunc: Adam });
    learn.steps.enabled = enabled;
    let old: Tensor | null = null, refused = 0;
    await learn.fit(1, {
      cbs: new class extends Callback {
        override runValid: boolean = false;
        override async beforeBatch(): Promise<void> {
          const before = old;
          if (before !== null) {
            await assertRejects(() => before.data(), StaleTensorError);
            refused++;
          }
          old = learn.model.conv.weight.mul(2);
        }
      }(),
    });
    assertEquals(refused, 8);
    assertEquals(learn.steps.count > 0, enabled);
  }
}, { kinds: ["cpu"] });

onDevices("training metrics are those of built steps", async () => {
  await fitBoth({ metrics: accuracy, optFunc: Adam }, (l) => {
    (l.recorder as { trainMetrics: boolean }).trainMetrics = true;
    return [];
  });
}, { kinds: ["cpu"] });

onDevices("two learners in turn on one model", async () => {
  const results: unknown[] = [];
  for (const enabled of [false, true]) {
    const a = learnerOf({ optFunc: Adam });
    const b = new Learner(a.dls, a.model, { lossFunc: new nn.CrossEntropyLoss(), optFunc: SGD, logger: silentLogger });
    a.steps.enabled = b.steps.enabled = enabled;
    for (let i = 0; i < 2; i++) {
      await a.fit(1, { lr: 0.01 });
      await b.fit(1, { lr: 0.01 });
    }
    results.push([await left(a), await left(b as Learner<Net>)]);
    assertEquals(a.steps.count > 0 && b.steps.count > 0, enabled);
  }
  assertEquals(results[0], results[1]);
}, { kinds: ["cpu", "webgpu"] });

onDevices("a replayed step is one program, with the recorder's history", async (device) => {
  const learn = learnerOf({ optFunc: Adam });
  await learn.fit(1);
  let before = device.stats();
  const runs: number[] = [], made: string[] = [];
  await learn.fit(1, {
    cbs: new class extends Callback {
      override readonly order: number = 2000;
      override beforeBatch(): void {
        if (!this.learn.training) return;
        const now = device.stats();
        if (this.learn.iter > 0) {
          runs.push(now.runs - before.runs);
          for (const what of ["programs", "pipelines", "reads"] as const) {
            if (now[what] !== before[what]) made.push(what);
          }
        }
        before = now;
      }
    }(),
  });
  assertEquals(learn.steps.count, 16);
  assertEquals(runs, [1, 1, 1, 1, 1, 1, 1, 1]);
  assertEquals(made, []);
}, { kinds: ["cpu", "webgpu"] });

/** Pushes numbers of its own to histories of its own, each batch. */
class Pushes extends Callback {
  readonly lists: readonly ScalarHistory[] = [new ScalarHistory(), new ScalarHistory()];
  constructor(readonly push: (cb: Pushes, i: number) => void) {
    super();
  }
  override afterBatch(): void {
    if (this.learn.training) this.push(this, this.learn.trainIter);
  }
  override afterTrain(): Promise<void> {
    return ScalarHistory.drain(this.lists);
  }
}

/** What is recorded on top of a step, and whether it is part of the replayed program. */
const EPILOGUES: Record<string, [(cb: Pushes, i: number) => void, boolean]> = {
  "the loss once more": [({ lists: [a], learn }) => a.push(learn.loss, "it"), true],
  "the loss in two places": [({ lists, learn }) => lists.forEach((l) => l.push(learn.loss, "it")), true],
  "the loss twice in one": [({ lists: [a], learn }) => [1, 2].forEach(() => a.push(learn.loss, "it")), true],
  "a number made of the loss": [({ lists: [a], learn }) => a.push(learn.loss.mul(2), "it"), true],
  "a number made of the prediction": [({ lists: [a], learn }) => a.push(learn.pred.mean(), "it"), true],
  "the loss in one place or the other": [({ lists, learn }, i) => lists[i % 2].push(learn.loss, "it"), true],
  "another number each time": [
    ({ lists: [a], learn }, i) => a.push(i % 2 ? learn.loss : learn.loss.neg(), "it"),
    false,
  ],
  "the loss, or nothing": [({ lists: [a], learn }, i) => i % 2 && a.push(learn.loss, "it"), false],
};

for (const [name, [push, whole]] of Object.entries(EPILOGUES)) {
  onDevices(`replays with an epilogue: ${name}`, async (device) => {
    let runs: number[] = [], before = 0;
    const again = await fitBoth({ optFunc: Adam }, (_, seen) => {
      const counts = new class extends Callback {
        override readonly order: number = 2000;
        override beforeBatch(): void {
          const now = device.stats().runs;
          if (this.learn.training && this.learn.iter > 2) runs.push(now - before);
          before = now;
        }
      }();
      const pushes = new class extends Pushes {
        override afterFit(): void {
          seen.push(...this.lists.flatMap((list) => list.values));
        }
      }(push);
      runs = [];
      return [pushes, counts];
    }, (learn, cbs) => learn.fit(2, { cbs }));
    assertEquals(again, 16);
    assertEquals(runs.every((n) => n === 1), whole, runs.join());
  }, { kinds: ["cpu"] });
}
