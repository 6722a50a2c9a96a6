/**
 * Loaders: batches of data, epoch after epoch. Data that lies on the device is never copied: a batch is a list of rows.
 *
 * @module
 */
import { sourceOf } from "../base/facts.ts";
import { textHash } from "../base/checksum.ts";
import { contentHash } from "./content_hash.ts";
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, num } from "../base/options.ts";
import { fmtShape } from "../base/shape.ts";
import { defaultRng, Rng, type RngState, rowsOnHost, takeRows, type Tensor, travelling } from "../tensor/mod.ts";
import type { OddNumber } from "./odd_numbers.ts";
import { batchOf } from "./collate.ts";
import { drawnBy, isSampler, type Sampler } from "./samplers.ts";
import {
  type Batch,
  type BatchTfm,
  type Column,
  DATA_LOADER,
  type DataLoaderOptions,
  type LoaderState,
  type Shard,
} from "./loader_options.ts";
import { type BatchSource, type Dataset, resident, type SourceEpoch } from "./dataset.ts";

/** One iteration. */
interface Pass {
  readonly state: RngState;
  readonly order: Int32Array;
  /** What makes batches of a source. */
  readonly epoch: SourceEpoch | null;
  /** The batch it starts with. */
  readonly first: number;
}

/** Batches of a data set. Each iteration is one epoch. */
export class DataLoader<B extends Batch = [Tensor, Tensor]> {
  /** Items a batch. */
  readonly bs: number;
  /** Whether every epoch has an order of its own. */
  readonly shuffle: boolean;
  /** Whether a last, shorter batch is left out; "single": only where it would be a single item. */
  readonly dropLast: boolean | "single";
  readonly #dataset: Dataset | null;
  readonly #source: BatchSource | null;
  readonly #columns: readonly Column[];
  readonly #prefetch: number;
  #sampler: Sampler | null = null;
  readonly #batchTfm: BatchTfm | null;
  readonly #evalTfm: BatchTfm | null;
  readonly #random: boolean;
  readonly #seed: number | null;
  readonly #facts: (() => Readonly<Record<string, string>>) | null;
  /** Checksums of the columns, where they were asked for: the data never change. */
  readonly #digests: Promise<string>[] = [];
  /** Null: the default generator, whatever its state is when an epoch starts. */
  readonly #rng: Rng | null;
  /** The epoch under way, the last one started. */
  #epoch: RngState | null = null;
  #position = 0;
  /** Whether the next iteration goes on with the epoch that was restored. */
  #resume = false;
  /** Number of items. */
  readonly size: number;
  /** The part of every epoch's order that is given out: each `size`-th item from the `rank`-th on; null for all of it. */
  shard: Shard | null = null;

  /**
   * Takes arrays or a dataset, and how to cut them.
   *
   * @param options The data and how to cut it; see {@link DataLoaderOptions}.
   */
  constructor(options: DataLoaderOptions) {
    checkOptions("make a DataLoader", options, DATA_LOADER);
    const {
      dataset = null,
      source = null,
      columns = [],
      bs = 64,
      shuffle = false,
      dropLast = false,
      seed,
      prefetch = 2,
      batchTfm = null,
    } = options;
    if (!Number.isInteger(bs) || bs < 1) {
      throw new ConfigError(`Cannot make batches of ${bs}: bs is a whole number from 1`);
    }
    if (!Number.isInteger(prefetch) || prefetch < 0) {
      throw new ConfigError(`Cannot make ${prefetch} batches ahead of time: prefetch is a whole number from 0`);
    }
    if (Number(dataset !== null) + Number(source !== null) + Number(columns.length > 0) !== 1) {
      throw new ConfigError("Cannot make a loader: give either a dataset or columns");
    }
    const sizes = columns.map((c) => c.tensor.shape[0]);
    if (sizes.some((n) => n !== sizes[0])) {
      throw new DataError(`Cannot load arrays of different lengths: they have ${sizes.join(" and ")} items`);
    }
    this.bs = bs;
    this.shuffle = shuffle;
    this.dropLast = dropLast;
    this.#dataset = dataset;
    this.#source = source;
    this.#columns = columns.map((c) => ({ ...c, tensor: resident(c.tensor) }));
    this.#prefetch = prefetch;
    this.#batchTfm = batchTfm;
    this.#evalTfm = options.evalTfm ?? batchTfm;
    this.#random = options.random ?? false;
    this.#seed = seed ?? null;
    this.#facts = options.fingerprint ?? null;
    this.#rng = seed === undefined ? null : new Rng(seed);
    this.size = dataset?.length ?? source?.size(bs) ?? sizes[0];
    if (!Number.isInteger(this.size) || this.size < 0) {
      throw new DataError(`Cannot load a dataset: its length is a whole number, got ${this.size}`);
    }
    if (options.sampler !== undefined) this.sampleBy(options.sampler);
  }

