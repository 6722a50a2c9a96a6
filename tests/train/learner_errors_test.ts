/**
 * What learners refuse, and that they work on afterwards.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConfigError, DataError, DisposedError, ShapeError } from "../../src/base/errors.ts";
import { DataLoaders } from "../../src/data/mod.ts";
import { ParamScheduler } from "../../src/fit/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { ones, type Tensor } from "../../src/tensor/mod.ts";
import { Callback, type EventName, type Handled } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";
import { linearLearner } from "./learners.ts";

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

async function worksAgain(
  learn: { fit(n: number): Promise<void>; recorder: { rows: readonly unknown[] } },
): Promise<void> {
  await learn.fit(1);
  assertEquals(learn.recorder.rows.length, 1);
}

onDevices("a loader without batches is a DataError", async () => {
  const x = { data: fillF32(1, 8), shape: [2, 4] }, y = { data: fillF32(2, 2), shape: [2, 1] };
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 4, dropLast: true });
  const learn = new Learner(dls, new nn.Linear(4, 1), { lossFunc: new nn.MSELoss() });
  await assertRejects(() => learn.noLogging(() => learn.fit(1)), DataError, "no batches");
}, here);

onDevices("a model without parameters is a ConfigError", async () => {
  const learn = new Learner(linearLearner().dls, new nn.Flatten(), { lossFunc: new nn.MSELoss() });
  await assertRejects(() => learn.fit(1), ConfigError, "Cannot train Flatten");
}, here);

Deno.test("a learner without a loss function is a ConfigError", () => {
  const { dls } = linearLearner();
  assertThrows(() => new Learner(dls, new nn.Linear(4, 1)), ConfigError, "lossFunc");
});

onDevices("bad numbers of epochs are ConfigErrors", async () => {
  const learn = linearLearner();
  await assertRejects(() => learn.fit(1.5), ConfigError, "Cannot fit 1.5 epochs");
  await assertRejects(() => learn.fit(1, { startEpoch: -1 }), ConfigError, "Cannot start at epoch -1");
  await assertRejects(() => learn.fit(1, { lr: [1, 2] }), ConfigError, "1 parameter groups");
  await assertRejects(() => learn.fitSgdr(2, 1, { cycleMult: 1.5 }), ConfigError, "cycleMult 1.5");
  await worksAgain(learn);
}, here);

onDevices("a fit inside a fit is a ConfigError", async () => {
  const learn = linearLearner();
  await assertRejects(
    () => learn.fit(1, { cbs: new At("afterEpoch", () => learn.fit(1)) }),
    ConfigError,
    "in a fit already",
  );
  await worksAgain(learn);
}, here);

onDevices("a metric that throws is told with its name, once, as the class it was", async () => {
  let broken = true;
  const learn = linearLearner({
    metrics: (p: Tensor, y: Tensor) => {
      if (broken) throw new RangeError("no such class");
      return p.sub(y).mean();
    },
  });
  const error = await assertRejects(() => learn.fit(1), RangeError, "no such class (in the metric metrics)");
  assertEquals(error.message.match(/\(in /g)?.length, 1);
  assert((error.cause as Error).message === "no such class");
  broken = false;
  await worksAgain(learn);
}, here);

onDevices("errors of every handler leave a learner that works", async () => {
  const learn = linearLearner();
  const before = learn.cbs.map((c) => c.name);
  for (
    const event of [
      "beforeFit",
      "beforeEpoch",
      "beforeTrain",
      "beforeBatch",
      "afterPred",
      "afterLoss",
      "beforeBackward",
      "afterBackward",
      "beforeStep",
      "afterStep",
      "afterBatch",
      "afterTrain",
      "beforeValidate",
      "afterValidate",
      "afterEpoch",
      "afterFit",
    ] as const
  ) {
    class Own extends Error {
      constructor(readonly code: number) {
        super(`code ${code}`);
      }
    }
    const thrown = new Own(7);
    const at = new At(event, () => Promise.reject(thrown));
    const error = await assertRejects(() => learn.fit(1, { cbs: at }), Own);
    assertEquals([error.message, error.code], [`code 7 (in At.${event})`, 7]);
    assertEquals(learn.cbs.map((c) => c.name), before);
    assertEquals([learn.training, learn.phase, learn.running, at.attached], [false, "idle", false, false]);
    assertThrows(() => learn.pred, ConfigError, "Cannot read learn.pred");
    await worksAgain(learn);
  }
}, here);

onDevices("shapes that do not fit are ShapeErrors from the model or the loss, and the learner works on", async () => {
  const learn = linearLearner();
  const wrong = new At("beforeBatch", () => {
    learn.xb = [ones([4, 5])];
  });
  await assertRejects(() => learn.fit(1, { cbs: wrong }), ShapeError);
  const kept = learn.lossFunc;
  learn.lossFunc = (p) => p; // one number for each item
  await assertRejects(() => learn.fit(1), ShapeError);
  learn.lossFunc = kept;
  await worksAgain(learn);
}, here);

onDevices("NaN from a schedule is a ConfigError that says where", async () => {
  const learn = linearLearner();
  await assertRejects(
    () => learn.fit(1, { cbs: new ParamScheduler({ lr: (pos) => pos > 0 ? NaN : 1e-3 }) }),
    ConfigError,
    "Cannot set lr to NaN",
  );
  await assertRejects(
    () => learn.fit(1, { cbs: new ParamScheduler({ lrr: () => 1 }) }),
    ConfigError,
    "Cannot schedule lrr",
  );
  await assertRejects(
    () => learn.fit(1, { cbs: new ParamScheduler({ lr: [() => 1, () => 2] }) }),
    ConfigError,
    "by 2 schedules",
  );
  await worksAgain(learn);
}, here);

Deno.test("a misspelt handler is refused with the nearest name", () => {
  class Typo extends Callback {
    afterEpock() {}
  }
  class Field extends Callback {
    before_batch = () => {};
  }
  const learn = linearLearner();
  assertThrows(() => learn.addCb(Typo), ConfigError, "afterEpock is no event, did you mean afterEpoch?");
  assertThrows(() => learn.addCb(new Field()), ConfigError, "did you mean beforeBatch?");
  assertEquals(learn.cbs.some((c) => c instanceof Typo), false);
  assertThrows(() => new Callback().learn, ConfigError, "belongs to none");
});

onDevices("a disposed tensor in a batch is a DisposedError, and the learner works on", async () => {
  const learn = linearLearner();
  const gone = ones([4, 4]);
  gone.dispose();
  const use = new At("beforeBatch", () => {
    learn.xb = [gone];
  });
  await assertRejects(() => learn.fit(1, { cbs: use }), DisposedError);
  await worksAgain(learn);
}, here);
