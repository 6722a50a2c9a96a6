/**
 * What is measured: shapes, data, start values. Everyone computes the same, from the same numbers.
 *
 * - `tiny`: `y = a x + b` on 16 points, mean squared error, SGD with momentum 0.9; a loop by hand.
 * - `tiny-learner`: the same through a `fit` that has batches, records and schedules; who has none runs `tiny`.
 * - `mlp64`, `mlp256`: 784-512-256-10 with ReLU, cross-entropy, Adam, on the same batch of 64 or 256 every step.
 * - `mm512`, `mm1024`: products of two square matrices.
 *
 * @module
 */

/** The workloads, in the order of the table. */
export const WORKLOADS = ["tiny", "tiny-learner", "mlp64", "mlp256", "mm512", "mm1024"] as const;

/** One of {@link WORKLOADS}. */
export type Workload = typeof WORKLOADS[number];

/** Whether `name` is a workload. */
export function isWorkload(name: string): name is Workload {
  return WORKLOADS.some((w) => w === name);
}

/** What the speed of a workload is counted in. */
export function unitOf(workload: Workload): "steps/s" | "GFLOP/s" {
  return workload.startsWith("mm") ? "GFLOP/s" : "steps/s";
}

/** The number in a workload's name: rows of a batch, or of a matrix. */
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
  const labels = Int32Array.from({ length: rows }, (_, i) => (i * 7 + 3) % 10);
  const oneHot = new Float32Array(rows * 10);
  labels.forEach((label, i) => oneHot[i * 10 + label] = 1);
  return { x: uniform(rows * MLP_SIZES[0], 1, 9), labels, oneHot };
}

/** The two matrices of a product, `n * n` numbers each. */
export function matrices(n: number): [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>] {
  return [uniform(n * n, 1, 1), uniform(n * n, 1, 2)];
}
