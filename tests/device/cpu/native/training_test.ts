import { assert, assertEquals } from "@std/assert";
import type { Device } from "../../../../src/device/contract.ts";
import { openCpu } from "../../../../src/device/cpu/mod.ts";
import { Checkpoint } from "../../../../src/fit/mod.ts";
import type { Learner } from "../../../../src/learner/mod.ts";
import { session } from "../../../../src/graph/session.ts";
import * as nn from "../../../../src/nn/mod.ts";
import { Adam, type Optimizer, SGD } from "../../../../src/optim/mod.ts";
import { backward, readAll, setSeed, type Tensor, tensor } from "../../../../src/tensor/mod.ts";
import { resnet18 } from "../../../../src/vision/models/mod.ts";
import { bitsOf, Crash, type Net, netLearner, stateful } from "../../../durability/support.ts";
import { fillF32, fillInts } from "../../../support/fill.ts";
import { onLevels } from "./support.ts";

/** A training run: steps on the same batch, whose losses and weights are looked at. */
interface Training {
  readonly model: Pick<nn.Module, "stateDict">;
  readonly opt: Optimizer;
  readonly loss: () => Tensor;
}

const labels = (n: number, classes = 10) => tensor(fillInts(7, n, classes), { dtype: "i32" });
const crossEntropy = new nn.CrossEntropyLoss();

const RUNS: Record<string, () => Training> = {
  mlp() {
    const model = new nn.Sequential(
      new nn.Linear(784, 200),
      new nn.ReLU(),
      new nn.Linear(200, 51),
      new nn.Linear(51, 10),
    );
    const x = tensor(fillF32(1, 50 * 784), { shape: [50, 784] }), y = labels(50);
    return {
      model,
      opt: Adam(model.parameters(), { lr: 1e-3 }),
      loss: () => crossEntropy.forward(model.forward(x), y),
    };
  },
  cnn() {
    const conv = (from: number, to: number) => new nn.Conv2d(from, to, 3, { stride: 2, padding: 1 });
    const [first, second] = [conv(1, 16), conv(16, 32)], last = new nn.Linear(32 * 49, 10);
    const model = new nn.Sequential(
      first,
      new nn.ReLU(),
      second,
      new nn.BatchNorm2d(32),
      new nn.ReLU(),
      new nn.Flatten(),
      last,
    );
    const x = tensor(fillF32(2, 40 * 784), { shape: [40, 1, 28, 28] }), y = labels(40);
    return {
      model,
      opt: Adam(model.parameters(), { lr: 1e-3 }),
      loss: () => crossEntropy.forward(model.forward(x), y),
    };
  },
  resnet18() {
    const model = resnet18({ nOut: 10 });
    const x = tensor(fillF32(3, 4 * 3 * 32 * 32), { shape: [4, 3, 32, 32] }), y = labels(4);
    const opt = SGD(model.parameters(), { lr: 0.01, mom: 0.9 });
    return { model, opt, loss: () => crossEntropy.forward(model.forward(x), y) };
  },
  table() {
    const words = Array.from({ length: 30 }, (_, i) => `w${i}`);
    const model = new nn.TabularModel({ numeric: [1, 2, 3], categorical: [{ words }, { words }] }, 4, { dropout: 0.1 });
    const coded = tensor(fillInts(4, 128, 30), { shape: [64, 2], dtype: "i32" });
    const numbers = tensor(fillF32(5, 192), { shape: [64, 3] }), y = labels(64, 4);
    const loss = () => crossEntropy.forward(model.forward(coded, numbers), y);
    return { model, opt: Adam(model.parameters(), { lr: 1e-2 }), loss };
  },
};

/** Losses and all weights after some steps on `device`. */
async function train(device: Device, make: () => Training): Promise<Uint8Array[]> {
  session.useDevice(device);
  setSeed(5);
  const { model, opt, loss } = make();
  const losses: number[] = [];
  for (let i = 0; i < 4; i++) {
    const value = loss();
    backward(value);
    opt.step();
    opt.zeroGrad();
    losses.push(await value.item());
  }
  assert(losses.every(Number.isFinite) && losses[3] !== losses[0], losses.join());
  const weights = await readAll([...model.stateDict()].map(([, t]) => t));
  return [Float64Array.from(losses), ...weights].map((list) => new Uint8Array(list.slice().buffer));
}

for (const [name, make] of Object.entries(RUNS)) {
  onLevels(`${name} trains to the bits that it has on WebAssembly`, async (level) => {
    const wasm = openCpu({ native: false, threads: 1 }), native = openCpu({ native: level, threads: 2 });
    assertEquals(await train(native, make), await train(wasm, make));
    wasm.close();
    native.close();
  });
}

/** A run of three epochs that ends after `crash` batches, if it ends, and lines that it told. */
async function fit(device: Device, dir: string, crash?: number): Promise<{ learn: Learner<Net>; lines: string[] }> {
  session.useDevice(device);
  const lines: string[] = [];
  const learn = netLearner({ logger: { line: (text) => lines.push(text) } });
  const cbs = [...stateful(), new Checkpoint({ dir, everySteps: 1 }), ...crash === undefined ? [] : [new Crash(crash)]];
  await learn.fitOneCycle(3, { cbs, resume: true }).catch((error) => {
    if (crash === undefined) throw error;
  });
  return { learn, lines };
}

onLevels("a checkpoint goes on elsewhere with the same bits, and nobody says that numbers differ", async (level) => {
  const devices = [
    openCpu({ native: false, threads: 2 }),
    openCpu({ native: level, threads: 2 }),
    openCpu({ native: level, threads: 1 }),
  ];
  const dirs = await Promise.all(devices.map(() => Deno.makeTempDir()));
  try {
    const whole = await fit(devices[0], dirs[0]), want = await bitsOf(whole.learn);
    for (const [from, to, dir] of [[0, 1, dirs[1]], [1, 2, dirs[2]]] as const) {
      await fit(devices[from], dir, 7);
      const { learn, lines } = await fit(devices[to], dir);
      assert(lines.some((line) => line.startsWith("Going on from")), lines.join("\n"));
      assert(!lines.some((line) => line.includes("differ in their last bits")), lines.join("\n"));
      assertEquals(await bitsOf(learn), want);
    }
  } finally {
    for (const dir of dirs) await Deno.remove(dir, { recursive: true });
    for (const device of devices) device.close();
  }
});