  /** What draws the items of every epoch; null where it has all of them once. */
  get sampler(): Sampler | null {
    return this.#sampler;
  }

  /**
   * Has the items of every epoch from the next one on drawn by a sampler; null for all of them once. What is evaluated by
   * {@link DataLoader.inOrder} is all of them.
   *
   * @throws ConfigError In the middle of an epoch, and of batches that are made as a whole, such as those of texts.
   */
  sampleBy(sampler: Sampler | null): void {
    if (this.#source !== null) {
      throw new ConfigError(
        "Cannot draw items for batches that are made as a whole, as those of texts are by their lengths",
      );
    }
    if (this.#epoch !== null) throw new ConfigError("Cannot draw items in another way in the middle of an epoch");
    if (sampler !== null && !isSampler(sampler)) {
      throw new ConfigError(
        "Cannot draw items: a sampler has facts, size and draw, as new WeightedSampler(weights) has",
      );
    }
    sampler?.size(this.size); // refuses what is not for as many
    this.#sampler = sampler;
  }

  /** Batches an epoch. */
  get length(): number {
    const n = this.shard === null ? this.#epochSize : shardSize(this.#sharedSize(this.shard), this.shard);
    const drop = this.dropLast === "single" ? n > this.bs && n % this.bs === 1 : this.dropLast;
    return drop ? Math.floor(n / this.bs) : Math.ceil(n / this.bs);
  }

  /** Number of items of an epoch. */
  get #epochSize(): number {
    return this.#sampler?.size(this.size) ?? this.size;
  }

