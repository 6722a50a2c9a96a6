/**
 * What loaders are told and give.
 *
 * @module
 */
import { either, flag, func, num, objectWith, oneOf, type OptionTable, other } from "../base/options.ts";
import type { Rng, RngState, Tensor } from "../tensor/mod.ts";
import type { BatchSource, Dataset } from "./dataset.ts";
import type { Sampler } from "./samplers.ts";

/** How a resident array becomes part of a batch. */
export interface Column {
  /** The data, `[items, ...]`. */
  readonly tensor: Tensor;
  /** Whether batches of it are f32. */
  readonly float?: boolean;
  /** Subtracted from, then divided out of batches. */
  readonly normalize?: { readonly mean: number; readonly std: number };
}

/** Options of {@link DataLoader}. */
export interface DataLoaderOptions {
  /** Items that are got one by one; or */
  readonly dataset?: Dataset;
  /** batches that are made as a whole; or */
  readonly source?: BatchSource;
  /** arrays that lie on the device; one with more bytes than it allocates at once stays on the host, batches are cut out there. */
  readonly columns?: readonly Column[];
  /** Items a batch; 64 by default. */
  readonly bs?: number;
  /** Whether every epoch has an order of its own; false by default. */
  readonly shuffle?: boolean;
  /** Draws the items of every epoch, instead of all of them once. */
  readonly sampler?: Sampler;
  /** Whether a last, shorter batch is left out; false by default. "single": only where it would be a single item. */
  readonly dropLast?: boolean | "single";
  /** Seed of the orders; without one, each epoch draws from the default generator, so that `setSeed` before a fit holds. */
  readonly seed?: number;
  /** Batches of a `dataset` that are made ahead of time; 2 by default. */
  readonly prefetch?: number;
  /** What becomes of every batch: expressions, computed on the device as part of whatever uses them. */
  readonly batchTfm?: BatchTfm;
  /** The same for {@link DataLoader.inOrder}, where batches to train on are changed at random. */
  readonly evalTfm?: BatchTfm;
  /**
   * What tells the batches from others beside the data, by name, such as the options of `batchTfm`: checkpoints refuse to go
   * on where they differ. By default the source of `batchTfm`.
   */
  readonly fingerprint?: () => Readonly<Record<string, string>>;
  /** Whether items or batches draw random numbers, so that epochs in order differ from each other, too; false by default. */
  readonly random?: boolean;
}

/** What the options of a loader may be. */
export const DATA_LOADER: OptionTable<DataLoaderOptions> = {
  dataset: objectWith("a data set with a length and an item function", "length"),
  source: objectWith("a source of batches with functions size and epoch", "size", "epoch"),
  columns: other("columns", Array.isArray),
  bs: num,
  shuffle: flag,
  sampler: objectWith("a sampler, such as new WeightedSampler(weights)", "facts", "size", "draw"),
  dropLast: either(flag, oneOf("single")),
  seed: num,
  prefetch: num,
  batchTfm: func(),
  evalTfm: func(),
  fingerprint: func(),
  random: flag,
};

/**
 * Changes a batch.
 *
 * @param batch Inputs, then targets.
 * @param rng Random numbers of this batch's own: the same again when an epoch is gone through again.
 */
export type BatchTfm = (batch: Batch, rng: Rng) => Batch;

/** Where a loader stands, as plain data: what the next batches and the orders of later epochs depend on. */
export interface LoaderState {
  /** The loader's own generator; null where it draws from the default one. */
  readonly rng: RngState | null;
  /** The generator that the order of the epoch under way was drawn from; null between epochs. */
  readonly epoch: RngState | null;
  /** Batches of that epoch which were given out. */
  readonly position: number;
}

/** One of several equal parts of every epoch: what one process of many gives out. */
export interface Shard {
  /** Which part, from 0. */
  readonly rank: number;
  /** How many parts. */
  readonly size: number;
  /**
   * Whether all parts have as many items: the first of the epoch's order come again at its end. Otherwise every item is
   * in one part, and parts differ by one item at most; one that would have none gives an item of another part.
   */
  readonly pad: boolean;
}

/** Inputs, then targets. */
export type Batch = readonly Tensor[];
