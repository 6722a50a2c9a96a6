import { assertEquals, assertNotEquals } from "@std/assert";
import { MCDropout } from "../../src/callbacks/mod.ts";
import { DataLoaders } from "../../src/data/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { setSeed } from "../../src/tensor/mod.ts";
import { Callback, CancelValid, silentLogger } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";

function learner(): Learner {
  setSeed(1);
  const rows = { data: fillF32(1, 40), shape: [10, 4] };
  const model = new nn.Sequential(
    new nn.Linear(4, 16),
    new nn.BatchNorm1d(16),
    new nn.Dropout(0.5),
    new nn.Linear(16, 4),
  );
  model.eval();
  return new Learner(DataLoaders.fromArrays({ x: rows, y: rows, xValid: rows, yValid: rows }, { bs: 4 }), model, {
    lossFunc: new nn.MSELoss(),
    logger: silentLogger,
  });
}

onDevices("MCDropout: passes of predictions differ, and nothing else does", async () => {
  const learn = learner(), [, norm, drop] = learn.model.modules().filter((m) => m !== learn.model);
  const preds = async (cbs: Callback[]) => [...await (await learn.getPreds({ cbs })).preds.data()];
  const plain = await preds([]), mean = [...await (norm as nn.BatchNorm1d).runningMean.data()];
  const cb = new MCDropout({ seed: 3 });
  const [one, two] = [await preds([cb]), await preds([cb])];
  assertNotEquals(one, two);
  assertNotEquals(one, plain);
  assertEquals(await preds([new MCDropout({ seed: 3 })]), one);
  assertNotEquals(await preds([new MCDropout()]), one);
  // batch norms stay in evaluation, and dropout is off again
  assertEquals([...await (norm as nn.BatchNorm1d).runningMean.data()], mean);
  assertEquals(drop.training, false);
  assertEquals(await preds([]), plain);
}, { kinds: ["cpu"] });

onDevices("MCDropout: a validation that is cut short leaves dropout off; a fit with it is the same", async () => {
  const learn = learner();
  const cut = new class extends Callback {
    override afterPred(): void {
      if (!this.learn.training) throw new CancelValid();
    }
  }();
  await learn.addedCbs([new MCDropout(), cut], () => learn.validate());
  const drop = learn.model.modules().find((m) => m instanceof nn.Dropout)!;
  assertEquals(drop.training, false);
  // what a fit draws is what it would have drawn
  const losses: number[][] = [];
  for (const cbs of [[], [new MCDropout()]]) {
    const own = learner();
    await own.fit(3, { cbs });
    losses.push([...own.recorder.rawLosses]);
  }
  assertEquals(losses[1], losses[0]);
}, { kinds: ["cpu"] });
