/**
 * A learner does one thing at a time: what is started beside a fit is refused, what a callback starts in it is not.
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import { Interpretation, type Learner } from "../../src/learner/mod.ts";
import { tensor } from "../../src/tensor/mod.ts";
import { Callback } from "../../src/train/mod.ts";
import { activationMap, type VisionLearner } from "../../src/vision/mod.ts";
import { onDevices } from "../support/devices.ts";
import { linearLearner } from "./learners.ts";

const ON_CPU = { kinds: ["cpu"] } as const;

async function numbersOf(learn: Learner): Promise<number[]> {
  return (await Promise.all(learn.model.parameters().map((p) => p.data()))).flatMap((v) => [...v]);
}

const CALLS: Record<string, (learn: Learner) => Promise<unknown>> = {
  getPreds: (learn) => learn.getPreds(),
  validate: (learn) => learn.validate(),
  lrFind: (learn) => learn.lrFind(),
  predict: (learn) => learn.predict(tensor([1, 2, 3, 4])),
  fit: (learn) => learn.fit(1),
  fitOneCycle: (learn) => learn.fitOneCycle(1, { lrMax: 1 }),
  fineTune: (learn) => learn.fineTune(1),
  save: (learn) => learn.save("/nonexistent/model"),
  load: (learn) => learn.load("/nonexistent/model"),
  export: (learn) => learn.export("/nonexistent/model"),
  exportHub: (learn) => learn.exportHub("/nonexistent/model"),
  activationMap: (learn) => activationMap(learn as unknown as VisionLearner, "image.png"),
};

for (const [name, call] of Object.entries(CALLS)) {
  onDevices(`${name} beside a fit that nobody waits for is refused, and the fit goes on as ever`, async () => {
    const alone = linearLearner();
    await alone.fit(3);
    const learn = linearLearner();
    const under = learn.fit(3);
    for (let turn = 0; turn < 3; turn++) { // at once, and while the fit is at it
      const error = await assertRejects(() => call(learn), ConfigError);
      assertMatch(error.message, /fit\(\).*under way.*"await learn\.fit\(/s);
    }
    await under;
    assertEquals(learn.recorder.rows.length, 3);
    assertEquals(await numbersOf(learn), await numbersOf(alone));
    assertEquals(learn.phase, "idle");
  }, ON_CPU);
}

onDevices("of two evaluations at once the second is refused; one after the other they agree", async () => {
  const learn = linearLearner();
  const [first, second] = await Promise.allSettled([learn.getPreds(), learn.validate()]);
  assertEquals(first.status, "fulfilled");
  assert(second.status === "rejected" && second.reason instanceof ConfigError);
  assertMatch(second.reason.message, /getPreds\(\).*"await learn\.getPreds\(/s);
  assertEquals((await learn.getPreds()).preds.shape, [4, 1]);
}, ON_CPU);

onDevices("what loads its code first has the learner from the moment it is called", async () => {
  const learn = linearLearner();
  const [first, second] = await Promise.allSettled([Interpretation.fromLearner(learn), learn.fit(1)]);
  assertEquals(first.status, "fulfilled");
  assert(second.status === "rejected" && second.reason instanceof ConfigError);
  assertMatch(second.reason.message, /getPreds\(\).*"await learn\.getPreds\(/s);
}, ON_CPU);

onDevices("callbacks evaluate in the middle of a fit, if they wait for it", async () => {
  const seen: number[] = [];
  class Look extends Callback {
    override async afterEpoch(): Promise<void> {
      await Promise.resolve();
      seen.push((await this.learn.runs.take("look", async () => (await (this.learn as Learner).validate())[0]))!);
      assertEquals((await (this.learn as Learner).getPreds()).preds.shape, [4, 1]);
    }
  }
  const learn = linearLearner();
  await learn.fit(2, { cbs: new Look() });
  assertEquals(seen.length, 2);
  assertEquals(seen, learn.recorder.rows.map((r) => r.valid_loss));
}, ON_CPU);

onDevices("a callback that does not wait for what it starts is told so", async () => {
  for (const wait of [false, true]) {
    class Forgets extends Callback {
      override async afterEpoch(): Promise<void> {
        const started = (this.learn as Learner).validate();
        started.catch(() => {});
        await (wait ? started : Promise.resolve());
      }
    }
    const learn = linearLearner();
    const fitting = learn.fit(1, { cbs: new Forgets() });
    if (wait) await fitting;
    else {
      const error = await assertRejects(() => fitting, ConfigError);
      assertMatch(error.message, /Forgets\.afterEpoch.*validate\(\).*await/s);
    }
  }
}, ON_CPU);

onDevices("a call that failed leaves the learner to the next one", async () => {
  const learn = linearLearner();
  await assertRejects(() => learn.load("/nonexistent/model"));
  await assertRejects(() => learn.fit(-1), ConfigError);
  await learn.fit(1);
  assertEquals(learn.recorder.rows.length, 1);
}, ON_CPU);
