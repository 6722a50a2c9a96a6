/**
 * Which items an epoch has, where they are not all of them once.
 *
 * @module
 */
import { textHash } from "../base/checksum.ts";
import { ConfigError, DataError } from "../base/errors.ts";
import { shown } from "../base/options.ts";
import type { Rng } from "../tensor/mod.ts";
import type { Batch } from "./loader_options.ts";
import type { DataLoader } from "./loader.ts";
import type { DataLoaders } from "./loaders.ts";

/** Draws the items of an epoch. It keeps nothing from one epoch to the next: what it draws depends on the generator alone. */
export interface Sampler {
  /** What tells it from others, in words: checkpoints refuse to go on with another one. */
  readonly facts: string;
  /**
   * How many items an epoch has.
   *
   * @param n How many there are.
   * @throws DataError Where there are not as many as it is for.
   */
  size(n: number): number;
  /**
   * The items of an epoch, `size(n)` of them, in order.
   *
   * @param rng The epoch's own generator: where the epoch goes on after an interruption, it gives the same again.
   */
  draw(n: number, rng: Rng): Int32Array;
}

/**
 * As many items as there are, each drawn with a probability in proportion to its weight, so that some come several times and
 * others not at all; PyTorch's `WeightedRandomSampler`.
 */
export class WeightedSampler implements Sampler {
  /** See {@link Sampler.facts}. */
  readonly facts: string;
  /** Sums of the weights up to each item, the item's own included. */
  readonly #sums: Float64Array;

  /**
   * Takes the weights.
   *
   * @param weights One an item, 0 or more; they need not add up to 1.
   */
  constructor(weights: ArrayLike<number>) {
    const sums = new Float64Array(weights?.length ?? 0);
    let sum = 0;
    for (let i = 0; i < sums.length; i++) {
      const weight: unknown = weights[i];
      if (typeof weight !== "number" || !(weight >= 0) || !Number.isFinite(weight)) {
        throw new DataError(
          `Cannot draw by weights: each is a number from 0 on, that of item ${i} is ${shown(weight)}`,
        );
      }
      sums[i] = sum += weight;
    }
    if (!(sum > 0) || !Number.isFinite(sum)) {
      throw new DataError(`Cannot draw by ${sums.length} weights: their sum is a number above 0, got ${sum}`);
    }
    this.#sums = sums;
    this.facts = `drawn by ${sums.length} weights #${textHash(sums.join())}`;
  }

  /** See {@link Sampler.size}. */
  size(n: number): number {
    if (n === this.#sums.length) return n;
    throw new DataError(`Cannot draw ${n} items by ${this.#sums.length} weights: there is one for each`);
  }

  /** See {@link Sampler.draw}. */
  draw(n: number, rng: Rng): Int32Array {
    const sums = this.#sums, total = sums[sums.length - 1];
    return Int32Array.from({ length: this.size(n) }, () => {
      const at = rng.uniform() * total; // below the total
      let low = 0, high = n - 1; // the first item whose sum is above
      while (low < high) {
        const middle = (low + high) >> 1;
        if (sums[middle] > at) high = middle;
        else low = middle + 1;
      }
      return low;
    });
  }
}

/** Some of the items, others in every epoch, none of them twice. */
export class PartialSampler implements Sampler {
  /** See {@link Sampler.facts}. */
  readonly facts: string;
  /** How many items an epoch has, at most. */
  readonly partialN: number;

  /**
   * Takes how many.
   *
   * @param partialN Items an epoch; all of them where there are fewer.
   */
  constructor(partialN: number) {
    if (!Number.isInteger(partialN) || partialN < 1) {
      throw new ConfigError(`Cannot draw ${shown(partialN)} items an epoch: partialN is a whole number from 1`);
    }
    this.partialN = partialN;
    this.facts = `${partialN} drawn`;
  }

  /** See {@link Sampler.size}. */
  size(n: number): number {
    return Math.min(n, this.partialN);
  }

  /** See {@link Sampler.draw}. */
  draw(n: number, rng: Rng): Int32Array {
    return rng.permutation(n).subarray(0, this.size(n));
  }
}

/** What a sampler draws, looked at. */
export function drawnBy(sampler: Sampler, n: number, rng: Rng): Int32Array {
  const order = Int32Array.from(sampler.draw(n, rng)), size = sampler.size(n);
  const bad = order.find((i) => i < 0 || i >= n);
  if (order.length === size && bad === undefined) return order;
  throw new DataError(
    `Cannot go through ${n} items as a sampler draws them: it says ${size} and gives ${order.length}` +
      (bad === undefined ? "" : `, among them ${bad}`),
  );
}

/** Whether something draws items. */
export function isSampler(value: unknown): value is Sampler {
  return typeof value === "object" && value !== null && "facts" in value && typeof value.facts === "string" &&
    "size" in value && typeof value.size === "function" && "draw" in value && typeof value.draw === "function";
}

/**
 * Training items are drawn by weights from now on, as {@link WeightedSampler} draws; validation stays as it is.
 *
 * @param dls Loaders of any kind but texts, which come by their lengths.
 * @param wgts The weight of each training item, in the order of the training set.
 * @returns The same loaders.
 * @example
 * ```ts ignore
 * const counts = Map.groupBy(dls.trainSet.labels, (label) => label); // rare classes as often as others
 * weightedDataloaders(dls, dls.trainSet.labels.map((label) => 1 / counts.get(label)!.length));
 * ```
 */
export function weightedDataloaders<B extends Batch, D extends DataLoaders<B>>(
  dls: D & DataLoaders<B>,
  wgts: ArrayLike<number>,
): D {
  dls.train.sampleBy(new WeightedSampler(wgts));
  return dls;
}

/**
 * Epochs have `partialN` training items from now on, others each time, as {@link PartialSampler} draws them; validation stays
 * as it is.
 *
 * @param dls Loaders of any kind but texts, which come by their lengths.
 * @returns The same loaders.
 */
export function partialDataloaders<B extends Batch, D extends DataLoaders<B>>(
  dls: D & DataLoaders<B>,
  partialN: number,
): D {
  (dls.train as DataLoader<B>).sampleBy(new PartialSampler(partialN));
  return dls;
}
