/**
 * A short training whose losses are compared between runtimes and implementations of WebGPU, bit by bit.
 *
 * @module
 */
import type { Device } from "../../src/device/contract.ts";
import { session } from "../../src/graph/session.ts";
import { DataLoaders } from "../../src/data/mod.ts";
import { valley } from "../../src/fit/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { Adam } from "../../src/optim/mod.ts";
import { randn, Rng, setSeed } from "../../src/tensor/mod.ts";
import { silentLogger } from "../../src/train/mod.ts";

/** The bits of the learning rate that a finder suggests, and of the loss of each step of a fit on `device`: convolutions, norms, sums, products. */
export async function lossBits(device: Device): Promise<string[]> {
  session.useDevice(device);
  setSeed(1);
  const x = randn([96, 3, 8, 8], { rng: new Rng(2) });
  const y = x.mean({ axis: [1, 2, 3] }).gt(0).cast("i32");
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 32, seed: 3 });
  const model = new nn.Sequential(
    new nn.Conv2d(3, 8, 3, { padding: 1 }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(128, 64),
    new nn.GELU(),
    new nn.Dropout(0.1),
    new nn.Linear(64, 2),
  );
  const learn = new Learner(dls, model, {
    lossFunc: new nn.CrossEntropyLoss(),
    optFunc: Adam,
    logger: silentLogger,
  });
  const { valley: found } = await learn.lrFind({ numIt: 20, suggestFuncs: [valley] });
  await learn.fitOneCycle(4, { lrMax: 1e-2 });
  const all = new Uint32Array(new Float32Array([found ?? NaN, ...learn.recorder.rawLosses]).buffer);
  return [...all].map((bits) => bits.toString(16).padStart(8, "0"));
}
