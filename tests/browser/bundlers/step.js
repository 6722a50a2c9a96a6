/**
 * A few steps, a checkpoint and what comes back of it, on every host.
 *
 * @module
 */
import { Checkpoint, DataLoaders, init, Learner, setSeed, silentLogger } from "@anneal/anneal/core";
import * as nn from "@anneal/anneal/nn";

/** Trains 2 epochs of 4 batches with a checkpoint in `dir`, predicts, and gives the losses and a prediction. */
export async function train(dir, device = {}) {
  await init({ device: "cpu", threads: 1, ...device });
  setSeed(7);
  const numbers = Float32Array.from({ length: 64 }, (_, i) => (i * 37 % 64) / 64);
  const x = { data: numbers, shape: [64, 1] }, y = { data: numbers.map((v) => 3 * v - 1), shape: [64, 1] };
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 16, seed: 3 });
  const model = new nn.Sequential(new nn.Linear(1, 8), new nn.ReLU(), new nn.Linear(8, 1));
  const learn = new Learner(dls, model, { lossFunc: new nn.MSELoss(), logger: silentLogger });
  await learn.fit(2, { lr: 0.01, cbs: [new Checkpoint({ dir })] });
  const { pred } = await learn.predict([0.5]);
  return [...learn.recorder.rawLosses, await pred.item()];
}
