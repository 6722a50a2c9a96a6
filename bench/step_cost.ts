/**
 * What a training step costs in JavaScript: building the expression, its gradients and the update, finding the program, and
 * writing the numbers that change. The device does nothing, so nothing else is measured.
 *
 *     deno run -A --config deno.json bench/step_cost.ts
 */
import type { Device } from "../src/device/contract.ts";
import { useDevice } from "../src/graph/runtime.ts";
import { Adam, backward, nn, Parameter, setSeed, SGD, tensor } from "../mod.ts";

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
function time(step: () => void): number {
  for (let i = 0; i < 3000; i++) step();
  const blocks: number[] = [];
  for (let b = 0; b < 9; b++) {
    const start = performance.now();
    for (let i = 0; i < 500; i++) step();
    blocks.push((performance.now() - start) / 500 * 1000);
  }
  return median(blocks);
}

useDevice(idle);
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
