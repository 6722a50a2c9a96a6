/**
 * Times every kernel of a training step on WebGPU: an MLP 784-512-256-10 with Adam.
 *
 *     deno run -A tools/profile_webgpu.ts [--family register|shared] [--bs 64]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { DataLoaders } from "../src/data/mod.ts";
import type { Device, DeviceBuffer, Executable } from "../src/device/contract.ts";
import { WebgpuDevice } from "../src/device/webgpu/device.ts";
import type { DispatchTime } from "../src/device/webgpu/profile.ts";
import { openWebgpu } from "../src/device/webgpu/mod.ts";
import { Learner } from "../src/fit/mod.ts";
import { useDevice } from "../src/graph/runtime.ts";
import * as nn from "../src/nn/mod.ts";
import { Adam } from "../src/optim/mod.ts";
import { setSeed } from "../src/tensor/mod.ts";
import { silentLogger } from "../src/train/mod.ts";

const FAMILIES = ["auto", "register", "shared"] as const;
const { values } = parseArgs({ options: { family: { type: "string" }, bs: { type: "string", default: "64" } } });
const bs = Number(values.bs);
const device = await openWebgpu({ family: FAMILIES.find((name) => name === values.family) ?? "auto" });
if (!(device instanceof WebgpuDevice)) throw new Error("openWebgpu gave another device");

/** The last run of each program. */
const runs = new Map<Executable, { bound: readonly DeviceBuffer[]; params: Uint8Array; count: number }>();
const run: Device["run"] = device.run.bind(device);
device.run = (executable, bound, params) => {
  runs.set(executable, { bound: [...bound], params: params.slice(), count: (runs.get(executable)?.count ?? 0) + 1 });
  run(executable, bound, params);
};

useDevice(device);
setSeed(1);
const n = bs * 50;
const noise = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898) % 1);
const dls = DataLoaders.fromArrays({
  x: { data: noise(n * 784), shape: [n, 784] },
  y: { data: Int32Array.from({ length: n }, (_, i) => i % 10), shape: [n] },
  xValid: { data: noise(bs * 784), shape: [bs, 784] },
  yValid: { data: new Int32Array(bs), shape: [bs] },
}, { bs });
const model = new nn.Sequential(
  new nn.Linear(784, 512),
  new nn.ReLU(),
  new nn.Linear(512, 256),
  new nn.ReLU(),
  new nn.Linear(256, 10),
);
const learn = new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss(), optFunc: Adam, logger: silentLogger });
await learn.fit(1);
const before = device.stats();
const start = performance.now();
await learn.fit(1);
await device.sync();
const after = device.stats();
const epochMs = performance.now() - start;
console.log(
  `${device.name}: ${(epochMs / 50).toFixed(2)} ms a step of ${bs}, validation included; per step ` +
    `${((after.submits - before.submits) / 50).toFixed(1)} submits, ${
      ((after.dispatches - before.dispatches) / 50).toFixed(1)
    } dispatches`,
);
console.log(
  "made in that epoch:",
  after.pipelines - before.pipelines,
  "pipelines,",
  after.bindings - before.bindings,
  "bindings,",
  after.buffers - before.buffers,
  "buffers",
);

const [executable, { bound, params }] = [...runs].reduce((most, entry) =>
  entry[1].count * entry[0].program.kernels.length > most[1].count * most[0].program.kernels.length ? entry : most
);
const tries: DispatchTime[][] = [];
for (let i = 0; i < 9; i++) tries.push(await device.timeDispatches(executable, bound, params));
const rows = tries[0].map(({ label }, i) => ({
  label,
  timeMs: tries.map((t) => t[i].timeMs).sort((a, b) => a - b)[4],
}));
for (const { label, timeMs } of rows) console.log(`${timeMs.toFixed(3).padStart(8)} ms  ${label}`);
console.log(`${rows.reduce((sum, { timeMs }) => sum + timeMs, 0).toFixed(3).padStart(8)} ms  all`);
device.close();
