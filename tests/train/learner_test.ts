/**
 * What a learner does with callbacks that come and go, and what it tells.
 *
 * @module
 */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { DataError } from "../../src/base/errors.ts";
import { FetchPreds } from "../../src/callbacks/mod.ts";
import { DataLoaders } from "../../src/data/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { type Tensor, tensor } from "../../src/tensor/mod.ts";
import {
  accuracy,
  Callback,
  CancelFit,
  type EventName,
  type Handled,
  Metric,
  mse,
  silentLogger,
} from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";
import { classifierGolden, linearLearner } from "./learners.ts";

const here = { kinds: ["reference"] } as const;

/** Calls a function at an event. */
class At extends Callback {
  constructor(readonly event: EventName, readonly act: (cb: Callback) => Handled) {
    super();
  }
  override handle(event: EventName): Handled {
    if (event === this.event) return this.act(this);
  }
}

onDevices("callbacks run by order, ties by addition; those of a fit go when it ends", async () => {
  const seen: string[] = [];
  class Say extends Callback {
    override readonly order: number;
    constructor(readonly id: string, order: number) {
      super();
      this.order = order;
    }
    override beforeFit() {
      seen.push(this.id);
    }
  }
  const learn = linearLearner({ cbs: [new Say("b", 1), new Say("c", 1), new Say("a", 0)] });
  await learn.fit(0, { cbs: [new Say("d", 1), new Say("first", -99)] });
  assertEquals(seen, ["first", "a", "b", "c", "d"]);
  assertEquals(learn.cbs.length, 6);
  learn.removeCb(Say);
  assertEquals(learn.cbs.length, 3);
  await learn.removedCbs(learn.cbs[0], () => assertEquals(learn.cbs.length, 2));
  assertEquals(learn.cbs.map((c) => c.name), ["Recorder", "Progress", "TrainEval"]);
}, here);

onDevices("handlers may be fields; run, runTrain and runValid gate them; run is set back after a fit", async () => {
  let train = 0, valid = 0, epochs = 0;
  class Counts extends Callback {
    override readonly afterBatch = () => void (this.learn.training ? train++ : valid++);
    override afterEpoch() {
      epochs++;
    }
  }
  const cb = new Counts();
  const learn = linearLearner({ cbs: cb });
  await learn.fit(1);
  assertEquals([train, valid, epochs], [2, 1, 1]);
  cb.runTrain = false;
  await learn.fit(1);
  assertEquals([train, valid, epochs], [2, 2, 2]);
  cb.run = false;
  await learn.fit(1);
  assertEquals([train, valid, epochs, cb.run], [2, 2, 2, true]);
}, here);

onDevices("callbacks may replace the batch, the prediction, the loss and the gradients", async () => {
  const learn = linearLearner({ lr: 0.1, optFunc: undefined });
  const before = await learn.model.weight.data();
  const halt = new At("afterBackward", () => {
    for (const p of learn.model.parameters()) p.grad = p.grad!.mul(0);
  });
  const { SGD } = await import("../../src/optim/mod.ts");
  const still = new Learner(learn.dls, learn.model, {
    lossFunc: new nn.MSELoss(),
    optFunc: SGD,
    lr: 0.1,
    logger: learn.logger,
  });
  await still.fit(1, { cbs: halt });
  assertEquals(await learn.model.weight.data(), before);
  const losses: number[] = [];
  await still.fit(1, {
    lr: 0,
    cbs: [
      new At("afterLoss", () => {
        still.loss = tensor(5).add(still.loss.mul(0));
      }),
      new At("afterBatch", async () => void losses.push(await still.loss.item())),
    ],
  });
  assertEquals(losses, [5, 5, 5]);
  assertEquals(still.recorder.rows[0].valid_loss, 5);
}, here);

onDevices("CancelFit ends the run at once: an epoch cut short before the recorder has no row", async () => {
  const learn = linearLearner();
  let n = 0;
  await learn.fit(3, {
    cbs: new At("afterEpoch", () => {
      if (++n === 2) throw new CancelFit("enough");
    }),
  });
  assertEquals(learn.recorder.rows.map((r) => r.epoch), [0]);
}, here);

