/**
 * Loaders whose items are drawn, under fastai's names.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, num, other } from "../base/options.ts";
import type { Tensor } from "../tensor/mod.ts";
import { DataLoader } from "./loader.ts";
import { type Batch, DATA_LOADER, type DataLoaderOptions } from "./loader_options.ts";
import { PartialSampler, WeightedSampler } from "./samplers.ts";

/** Options of {@link WeightedDL}. */
export interface WeightedDLOptions extends Omit<DataLoaderOptions, "sampler" | "shuffle"> {
  /** The weight of each item; all alike by default, which still draws some twice. */
  readonly wgts?: ArrayLike<number>;
}

/** Options of {@link PartialDL}. */
export interface PartialDLOptions extends Omit<DataLoaderOptions, "sampler" | "shuffle"> {
  /** Items an epoch. */
  readonly partialN: number;
}

const { sampler: _, shuffle: __, ...REST } = DATA_LOADER;

/** A loader whose items are drawn by weights: see {@link WeightedSampler}. */
export class WeightedDL<B extends Batch = [Tensor, Tensor]> extends DataLoader<B> {
  /** Takes the data, and the weights. */
  constructor(options: WeightedDLOptions) {
    checkOptions("make WeightedDL", options, {
      ...REST,
      wgts: other("numbers", (v) => Array.isArray(v) || ArrayBuffer.isView(v)),
    });
    const { wgts, ...rest } = options;
    super({ ...rest, shuffle: true });
    if (this.size > 0) this.sampleBy(new WeightedSampler(wgts ?? new Array<number>(this.size).fill(1)));
  }
}

/** A loader of some of its items, others in every epoch: see {@link PartialSampler}. */
export class PartialDL<B extends Batch = [Tensor, Tensor]> extends DataLoader<B> {
  /** Takes the data, and how many items an epoch has. */
  constructor(options: PartialDLOptions) {
    checkOptions("make PartialDL", options, { ...REST, partialN: num });
    const { partialN, ...rest } = options;
    if (partialN === undefined) {
      throw new ConfigError("Cannot make PartialDL: partialN says how many items an epoch has");
    }
    super({ ...rest, shuffle: true, sampler: new PartialSampler(partialN) });
  }
}
