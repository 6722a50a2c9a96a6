/**
 * The step that the README's example takes: how many kernels it is, what it costs the device, and that it is the same in
 * every process.
 */
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { DataLoaders } from "../../src/data/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { Adam } from "../../src/optim/mod.ts";
import { backward, setSeed } from "../../src/tensor/mod.ts";
import { Callback, silentLogger } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fill } from "../support/fill.ts";

/** MNIST in shape: u8 pictures and labels. */
function pictures(n: number) {
  return {
    x: { data: Uint8Array.from(fill(1, n * 784), (v) => (v + 1) * 127), shape: [n, 28, 28] },
    y: { data: Uint8Array.from({ length: n }, (_, i) => (i * 7) % 10), shape: [n] },
  };
}

function mlp(): nn.Sequential {
  return new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(784, 512),
    new nn.ReLU(),
    new nn.Linear(512, 256),
    new nn.ReLU(),
    new nn.Linear(256, 10),
  );
}

onDevices("a step is at most one submit and 16 kernels, makes nothing and reads nothing", async (device) => {
  setSeed(1);
  const { train } = DataLoaders.fromArrays(pictures(640), { bs: 64, seed: 1, normalize: true });
  const model = mlp(), loss = new nn.CrossEntropyLoss(), opt = Adam(model.parameters(), { lr: 1e-3 });
  const epoch = () => {
    for (const [xb, yb] of train) {
      backward(loss.forward(model.forward(xb), yb));
      opt.step();
      opt.zeroGrad();
    }
  };
  epoch();
  await device.sync();
  const before = device.stats();
  epoch();
  const after = device.stats();
  assertEquals(after.runs - before.runs, 10);
  const submits = after.submits - before.submits;
  // WebGPU may hand several steps over at once
  assert(device.kind === "webgpu" ? submits <= 10 : submits === 10, `${submits} submits`);
  const kernels = (after.dispatches - before.dispatches) / 10;
  assert(kernels <= 16, `${kernels} kernels a step`);
  for (const made of ["programs", "pipelines", "buffers", "bindings", "reads", "liveBytes"] as const) {
    assertEquals(after[made], before[made], made);
  }
  await device.sync();
}, { kinds: ["cpu", "webgpu"] });

onDevices("so it is in a learner, the recorder's history included", async (device) => {
  setSeed(1);
  const sets = pictures(640);
  const dls = DataLoaders.fromArrays({ ...sets, xValid: sets.x, yValid: sets.y }, { bs: 64, seed: 1, normalize: true });
  const learn = new Learner(dls, mlp(), { lossFunc: new nn.CrossEntropyLoss(), logger: silentLogger });
  await learn.fitOneCycle(1, { lrMax: 1e-3 });
  const seen: number[] = [];
  const made: string[] = [];
  let last = device.stats();
  await learn.fitOneCycle(1, {
    lrMax: 1e-3,
    cbs: [
      new class extends Callback {
        override readonly order: number = 1000;
        override runValid: boolean = false;
        override beforeBatch(): void {
          const now = device.stats();
          if (this.learn.iter > 0) {
            seen.push(now.dispatches - last.dispatches);
            for (const k of ["programs", "pipelines", "buffers", "bindings", "reads"] as const) {
              if (now[k] !== last[k]) made.push(`${k} at batch ${this.learn.iter}`);
            }
          }
          last = now;
        }
      }(),
    ],
  });
  assertEquals(seen.length, 9);
  assert(Math.max(...seen) <= 16, `${seen} kernels a step`);
  assertEquals(made, []);
}, { kinds: ["cpu", "webgpu"] });

Deno.test("the same seed gives the same bits in two processes", async () => {
  const script = `
    import { DataLoaders, init, Learner, nn, setSeed } from "${new URL("../../mod.ts", import.meta.url)}";
    await init({ device: "cpu", threads: 1 });
    setSeed(7);
    const x = Float32Array.from({ length: 640 }, (_, i) => Math.sin(i)), y = Int32Array.from({ length: 64 }, (_, i) => i % 3);
    const dls = DataLoaders.fromArrays({ x: { data: x, shape: [64, 10] }, y: { data: y, shape: [64] } }, { bs: 16 });
    const model = new nn.Sequential(new nn.Linear(10, 20), new nn.ReLU(), new nn.Dropout(0.3), new nn.Linear(20, 3));
    const learn = new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss() });
    await learn.noLogging(() => learn.fitOneCycle(3, { lrMax: 0.01 }));
    const all = [];
    for (const t of model.stateDict().values()) all.push(...new Uint32Array(Float32Array.from(await t.data()).buffer));
    console.log(all.join());`;
  const run = async () => {
    const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", "--config", fromFileUrl(new URL("../../deno.json", import.meta.url)), script],
      stdout: "piped",
      stderr: "piped",
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  };
  const [first, second] = [await run(), await run()];
  assert(first.length > 100);
  assertEquals(first, second);
});
