/**
 * Small learners with known answers, and helpers for tests of code that trains.
 *
 * @example
 * ```ts
 * import { synthLearner } from "@anneal/anneal/testing";
 * import { assert } from "@std/assert";
 *
 * const learn = synthLearner({ seed: 1, lr: 0.05 });
 * await learn.noLogging(() => learn.fit(2));
 * const [first, second] = learn.recorder.rows;
 * assert(second.valid_loss! < first.valid_loss!);
 * ```
 *
 * @module
 */
import { DataLoaders } from "./src/data/mod.ts";
import { Learner } from "./src/learner/mod.ts";
import { Module, MSELoss } from "./src/nn/mod.ts";
import { SGD } from "./src/optim/mod.ts";
import { defaultRng, Parameter, Rng, type Tensor, tensor } from "./src/tensor/mod.ts";
import type { TrainLoopOptions } from "./src/train/mod.ts";

export { VerboseCallback } from "./src/callbacks/mod.ts";
export { setSeed } from "./src/tensor/mod.ts";

/** Options of {@link synthDbunch}. */
export interface SynthDbunchOptions {
  /** Slope; 2 by default. */
  readonly a?: number;
  /** Value at 0; 3 by default. */
  readonly b?: number;
  /** Batch size; 16 by default. */
  readonly bs?: number;
  /** Training batches; 10 by default. */
  readonly nTrain?: number;
  /** Validation batches; 2 by default. */
  readonly nValid?: number;
  /** Seed of the data and the shuffling; by default it is drawn from the default generator, see `setSeed`. */
  readonly seed?: number;
}

/** Points on a line, `y = a x + b + 0.1 noise`, `x` and noise of the standard normal distribution; training shuffled. */
export function synthDbunch(options: SynthDbunchOptions = {}): DataLoaders {
  const { a = 2, b = 3, bs = 16, nTrain = 10, nValid = 2, seed = drawSeed() } = options;
  const rng = new Rng(seed);
  const points = (n: number) => {
    const x = Float32Array.from({ length: n }, () => rng.normal());
    const y = x.map((v) => a * v + b + 0.1 * rng.normal());
    return { x: { data: x, shape: [n, 1] }, y: { data: y, shape: [n, 1] } };
  };
  const train = points(bs * nTrain), valid = points(bs * nValid);
  return DataLoaders.fromArrays({ x: train.x, y: train.y, xValid: valid.x, yValid: valid.y }, { bs, seed });
}

/** `y = a x + b`. */
export class RegModel extends Module {
  /** Slope. */
  readonly a: Parameter;
  /** Value at 0. */
  readonly b: Parameter;

  /**
   * Makes a RegModel.
   *
   * @param rng Where the first `a` and `b` come from, of the standard normal distribution.
   */
  constructor(rng: Rng = defaultRng()) {
    super();
    this.a = new Parameter(tensor(rng.normal()));
    this.b = new Parameter(tensor(rng.normal()));
  }

  /** `a x + b`. */
  override forward(x: Tensor): Tensor {
    return x.mul(this.a).add(this.b);
  }
}

/** Options of {@link synthLearner}: those of {@link synthDbunch} and of a learner. */
export type SynthLearnerOptions = SynthDbunchOptions & TrainLoopOptions<RegModel> & {
  /** Other data. */
  readonly dls?: DataLoaders;
  /** Another model. */
  readonly model?: RegModel;
};

/** A learner that fits a line: SGD with momentum 0.9, learning rate 1e-3, mean squared error. */
export function synthLearner(options: SynthLearnerOptions = {}): Learner<RegModel> {
  const { a, b, bs, nTrain, nValid, seed = drawSeed(), dls, model, ...rest } = options;
  const data = dls ?? synthDbunch({ a, b, bs, nTrain, nValid, seed });
  return new Learner(data, model ?? new RegModel(new Rng(seed + 1)), {
    lossFunc: new MSELoss(),
    optFunc: SGD.with({ mom: 0.9 }),
    lr: 1e-3,
    ...rest,
  });
}

function drawSeed(): number {
  return defaultRng().integer(2 ** 31);
}

/**
 * Throws unless two numbers, or two lists of numbers, are equal within `eps` (1e-5) everywhere.
 *
 * @param what Names the numbers in the error.
 */
export function testClose(
  got: number | ArrayLike<number>,
  want: number | ArrayLike<number>,
  { eps = 1e-5, what = "value" }: { readonly eps?: number; readonly what?: string } = {},
): void {
  const a = typeof got === "number" ? [got] : got, b = typeof want === "number" ? [want] : want;
  if (a.length !== b.length) throw new Error(`${what}: ${b.length} numbers are wanted, got ${a.length}`);
  for (let i = 0; i < b.length; i++) {
    if (!(Math.abs(a[i] - b[i]) <= eps)) throw new Error(`${what} ${i}: ${b[i]} is wanted within ${eps}, got ${a[i]}`);
  }
}

/**
 * `n` deterministic numbers in [-scale, scale), the same in every language that the recordings were made with.
 *
 * @param seed A whole number.
 */
export function fill(seed: number, n: number, scale: number = 1): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => {
    let x = (Math.imul(seed, 0x9e3779b1) + Math.imul(i, 0x85ebca77) + 1) >>> 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x7feb352d);
    x ^= x >>> 15;
    x = Math.imul(x, 0x846ca68b);
    x ^= x >>> 16;
    return ((x >>> 0) / 2 ** 32 * 2 - 1) * scale;
  });
}