onDevices("rows have names, the table has a row an epoch, and silence is silence", async () => {
  const lines: string[] = [];
  const learn = linearLearner({
    metrics: [
      (p: Tensor, y: Tensor) => p.sub(y).abs().mean(),
      class Fixed extends Metric {
        override reset() {}
        override accumulate() {}
        override readonly value = 0.25;
      },
    ],
    logger: { line: (text) => void lines.push(text) },
  });
  await learn.fit(2);
  assertEquals(Object.keys(learn.recorder.rows[1]), ["epoch", "train_loss", "valid_loss", "metric", "fixed", "time"]);
  assertEquals(learn.recorder.rows[1].fixed, 0.25);
  assertEquals(lines[0].split(/\s+/), ["epoch", "train_loss", "valid_loss", "metric", "fixed", "time"]);
  assert(/^1 +\d\.\d{6} +\d\.\d{6} +\d\.\d{6} +0\.250000 +00:00$/.test(lines[2]), lines[2]);
  assertEquals(lines.length, 3);
  await learn.noLogging(() => learn.fit(1));
  assertEquals(lines.length, 3);
}, here);

onDevices("metrics of training batches have columns of their own", async () => {
  const learn = linearLearner({ metrics: mse });
  learn.recorder.trainMetrics = true;
  await learn.fit(2);
  const { rows, rawLosses } = learn.recorder;
  assertEquals(Object.keys(rows[0]), ["epoch", "train_loss", "train_mse", "valid_loss", "valid_mse", "time"]);
  assertAlmostEquals(rows[1].train_mse!, (rawLosses[2] + rawLosses[3]) / 2, 1e-6);
  assertAlmostEquals(rows[1].valid_mse!, rows[1].valid_loss!, 1e-6);
  learn.recorder.validMetrics = false;
  await learn.fit(1);
  assertEquals(Object.keys(learn.recorder.rows[0]), ["epoch", "train_loss", "mse", "time"]);
}, here);

onDevices("a fit without a validation set has no validation loss", async () => {
  const x = { data: fillF32(1, 16), shape: [4, 4] }, y = { data: fillF32(2, 4), shape: [4, 1] };
  const learn = new Learner(DataLoaders.fromArrays({ x, y }, { bs: 4 }), new nn.Linear(4, 1), {
    lossFunc: new nn.MSELoss(),
    logger: silentLogger,
  });
  await learn.fit(1);
  assertEquals(learn.recorder.rows[0].valid_loss, null);
  await assertRejects(() => learn.validate(), DataError, "no batches");
}, here);

onDevices("validate and getPreds leave the record of the fit", async () => {
  const learn = linearLearner();
  await learn.fit(2);
  const { rows, losses, lrs } = learn.recorder;
  const [loss] = await learn.validate();
  assertEquals(loss, rows[1].valid_loss);
  const { preds, targs } = await learn.getPreds();
  assertEquals([preds.shape, targs.shape], [[4, 1], [4, 1]]);
  assertEquals([learn.recorder.rows, learn.recorder.losses, learn.recorder.lrs], [rows, losses, lrs]);
  await learn.fit(1);
  assertEquals([learn.recorder.history.length, learn.recorder.history[0].rows.length], [1, 2]);
}, here);

onDevices("an evaluation in the middle of a fit leaves the epoch's row alone", async () => {
  const metrics = (p: Tensor, y: Tensor) => p.sub(y).abs().mean();
  const plain = linearLearner({ metrics }), busy = linearLearner({ metrics });
  await plain.fit(2);
  await busy.fit(2, {
    cbs: [
      new At("afterEpoch", async () => void await busy.validate({ dsIdx: 0 })),
      new FetchPreds({ dsIdx: 0 }),
    ],
  });
  assertEquals(busy.recorder.values, plain.recorder.values);
}, here);

onDevices("so does one in the middle of a batch", async () => {
  const metrics = (p: Tensor, y: Tensor) => p.sub(y).abs().mean();
  const plain = linearLearner({ metrics }), busy = linearLearner({ metrics });
  await plain.fit(2);
  const seen: unknown[] = [];
  const look = async () => {
    if (!busy.training) return;
    seen.push((await busy.validate()).length, (await busy.getPreds()).preds.shape);
    assert(busy.training && busy.model.training, "the batch goes on");
  };
  for (const event of ["beforeBatch", "afterPred", "afterLoss", "afterBackward", "afterBatch"] as const) {
    const again = linearLearner({ metrics });
    Object.assign(busy, { dls: again.dls });
    busy.model.loadStateDict(again.model.stateDict());
    busy.createOpt();
    await busy.fit(2, { cbs: new At(event, look) });
    assertEquals(busy.recorder.losses, plain.recorder.losses, event);
    assertEquals(busy.recorder.values, plain.recorder.values, event);
  }
  assertEquals(seen.length, 2 * 5 * 4);
}, here);

