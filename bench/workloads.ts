/**
 * What is measured: shapes, data, start values. Everyone computes the same, from the same numbers.
 *
 * - `tiny`: `y = a x + b` on 16 points, mean squared error, SGD with momentum 0.9; a loop by hand.
 * - `tiny-learner`: the same through a `fit` that has batches, records and schedules; who has none runs `tiny`.
 * - `mlp64-learner`: `mlp64` through a `fit` with recorder, progress and schedules; who has none runs `mlp64`.
 * - `first-mlp64`: one over the seconds from the start of the process to the loss of the first step of `mlp64`.
 * - `mlp64`, `mlp256`: 784-512-256-10 with ReLU, cross-entropy, Adam, on the same batch of 64 or 256 every step.
 * - `cnn`: 3x3 convolutions of stride 2, 1-16-32-64 channels with ReLU, mean over places, linear; cross-entropy, Adam, on the
 *   same 64 images of 28x28 every step.
 * - `resnet18`: on the same 16 images of 3x64x64, 10 classes; cross-entropy, SGD with momentum 0.9. `resnet18-224`: on 64 of
 *   3x224x224.
 * - `chargpt`, `lstm`, `minilm`: nets of sequences, see `sequences.ts`.
 * - `mm512`, `mm1024`, `mm2048`, `mm4096`: products of two square matrices.
 *
 * @module
 */

/** The workloads, in the order of the table. */
export const WORKLOADS = [
  "tiny",
  "tiny-learner",
  "mlp64",
  "mlp64-learner",
  "first-mlp64",
  "mlp256",
  "cnn",
  "resnet18",
  "resnet18-224",
  "chargpt",
  "lstm",
  "minilm",
  "mm512",
  "mm1024",
  "mm2048",
  "mm4096",
] as const;

/** One of {@link WORKLOADS}. */
export type Workload = typeof WORKLOADS[number];

/** For graphics processors: a step takes other devices many seconds. */
export const LARGE: readonly Workload[] = ["resnet18-224", "mm4096"];

/** Whether `name` is a workload. */
export function isWorkload(name: string): name is Workload {
  return WORKLOADS.some((w) => w === name);
}

const TITLES: Readonly<Record<Workload, string>> = {
  "tiny": "y = a x + b, batch 16, SGD with momentum: steps of a loop by hand",
  "tiny-learner": "y = a x + b, batch 16: a fit with schedules and records, where there is one",
  "mlp64": "MNIST net 784-512-256-10, Adam, batch 64",
  "mlp64-learner": "MNIST net, batch 64: a fit with schedules and records, where there is one",
  "first-mlp64": "MNIST net, batch 64: from the start of the process to the first loss",
  "mlp256": "MNIST net 784-512-256-10, Adam, batch 256",
  "cnn": "Conv net 1-16-32-64, stride 2, 28 x 28, Adam, batch 64",
  "resnet18": "ResNet-18, 3 x 64 x 64, SGD with momentum, batch 16",
  "resnet18-224": "ResNet-18, 3 x 224 x 224, SGD with momentum, batch 64",
  "chargpt": "Characters: 4 causal blocks of 128, 64 positions, Adam, batch 32",
  "lstm": "Characters: LSTM 2 x 256, 64 steps, Adam, batch 32",
  "minilm": "MiniLM's shape, fine-tuned: 6 blocks of 384, 64 tokens, Adam, batch 16",
  "mm512": "Product of two 512 x 512 matrices",
  "mm1024": "Product of two 1024 x 1024 matrices",
  "mm2048": "Product of two 2048 x 2048 matrices",
  "mm4096": "Product of two 4096 x 4096 matrices",
};

/** A workload in words. */
export function titleOf(workload: Workload): string {
  return TITLES[workload];
}

/** What the speed of a workload is counted in. */
export function unitOf(workload: Workload): "steps/s" | "GFLOP/s" | "1/s" {
  if (workload === "first-mlp64") return "1/s";
  return workload.startsWith("mm") ? "GFLOP/s" : "steps/s";
}

/** The number in the name of an MLP or a product: rows of a batch, or of a matrix. */
export function sizeOf(workload: Workload): number {
  return Number(workload.replace(/\D/g, ""));
}

/** Numbers evenly drawn from `[-scale, scale)` by xorshift32; `torch_bench.py` has the same. */
export function uniform(n: number, scale: number, seed: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(n);
  let s = (seed * 2654435761) >>> 0;
  for (let i = 0; i < n; i++) {
    s ^= s << 13;
    s ^= s >>> 17;
    s = (s ^ (s << 5)) >>> 0;
    values[i] = (s / 2 ** 32 * 2 - 1) * scale;
  }
  return values;
}