  /** Number of items of all processes together. */
  #sharedSize({ size }: Shard): number {
    return this.#source?.size(this.bs * size) ?? this.#epochSize;
  }

  /** Whether the data lies on the device, so that batches cost nothing to make. */
  get resident(): boolean {
    return this.#columns.length > 0;
  }

  /** The order in which an epoch without shuffling gives the items, where that is not their own; null where it is. */
  get itemOrder(): Int32Array | null {
    if (this.#source === null) return null;
    const { order } = this.#source.epoch(new Rng(0), { bs: this.bs, shuffle: false });
    return order.every((item, i) => item === i) ? null : order;
  }

  /** Where the loader stands, also in the middle of an epoch; for {@link DataLoader.restore}. */
  get state(): LoaderState {
    return { rng: this.#rng?.state ?? null, epoch: this.#epoch, position: this.#position };
  }

  /**
   * Goes back to where `state` was taken. If that was in the middle of an epoch, the next iteration gives the rest of it.
   */
  restore({ rng, epoch, position }: LoaderState): void {
    if (rng !== null) this.#rng?.restore(rng);
    this.#epoch = epoch;
    this.#position = position;
    this.#resume = epoch !== null;
  }

  /**
   * What tells this loader's data from others, by name: sizes, how it is cut, what becomes of batches, and for data on the
   * device a checksum of each array. Arrays of up to 256 MiB are read whole, once a loader (on a CPU about 0.15 s for 100
   * MB); of larger ones 64 MiB in 512 pieces that are spread evenly. A dataset says of itself what it wants to.
   */
  async fingerprint(): Promise<Record<string, string>> {
    const { size, shuffle, dropLast } = this;
    const bs = this.bs * (this.shard?.size ?? 1); // how many processes share a batch is no matter
    const out: Record<string, string> = { items: String(size), bs: String(bs), shuffle: String(shuffle) };
    out.dropLast = String(dropLast);
    if (this.#sampler !== null) out.sampler = this.#sampler.facts;
    if (this.#seed !== null) out.seed = String(this.#seed);
    const items = this.#dataset ?? this.#source, told = items?.fingerprint;
    const facts = typeof told === "function" ? await told.call(items) : told;
    if (typeof facts === "string") out.content = facts;
    else Object.assign(out, facts);
    if (this.#facts !== null) Object.assign(out, this.#facts());
    else if (this.#batchTfm !== null) out["batch transform"] = `a function #${textHash(sourceOf(this.#batchTfm))}`;
    for (const [i, { tensor, normalize, float = false }] of this.#columns.entries()) {
      const scale = normalize === undefined ? "" : `, normalized by ${normalize.mean} and ${normalize.std}`;
      out[`column ${i}`] = `${tensor.dtype} ${fmtShape(tensor.shape)}${float ? " as f32" : ""}${scale}`;
      this.#digests[i] ??= tensor.size === 0 ? Promise.resolve("") : contentHash(tensor);
      if (tensor.size > 0) out[`content of column ${i}`] = await this.#digests[i];
    }
    return out;
  }

  /**
   * Where the data has NaN or infinite numbers, the first of each part, and how many parts an item has. Reads all that lies on
   * the device, or the first 1,000 items of a dataset; the loader stays where it is.
   */
  async oddNumbers(): Promise<{ readonly odd: readonly OddNumber[]; readonly parts: number }> {
    if (this.#source !== null) return { odd: [], parts: (await this.peek())?.length ?? 0 }; // which makes them itself
    const { oddInColumns, oddInDataset } = await import("./odd_numbers.ts"); // code that training does without
    if (this.#dataset === null) {
      return { odd: await oddInColumns(this.#columns.map((c) => c.tensor)), parts: this.#columns.length };
    }
    const [first] = this.size === 0 ? [[]] : [await this.#dataset.get(0, new Rng(0))];
    return { odd: await oddInDataset(this.#dataset, () => new Rng(0)), parts: first.length };
  }

  /** The same data in its own order, every item once, as it is validated and predicted on: without random changes. */
  inOrder(options: { readonly bs?: number } = {}): DataLoader<B> {
    const { bs = this.bs } = checkOptions("go through a loader in order", options, { bs: num });
    const loader = new DataLoader<B>({
      ...(this.#source !== null
        ? { source: this.#source.evaluation?.(bs) ?? this.#source }
        : this.#dataset === null
        ? { columns: this.#columns }
        : { dataset: this.#dataset.evaluation ?? this.#dataset }),
      bs,
      seed: 0,
      prefetch: this.#prefetch,
      ...(this.#evalTfm === null ? {} : { batchTfm: this.#evalTfm }),
      random: this.#random,
      ...(this.#facts === null ? {} : { fingerprint: this.#facts }),
    });
    if (this.shard !== null) loader.shard = { ...this.shard, pad: false };
    return loader;
  }

  /** The first batch of the next epoch, without moving the loader on; null where there is none. */
  async peek(): Promise<B | null> {
    if (this.length === 0) return null;
    const rng = new Rng();
    rng.restore((this.#rng ?? defaultRng()).state);
    const epoch = this.#draws ? rng.fork() : new Rng();
    const pass = this.#pass(epoch, 0);
    return this.resident ? this.#cut(pass, 0) : await this.#make(pass, 0);
  }

  /** Batches, at once; only of data that lies on the device. */
  *[Symbol.iterator](): Generator<B, void, undefined> {
    if (!this.resident) {
      throw new ConfigError("Cannot loop over this loader with for...of: its items are got one by one, use for await");
    }
    const pass = this.#start();
    try {
      for (let i = pass.first; i < this.length; i++) {
        this.#take(pass, i);
        yield this.#cut(pass, i);
      }
    } finally {
      this.#finish(pass);
    }
  }

  /** Batches; those of a `dataset` are made ahead of time. */
  async *[Symbol.asyncIterator](): AsyncGenerator<B, void, undefined> {
    if (this.resident) return yield* this[Symbol.iterator]();
    const pass = this.#start();
    const ahead: Promise<B>[] = [];
    let next = pass.first;
    const fill = () => {
      for (; next < this.length && ahead.length <= this.#prefetch; next++) {
        const batch = this.#make(pass, next);
        batch.catch(() => {}); // told when its turn comes
        ahead.push(batch);
      }
    };
    try {
      for (let i = pass.first; i < this.length; i++) {
        fill();
        const batch = await ahead.shift()!;
        this.#take(pass, i);
        yield batch;
      }
    } finally {
      this.#finish(pass);
    }
  }

  /** Whether epochs draw random numbers. */
  get #draws(): boolean {
    return this.shuffle || this.#random || this.#sampler !== null;
  }

  /** Starts an epoch, or goes on with a restored one. */
  #start(): Pass {
    const first = this.#resume ? this.#position : 0;
    let rng: Rng;
    if (this.#resume && this.#epoch !== null) {
      rng = new Rng();
      rng.restore(this.#epoch);
    } else rng = this.#draws ? (this.#rng ?? defaultRng()).fork() : new Rng();
    const pass = this.#pass(rng, first);
    this.#epoch = pass.state;
    this.#position = first;
    this.#resume = false;
    return pass;
  }

  #pass(rng: Rng, first: number): Pass {
    const { state } = rng, { shuffle } = this;
    if (this.#source !== null) {
      const epoch = this.#source.epoch(rng, { bs: this.bs * (this.shard?.size ?? 1), shuffle });
      return { state, order: this.#part(epoch.order), epoch, first };
    }
    const all = this.#sampler !== null
      ? drawnBy(this.#sampler, this.size, rng)
      : shuffle
      ? rng.permutation(this.size)
      : Int32Array.from({ length: this.size }, (_, i) => i);
    return { state, order: this.#part(all), epoch: null, first };
  }

  /** The part of an epoch's order that this loader gives out. */
  #part(all: Int32Array): Int32Array {
    if (this.shard === null || all.length === 0) return all;
    const { rank, size } = this.shard;
    const own = shardSize(all.length, this.shard);
    return Int32Array.from({ length: own }, (_, k) => all[(k * size + rank) % all.length]);
  }

  /** The number of this loader's k-th item or batch among those of all processes, so that none draw the same numbers. */
  #place(k: number): number {
    return this.shard === null ? k : k * this.shard.size + this.shard.rank;
  }

  #rows({ order }: Pass, i: number): Int32Array {
    return order.subarray(i * this.bs, (i + 1) * this.bs);
  }

  /** Notes that batch `i` is given out now. */
  #take(pass: Pass, i: number): void {
    if (this.#epoch === pass.state) this.#position = i + 1;
  }

  /** Ends an epoch, unless another one was started since. */
  #finish(pass: Pass): void {
    if (this.#epoch !== pass.state || this.#resume) return;
    this.#epoch = null;
    this.#position = 0;
  }

  async #make(pass: Pass, n: number): Promise<B> {
    if (pass.epoch !== null) {
      const made = await pass.epoch.batch(this.#rows(pass, n), drawsOf(pass, ITEMS + this.#place(n)));
      return this.#transformed(made, pass, n);
    }
    const made = await batchOf(
      this.#dataset!,
      Array.from(this.#rows(pass, n)),
      (k) => drawsOf(pass, ITEMS + this.#place(n * this.bs + k)),
    );
    return this.#transformed(made, pass, n);
  }

  /** The batch as it is given out; what it was made of is remembered, and released with it. */
  #transformed(batch: Batch, pass: Pass, n: number): B {
    if (this.#batchTfm === null) return batch as unknown as B;
    const out = this.#batchTfm(batch, drawsOf(pass, BATCHES + this.#place(n)));
    sources.set(out, batch);
    return out as unknown as B;
  }

  /** A batch of resident data: a look-up of rows that travels with the step. */
  #cut(pass: Pass, n: number): B {
    const rows = this.#rows(pass, n);
    const index = travelling(rows, [rows.length], "i32");
    return this.#transformed(this.#columns.map((column) => rowsOf(column, index, rows)), pass, n);
  }
}

/** Number of items in a part of `n` items. */
function shardSize(n: number, { rank, size, pad }: Shard): number {
  return n === 0 ? 0 : Math.max(1, Math.ceil(pad ? n / size : (n - rank) / size));
}

/** First blocks of an epoch's generator that belong to its items and its batches; the order takes those before. */
const ITEMS = 2 ** 40, BATCHES = 2 ** 41;

/** The random numbers of one item or batch of an epoch, whenever and in whatever order they are made. */
function drawsOf({ state }: Pass, block: number): Rng {
  const rng = new Rng();
  rng.restore({ ...state, blocks: block });
  return rng.fork();
}

const sources = new WeakMap<Batch, Batch>();

/** Notes what a batch of expressions is computed from, to be released with it. */
export function noteSources(batch: Batch, from: Batch): Batch {
  sources.set(batch, from);
  return batch;
}

/** The tensors that a transformed batch is computed from; none where it was not transformed. */
export function sourcesOf(batch: Batch): Batch {
  return sources.get(batch) ?? [];
}

function rowsOf({ tensor, float, normalize }: Column, index: Tensor, numbers: Int32Array): Tensor {
  const rows = rowsOnHost(tensor, numbers) ?? takeRows(tensor, index);
  const x = (float || normalize) && rows.dtype !== "f32" ? rows.cast("f32") : rows;
  return normalize ? x.sub(normalize.mean).mul(1 / normalize.std) : x;
}