onDevices("a training batch reads nothing back", async (device) => {
  const learn = linearLearner({ metrics: (p: Tensor, y: Tensor) => p.sub(y).mean() });
  await learn.fit(1);
  const reads: number[] = [];
  const count = new At("afterBatch", () => void reads.push(device.stats().reads));
  await learn.fit(3, { cbs: count });
  const perEpoch = [0, 3, 6].map((i) => reads[i + 2] - reads[i]);
  assertEquals(perEpoch, [0, 0, 0]);
  assertEquals(reads[8] - reads[0], 2, "one read at the end of each epoch");
}, here);

onDevices("reads in the middle of a batch split its program and leave the numbers alone", async () => {
  const run = async (cbs: Callback[]) => {
    const learn = classifierGolden({ lr: 1e-2, cbs });
    await learn.fitOneCycle(1);
    const weights = [...learn.model.stateDict().values()];
    return [learn.recorder.rawLosses, learn.recorder.values, await Promise.all(weights.map((w) => w.data()))];
  };
  const plain = await run([]);
  const events: EventName[] = [
    "afterPred",
    "afterLoss",
    "beforeBackward",
    "afterBackward",
    "beforeStep",
    "afterStep",
    "afterBatch",
  ];
  for (const event of events) {
    const nosy: At = new At(event, async () => {
      const { learn } = nosy;
      await learn.pred.data();
      if (event !== "afterPred") await learn.loss.item();
      if (learn.training && /Backward|Step/.test(event) && event !== "beforeBackward") {
        await learn.model.parameters()[0].grad!.data();
      }
    });
    assertEquals(await run([nosy]), plain, event);
  }
});

onDevices("losses and predictions that a callback holds stay readable to the end", async () => {
  const learn = linearLearner();
  const losses: Tensor[] = [], preds: Tensor[] = [];
  const hold = new At("afterBatch", () => {
    if (!learn.training) return;
    losses.push(learn.loss);
    preds.push(learn.pred);
  });
  await learn.fit(3, { cbs: hold });
  assertEquals(await Promise.all(losses.map((l) => l.item())), learn.recorder.rawLosses);
  for (const p of preds) assertEquals((await p.data()).length, 4);
}, here);

onDevices("the bar is drawn in place, and goes when the row comes", async () => {
  const shown: string[] = [];
  const logger = {
    line: (t: string) => void shown.push(`line ${t}`),
    status: (t: string) => void shown.push(`status ${t}`),
  };
  const learn = linearLearner({ logger });
  const slow = new At("beforeBatch", () => new Promise<void>((r) => setTimeout(r, 110)));
  await learn.fit(1, { cbs: slow });
  assert(shown.some((t) => /^status Epoch 1\/1 \|█+░*\| [12]\/2.* 00:00 left/.test(t)), shown.join("\n"));
  assert(shown.findLastIndex((t) => t === "status ") < shown.length);
  assert(shown.indexOf("status ") < shown.findIndex((t) => /^line 0/.test(t)));
  shown.length = 0;
  await learn.noBar(() => learn.fit(1, { cbs: slow }));
  assertEquals(shown.filter((t) => t.startsWith("status E")), []);
  assertEquals(shown.filter((t) => t.startsWith("line")).length, 2);
}, here);

onDevices("the loop as text names each event's callbacks", () => {
  const lines: string[] = [];
  const text = linearLearner({ logger: { line: (t) => void lines.push(t) } }).showTrainingLoop();
  assertEquals(lines, [text]);
  assert(text.includes("- afterBatch      : [TrainEval, Recorder, Progress]"));
}, here);

onDevices("the event loop turns between any two steps that are long", async () => {
  const learn = linearLearner();
  let turns = 0, seen = -1;
  const stood: number[] = [];
  const timer = setInterval(() => turns++, 1);
  const busy = new At("afterBatch", () => {
    if (turns === seen) stood.push(learn.trainIter);
    seen = turns;
    for (const end = performance.now() + 25; performance.now() < end;); // longer than a run keeps the event loop waiting
  });
  await learn.fit(10, { cbs: busy });
  clearInterval(timer);
  assertEquals(stood, []);
}, here);

const accuracyLike = (p: Tensor, y: Tensor): Tensor => accuracy(p, y.mul(0).cast("i32"));

onDevices("fits of the same seed give the same bits", async () => {
  const run = async () => {
    const learn = linearLearner({ metrics: accuracyLike });
    await learn.fitOneCycle(2);
    return [await learn.model.weight.data(), learn.recorder.losses, learn.recorder.values];
  };
  assertEquals(await run(), await run());
});