/** `tiny`: 16 points on `y = 3x + 1`, and where the line starts. */
export function tinyData(): { x: Float32Array<ArrayBuffer>; y: Float32Array<ArrayBuffer>; a: number; b: number } {
  const x = uniform(16, 1, 3);
  return { x, y: x.map((v) => 3 * v + 1), a: 0.1, b: 0 };
}

/** Learning rate and momentum of `tiny`; the momentum is not dampened. */
export const TINY = { lr: 0.01, mom: 0.9 } as const;

/** Batches of an epoch of `tiny-learner`; each holds the 16 points of `tiny`. */
export const TINY_BATCHES = 100;

/** Sizes of the layers of the MLP. */
export const MLP_SIZES = [784, 512, 256, 10] as const;

/** Adam of the MLP; no weight decay. */
export const ADAM = { lr: 1e-3, mom: 0.9, sqrMom: 0.999, eps: 1e-8 } as const;

/** A layer of the MLP: `weight` is `[inputs, outputs]`, row by row; the bias starts at 0. */
export interface MlpLayer {
  /** Size of the input. */
  readonly inputs: number;
  /** Size of the output. */
  readonly outputs: number;
  /** `inputs * outputs` numbers. */
  readonly weight: Float32Array<ArrayBuffer>;
}

/** The MLP's layers at the start. */
export function mlpLayers(): MlpLayer[] {
  return MLP_SIZES.slice(1).map((outputs, i) => {
    const inputs = MLP_SIZES[i];
    return { inputs, outputs, weight: uniform(inputs * outputs, 1 / Math.sqrt(inputs), i + 1) };
  });
}

/** A batch of `rows`: `x` `[rows, 784]`, labels `[rows]` from 0 to 9, and the same labels as rows of 0 and 1, `[rows, 10]`. */
export function mlpBatch(
  rows: number,
): { x: Float32Array<ArrayBuffer>; labels: Int32Array<ArrayBuffer>; oneHot: Float32Array<ArrayBuffer> } {
  return { x: uniform(rows * MLP_SIZES[0], 1, 9), labels: labelsOf(rows), oneHot: oneHotOf(rows) };
}

/** Numbers evenly drawn from `[-scale, scale)`, each from its own index; `torch_bench.py` has the same. */
export function hashed(n: number, scale: number, seed: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: n }, (_, i) => {
    let h = (Math.imul(i, 0x9e3779b1) + Math.imul(seed, 0x85ebca6b)) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x7feb352d) >>> 0;
    h = Math.imul(h ^ (h >>> 15), 0x846ca68b) >>> 0;
    return ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 * scale - scale;
  });
}

/** The labels of `rows` images: from 0 to 9. */
export function labelsOf(rows: number): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: rows }, (_, i) => (i * 7 + 3) % 10);
}

/** The same labels as rows of 0 and 1, `[rows, 10]`. */
export function oneHotOf(rows: number): Float32Array<ArrayBuffer> {
  const oneHot = new Float32Array(rows * 10);
  labelsOf(rows).forEach((label, i) => oneHot[i * 10 + label] = 1);
  return oneHot;
}

/** `cnn`: images of a batch, their size, channels from layer to layer; all kernels are 3x3, stride 2, padding 1. */
export const CNN = { rows: 64, size: 28, channels: [1, 16, 32, 64] } as const;

/** `resnet18`, `resnet18-224`: images of a batch, their size, and the blocks' channels and strides. */
export const RESNET = {
  "resnet18": { rows: 16, size: 64 },
  "resnet18-224": { rows: 64, size: 224 },
  blocks: [[64, 1], [64, 1], [128, 2], [128, 1], [256, 2], [256, 1], [512, 2], [512, 1]],
} as const;

/** Learning rate and momentum of `resnet18`; the momentum is not dampened. */
export const RESNET_SGD = { lr: 0.01, mom: 0.9 } as const;

/** The weight `[cout, cin, k, k]` of a convolution at the start. */
export function kernelOf(cout: number, cin: number, k: number, seed: number): Float32Array<ArrayBuffer> {
  return hashed(cout * cin * k * k, Math.sqrt(3 / (k * k * cin)), seed);
}

/** The weight `[inputs, 10]` of the last layer at the start. */
export function headOf(inputs: number): Float32Array<ArrayBuffer> {
  return hashed(inputs * 10, 1 / Math.sqrt(inputs), 99);
}

/** A batch `[rows, channels, size, size]`. */
export function images(rows: number, channels: number, size: number): Float32Array<ArrayBuffer> {
  return hashed(rows * channels * size * size, 1, 9);
}

/** The two matrices of a product, `n * n` numbers each. */
export function matrices(n: number): [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>] {
  return [hashed(n * n, 1, 1), hashed(n * n, 1, 2)];
}
