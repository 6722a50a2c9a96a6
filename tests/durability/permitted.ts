/**
 * What the README's rows of permissions are for: `permitted.ts <row> <dir>`, run with the row's permissions. Each ends with
 * "done" on standard output.
 *
 * @module
 */
import { ShortEpoch } from "../../src/callbacks/mod.ts";
import { main } from "../../src/cli/main.ts";
import { DataLoaders, fetchCached, loadMnist } from "../../mod.ts";
import { DistributedTrainer } from "../../src/distrib/mod.ts";
import { LivePage } from "../../src/live/mod.ts";
import { plotLines } from "../../src/plot/mod.ts";
import { Checkpoint } from "../../src/fit/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { deviceStats, init } from "../../src/tensor/mod.ts";
import { imageSize } from "../../src/vision/data/decode.ts";
import { synthLearner } from "../../testing.ts";

const [row, dir, address] = Deno.args;

const ROWS: Readonly<Record<string, () => Promise<void>>> = {
  "computing on either device": async () => {
    await init({ device: "cpu" });
    await synthLearner({ seed: 1 }).fit(1);
    if (await navigator.gpu?.requestAdapter() == null) return;
    await init({ device: "webgpu" });
    await synthLearner({ seed: 1 }).fit(1);
  },
  "machine code on the CPU, twice as fast": async () => {
    await init({ device: "cpu" });
    const learn = synthLearner({ seed: 1 });
    await learn.fit(1);
    console.log(deviceStats().name);
  },
  "MNIST from its package, fonts for PNG": async () => {
    await init({ device: "cpu" });
    const dls = DataLoaders.fromArrays(await loadMnist(), { bs: 64, seed: 42, normalize: true });
    const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 10));
    await new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss() }).fit(1, {
      cbs: new ShortEpoch({ pct: 0.01 }),
    });
  },
  "saving weights, checkpoints, plots": async () => {
    await init({ device: "cpu" });
    const learn = synthLearner({ seed: 1, path: dir });
    await learn.fitOneCycle(2, { cbs: new Checkpoint({ dir: `${dir}/checkpoints` }), resume: true });
    await learn.save("weights");
    await learn.load("weights");
    await learn.recorder.plotLoss({ skipStart: 0 }).save(`${dir}/losses.svg`);
  },
  "PNG and photographs (native code)": async () => {
    await plotLines({ a: [1, 2, 3] }).save(`${dir}/a.png`);
    const { height, width } = await imageSize(`${dir}/a.png`);
    if (height < 100 || width < 100) throw new Error(`the picture has ${width} x ${height} pixels`);
  },
  "downloads of data sets and weights": async () => {
    await fetchCached(address, { dest: `${dir}/fetched` });
  },
  "several processes, over MPI": async () => {
    await init({ device: "cpu" });
    await synthLearner({ seed: 1 }).fit(2, { cbs: new DistributedTrainer() });
  },
  "the command line": async () => {
    await Deno.writeTextFile(
      `${dir}/a.csv`,
      "x,y\n" + Array.from({ length: 40 }, (_, i) => `${i / 7},${i}.5\n`).join(""),
    );
    const recipe = "{ data: { kind: csv, file: a.csv, target: y }, model: { kind: tabular, layers: [4] }, " +
      "policy: { kind: fit, epochs: 1 }, device: cpu }";
    await Deno.writeTextFile(`${dir}/a.yaml`, recipe);
    const code = await main(["train", `${dir}/a.yaml`, "--out", `${dir}/run`]);
    if (code !== 0) throw new Error(`exit code ${code}`);
    for (const name of ["model.safetensors", "losses.png"]) await Deno.stat(`${dir}/run/${name}`);
  },
  "the live page": async () => {
    await init({ device: "cpu" });
    const page = new LivePage();
    const learn = synthLearner({ seed: 1, cbs: page });
    await learn.fit(1);
    await page.start();
    if (!page.url!.includes("127.0.0.1:8421")) throw new Error(page.url!);
    await page.close();
  },
};

await ROWS[row]();
console.log("done");
Deno.exit(0);
