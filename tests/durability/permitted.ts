/**
 * A few steps on MNIST with checkpoints: `permitted.ts <dir>`, run with the permissions that the README lists.
 *
 * @module
 */
import { ShortEpoch } from "../../src/callbacks/mod.ts";
import { DataLoaders, loadMnist } from "../../mod.ts";
import { Checkpoint, Learner } from "../../src/fit/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { init } from "../../src/tensor/mod.ts";

const [dir] = Deno.args;
await init({ device: "cpu" });
const dls = DataLoaders.fromArrays(await loadMnist(), { bs: 64, seed: 42, normalize: true });
const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 16), new nn.ReLU(), new nn.Linear(16, 10));
const learn = new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss(), path: dir });
await learn.fitOneCycle(1, { cbs: [new ShortEpoch({ pct: 0.01 }), new Checkpoint({ dir })], resume: true });
await learn.save("weights");
Deno.exit(Number.isFinite(learn.recorder.trainLoss) ? 0 : 1);
