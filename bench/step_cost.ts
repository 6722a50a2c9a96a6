/**
 * What a training step costs in JavaScript: building the expression, its gradients and the update, finding the program, and
 * writing the numbers that change; and what it costs in a learner, which does not build what it knows from steps before.
 * The device does nothing, so nothing else is measured.
 *
 *     deno run -A --config deno.json bench/step_cost.ts
 */
import type { Device } from "../src/device/contract.ts";
import { session } from "../src/graph/session.ts";
import { Adam, backward, DataLoaders, Learner, nn, type OptFunc, Parameter, setSeed, SGD, tensor } from "../mod.ts";
import { silentLogger, type Tensor } from "../mod.ts";
import { Line } from "./anneal.ts";
import { CharGpt } from "./sequence_models.ts";
import { CHARS, SIZES } from "./sequences.ts";

let buffers = 1;

/** A device that computes nothing. */
const idle: Device = {
  kind: "reference",
  name: "idle",
  profile: { maxSlotsPerKernel: 8, maxBufferBytes: 2 ** 30 },
  alloc: (bytes) => ({ id: buffers++, bytes }),
  free: () => {},
  write: () => {},
  copy: () => {},
  read: (ranges) => Promise.resolve(ranges.map((r) => new Uint8Array(r.bytes))),
  compile: (program) => ({ program, dispose: () => {} }),
  run: () => {},
  flush: () => {},
  sync: () => Promise.resolve(),
  stats: () => {
    throw new Error("The idle device counts nothing");
  },
  close: () => {},
};

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1];
}

/** Microseconds of a step: the median of blocks, after a warm-up. */
function time(step: () => void, warm = 3000): number {
  for (let i = 0; i < warm; i++) step();
  const blocks: number[] = [];
  for (let b = 0; b < 9; b++) {
    const start = performance.now();
    for (let i = 0; i < 500; i++) step();
    blocks.push((performance.now() - start) / 500 * 1000);
  }
  return median(blocks);
}

session.useDevice(idle);
setSeed(1);
const loss = new nn.MSELoss();

const a = new Parameter(tensor(0.5)), b = new Parameter(tensor(-0.3));
const x = tensor(new Float32Array(16)), y = tensor(new Float32Array(16));
const tinyOpt = SGD([a, b], { lr: 0.01, mom: 0.9 });
const tiny = time(() => {
  backward(loss.forward(x.mul(a).add(b), y));
  tinyOpt.step();
  tinyOpt.zeroGrad();
});
console.log(
  `tiny (y = a x + b, batch 16, SGD mom 0.9): ${tiny.toFixed(1)} us a step (designed for 25)`,
);

const model = new nn.Sequential(
  new nn.Linear(784, 512),
  new nn.ReLU(),
  new nn.Linear(512, 256),
  new nn.ReLU(),
  new nn.Linear(256, 10),
);
const xb = tensor(new Float32Array(64 * 784), { shape: [64, 784] }),
  yb = tensor(new Int32Array(64));
const crossEntropy = new nn.CrossEntropyLoss();
const opt = Adam(model.parameters(), { lr: 1e-3 });
const mlp = time(() => {
  backward(crossEntropy.forward(model.forward(xb), yb));
  opt.step();
  opt.zeroGrad();
});
console.log(
  `mlp64 (784-512-256-10, cross-entropy, Adam, batch 64): ${mlp.toFixed(1)} us a step (designed for 120)`,
);

/** A transformer of characters. */
const gpt = new CharGpt();
{
  const { rows, n } = SIZES.chargpt, crossEntropy = new nn.CrossEntropyLoss();
  const ids = tensor(new Int32Array(rows * n), { shape: [rows, n] }), next = tensor(new Int32Array(rows * n));
  const opt = Adam(gpt.parameters(), { lr: 1e-3 });
  const us = time(() => {
    backward(crossEntropy.forward(gpt.forward(ids).reshape([rows * n, CHARS]), next));
    opt.step();
    opt.zeroGrad();
  }, 300);
  console.log(`chargpt (4 blocks of 128, Adam): ${us.toFixed(1)} us a step (designed for 1000)`);
}

/** Microseconds of a step of `Learner.fit`, and where each step is built: medians of epochs in turn, the recorder included. */
async function learnerCost(
  model: nn.Module<[Tensor], Tensor>,
  lossFunc: nn.MSELoss | nn.CrossEntropyLoss,
  optFunc: OptFunc,
  arrays: Parameters<typeof DataLoaders.fromArrays>[0],
  bs: number,
): Promise<string> {
  const dls = DataLoaders.fromArrays(arrays, { bs, seed: 1 });
  const learn = new Learner(dls, model, { lossFunc, optFunc, logger: silentLogger });
  const us: Record<"again" | "built", number[]> = { again: [], built: [] };
  for (let i = 0; i < 40; i++) {
    const which = i % 2 === 0 ? "again" : "built";
    learn.steps.enabled = which === "again";
    const start = performance.now();
    await learn.fit(1);
    if (i >= 10) us[which].push((performance.now() - start) / dls.train.length * 1000);
  }
  return `${median(us.again).toFixed(1)} us a step in a learner, ${median(us.built).toFixed(1)} where each is built`;
}

const points = { data: new Float32Array(16 * 1000), shape: [16 * 1000] };
console.log(
  `tiny: ${await learnerCost(new Line(0.5, -0.3), loss, SGD.with({ mom: 0.9 }), { x: points, y: points }, 16)}`,
);
const pictures = { data: new Float32Array(64 * 500 * 784), shape: [64 * 500, 784] };
const labels = { data: new Int32Array(64 * 500), shape: [64 * 500] };
console.log(`mlp64: ${await learnerCost(model, crossEntropy, Adam, { x: pictures, y: labels }, 64)}`);
