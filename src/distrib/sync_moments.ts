/**
 * Batch norm over the batches of all processes.
 *
 * @module
 */
import { keepGrad, type MomentPeers, sharedMoments } from "../graph/shared_moments.ts";
import type { BatchMoments } from "../nn/mod.ts";
import { Tensor } from "../tensor/mod.ts";
import type { World } from "./world.ts";

/** Mean and variance of what all processes' batch norms got in this step. */
export class SyncMoments implements BatchMoments, MomentPeers {
  readonly #world: World;

  /** Makes the source of moments of one run. */
  constructor(world: World) {
    this.#world = world;
  }

  /** See `BatchMoments`. */
  of(x: Tensor): { mean: Tensor; variance: Tensor; count: number } {
    const { mean, variance, count } = sharedMoments(x.node, this);
    return { mean: new Tensor(mean), variance: new Tensor(variance), count };
  }

  /** See `BatchMoments`. */
  result(y: Tensor): Tensor {
    return new Tensor(keepGrad(y.node));
  }

  /** See `MomentPeers`. */
  gather(mine: Float64Array): Float64Array[] {
    const all = this.#world.gatherSync(new Uint8Array(mine.buffer), "share statistics");
    const n = mine.byteLength;
    return Array.from({ length: this.#world.size }, (_, r) => new Float64Array(all.slice(r * n, (r + 1) * n).buffer));
  }

  /** See `MomentPeers`. */
  sum(mine: Float32Array): Float32Array {
    this.#world.sumInPlaceSync(mine, "share gradients of statistics");
    return mine;
  }
}
