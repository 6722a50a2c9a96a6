/**
 * Batch norm over the batches of all processes: the one place where building an expression meets the other processes, in
 * the middle of the forward pass and again, for the gradient, in the middle of the backward pass.
 *
 * @module
 */
import { DeviceError } from "../base/errors.ts";
import { type Shape, sizeOf } from "../base/shape.ts";
import type { BatchMoments } from "../nn/mod.ts";
import { batchMoments, givenValue, ops, readAllSync, retainGrad, stepInput, type Tensor } from "../tensor/mod.ts";
import type { World } from "./world.ts";

/** What sharing moments needs of the other processes. Both calls are made by all of them, in the same order. */
type MomentPeers = Pick<World, "size" | "gatherSync" | "sumInPlaceSync">;

/** Mean and variance of what all processes' batch norms got in this step. */
export class SyncMoments implements BatchMoments {
  readonly #peers: MomentPeers;

  /** Makes the source of moments of one run. */
  constructor(peers: MomentPeers) {
    this.#peers = peers;
  }

  /**
   * Mean and variance of each channel (axis 1) of `x` over the batches of all processes, each of whose numbers of items may
   * differ. Computes what `x` depends on now.
   */
  of(x: Tensor): { mean: Tensor; variance: Tensor; count: number } {
    const { shape } = x;
    const c = shape[1], n = sizeOf(shape) / c;
    const { near, above, variance } = batchMoments(x, shape.map((_, i) => i).filter((i) => i !== 1));
    x.keep(); // the rest of the step needs it again
    const local = now(ops.cat([near, above, variance].map((v) => v.reshape([c]))));
    const mine = new Float64Array(1 + 2 * c);
    mine[0] = n;
    for (let j = 0; j < c; j++) {
      mine[1 + j] = local[j] + local[c + j];
      mine[1 + c + j] = local[2 * c + j];
    }
    const { count, moments } = combine(this.#gather(mine), c);
    const wide = wideOf(shape);
    const mean = stepInput(moments.slice(0, c), { shape: wide });
    // m = sum x / n, v = sum (x - m)^2 / n over all processes, whose losses add up: dx = (dm + 2 (x - m) dv) / n, with dm
    // and dv the sums of what each process's loss says
    const both = givenValue(x, moments, [2, c], (dy) => {
      const total = now(dy);
      this.#peers.sumInPlaceSync(total, "share gradients of statistics");
      const part = (from: number, factor: number) =>
        stepInput(total.slice(from, from + c).map((v) => v * factor / count), { shape: wide });
      return x.sub(mean).mul(part(c, 2)).add(part(0, 1));
    });
    const row = (i: number) => both.slice([[i, i + 1], null]).reshape([c]);
    return { mean: row(0), variance: row(1), count };
  }

  /** See `BatchMoments`. */
  result(y: Tensor): Tensor {
    return retainGrad(y);
  }

  #gather(mine: Float64Array<ArrayBuffer>): Float64Array[] {
    const all = this.#peers.gatherSync(new Uint8Array(mine.buffer), "share statistics");
    const n = mine.byteLength;
    return Array.from({ length: this.#peers.size }, (_, r) => new Float64Array(all.slice(r * n, (r + 1) * n).buffer));
  }
}

/** `[1, c, 1, ...]` */
function wideOf(shape: Shape): number[] {
  return shape.map((n, i) => i === 1 ? n : 1);
}

/** Numbers of a small tensor, computed now. */
function now(t: Tensor): Float32Array {
  const values = readAllSync([t]);
  if (values === null) {
    throw new DeviceError(
      "Cannot share the statistics of batch norms: this device cannot be read without waiting; use { syncBn: false }",
    );
  }
  return Float32Array.from(values[0]);
}

/** Moments of parts put together (Chan, Golub and LeVeque 1979). */
function combine(parts: readonly Float64Array[], c: number): { count: number; moments: Float32Array } {
  let count = 0;
  for (const [n] of parts) count += n;
  const moments = new Float32Array(2 * c);
  for (let j = 0; j < c; j++) {
    let mean = 0, squares = 0;
    for (const p of parts) mean += p[0] * p[1 + j] / count;
    for (const p of parts) squares += p[0] * (p[1 + c + j] + (p[1 + j] - mean) ** 2);
    moments[j] = mean;
    moments[c + j] = squares / count;
  }
  return { count, moments };
}
