/**
 * The learners of the recordings: given data, given weights, no shuffling.
 *
 * @module
 */
import { DataLoaders } from "../../src/data/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { SGD } from "../../src/optim/mod.ts";
import { Parameter, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { silentLogger, type TrainLoopOptions } from "../../src/train/mod.ts";
import { fillF32 } from "../support/fill.ts";

type Options<M extends nn.Module<Tensor[], Tensor>> = TrainLoopOptions<M>;

const filled = (seed: number, shape: number[], scale = 1): { data: Float32Array; shape: number[] } => ({
  data: fillF32(seed, shape.reduce((a, b) => a * b, 1), scale),
  shape,
});

/** Sets parameter `i` to `value(i)`, row-major. */
function setParameters(model: nn.Module<Tensor[], Tensor>, value: (i: number, n: number) => Float32Array): void {
  model.parameters().forEach((p, i) => p.assign(tensor(value(i, p.size), { shape: p.shape })));
}

/** Linear 4-1 on 2 training batches and 1 validation batch of 4. */
export function linearLearner(options: Options<nn.Linear> = {}): Learner<nn.Linear> {
  const dls = DataLoaders.fromArrays(
    { x: filled(1, [8, 4]), y: filled(2, [8, 1]), xValid: filled(1, [4, 4]), yValid: filled(2, [4, 1]) },
    { bs: 4, shuffle: false },
  );
  const model = new nn.Linear(4, 1);
  setParameters(model, (i, n) => fillF32(20 + i, n, 0.5));
  return new Learner(dls, model, { lossFunc: new nn.MSELoss(), logger: silentLogger, ...options });
}

/** Linears 4-5-5-1, a group each: the learner of policies.json. */
export class Groups extends nn.Module {
  readonly layers = new nn.Sequential(new nn.Linear(4, 5), new nn.Linear(5, 5), new nn.Linear(5, 1));
  override forward(x: Tensor): Tensor {
    return this.layers.forward(x);
  }
}

/** The learner of policies.json without its optimizer. */
export function groupLearner(options: Options<Groups> = {}): Learner<Groups> {
  const dls = DataLoaders.fromArrays(
    { x: filled(1, [40, 4]), y: filled(2, [40, 1]), xValid: filled(3, [16, 4]), yValid: filled(4, [16, 1]) },
    { bs: 8, shuffle: false },
  );
  const model = new Groups();
  setParameters(model, (i, n) => fillF32(20 + i, n, 0.5));
  return new Learner(dls, model, {
    lossFunc: new nn.MSELoss(),
    lr: 2e-3,
    splitter: (m) => [0, 2, 4].map((i) => m.parameters().slice(i, i + 2)),
    logger: silentLogger,
    ...options,
  });
}

/** y = a x + b. */
export class RegModel extends nn.Module {
  readonly a: Parameter = new Parameter(tensor(fillF32(64, 1)[0]));
  readonly b: Parameter = new Parameter(tensor(fillF32(65, 1)[0]));
  override forward(x: Tensor): Tensor {
    return x.mul(this.a).add(this.b);
  }
}

/** y = 2x + 3 + noise, from given a and b: the `synth` runs of training.json. */
export function synthGolden(options: Options<RegModel> = {}): Learner<RegModel> {
  const set = (n: number, seed: number) => {
    const x = fillF32(seed, n, 2), noise = fillF32(seed + 1, n, 0.1);
    // as PyTorch computed it, each step in f32
    const y = x.map((v, i) => Math.fround(Math.fround(Math.fround(2 * v) + 3) + noise[i]));
    return { x: { data: x, shape: [n, 1] }, y: { data: y, shape: [n, 1] } };
  };
  const train = set(160, 60), valid = set(32, 62);
  const dls = DataLoaders.fromArrays(
    { x: train.x, y: train.y, xValid: valid.x, yValid: valid.y },
    { bs: 16, shuffle: false },
  );
  return new Learner(dls, new RegModel(), {
    lossFunc: new nn.MSELoss(),
    optFunc: SGD.with({ mom: 0.9 }),
    lr: 1e-3,
    logger: silentLogger,
    ...options,
  });
}

/** Linear(16, 32), BatchNorm1d, ReLU, Linear(32, 5). */
export class Classifier extends nn.Module {
  readonly layers = new nn.Sequential(
    new nn.Linear(16, 32),
    new nn.BatchNorm1d(32),
    new nn.ReLU(),
    new nn.Linear(32, 5),
  );
  override forward(x: Tensor): Tensor {
    return this.layers.forward(x);
  }
}

/** Five classes by a noisy linear map: the `classifier` runs of training.json. */
export function classifierGolden(options: Options<Classifier> = {}): Learner<Classifier> {
  const w = fillF32(95, 80);
  const set = (n: number, seed: number) => {
    const x = fillF32(seed, n * 16), noise = fillF32(seed + 1, n * 5, 0.3);
    const y = Int32Array.from({ length: n }, (_, row) => {
      const scores = Array.from({ length: 5 }, (_, c) => {
        let sum = 0;
        for (let k = 0; k < 16; k++) sum += x[row * 16 + k] * w[k * 5 + c];
        return sum + noise[row * 5 + c];
      });
      return scores.indexOf(Math.max(...scores));
    });
    return { x: { data: x, shape: [n, 16] }, y: { data: y, shape: [n] } };
  };
  const train = set(210, 90), valid = set(50, 92);
  const dls = DataLoaders.fromArrays(
    { x: train.x, y: train.y, xValid: valid.x, yValid: valid.y },
    { bs: 20, shuffle: false },
  );
  const model = new Classifier();
  setParameters(model, (i, n) => {
    if (i !== 2) return fillF32(80 + i, n, 0.4);
    return fillF32(82, n, 0.1).map((v) => Math.fround(1 + v));
  });
  return new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss(), logger: silentLogger, ...options });
}
