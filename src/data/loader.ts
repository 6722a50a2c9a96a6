/**
 * Loaders: batches of data, epoch after epoch. Data that lies on the device is never copied: a batch is a list of rows.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { mul, sub } from "../graph/elementwise.ts";
import { cast } from "../graph/elementwise.ts";
import { array, fromHost, MAX_ARRAY, scalar } from "../graph/leaves.ts";
import type { Node } from "../graph/node.ts";
import { gather } from "../graph/products.ts";
import { reshape } from "../graph/views.ts";
import { defaultRng, Rng, type RngState, Tensor } from "../tensor/mod.ts";
import { collate, type Dataset, type ItemPart } from "./dataset.ts";

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
  /** arrays that lie on the device. */
  readonly columns?: readonly Column[];
  /** Items a batch; 64 by default. */
  readonly bs?: number;
  /** Whether every epoch has an order of its own; false by default. */
  readonly shuffle?: boolean;
  /** Whether a last, shorter batch is left out; false by default. */
  readonly dropLast?: boolean;
  /** Seed of the order; by default drawn from the default generator. */
  readonly seed?: number;
  /** Batches of a `dataset` that are made ahead of time; 2 by default. */
  readonly prefetch?: number;
}

/** Where a loader stands: what the orders of the next epochs depend on. */
export interface LoaderState {
  readonly rng: RngState;
}

/** Inputs, then targets. */
export type Batch = readonly Tensor[];

/** Batches of a data set. Each iteration is one epoch. */
export class DataLoader<B extends Batch = [Tensor, Tensor]> {
  /** Items a batch. */
  readonly bs: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  readonly #dataset: Dataset | null;
  readonly #columns: readonly Column[];
  readonly #prefetch: number;
  readonly #rng: Rng;
  /** Number of items. */
  readonly size: number;

  /** @param options The data and how to cut it; see {@link DataLoaderOptions}. */
  constructor(options: DataLoaderOptions) {
    const { dataset = null, columns = [], bs = 64, shuffle = false, dropLast = false, seed, prefetch = 2 } = options;
    if (!Number.isInteger(bs) || bs < 1) {
      throw new ConfigError(`Cannot make batches of ${bs}: bs is a whole number from 1`);
    }
    if ((dataset === null) === (columns.length === 0)) {
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
    this.#columns = columns;
    this.#prefetch = prefetch;
    this.#rng = seed === undefined ? defaultRng().fork() : new Rng(seed);
    this.size = dataset?.length ?? sizes[0];
  }

  /** Batches an epoch. */
  get length(): number {
    return this.dropLast ? Math.floor(this.size / this.bs) : Math.ceil(this.size / this.bs);
  }

  /** Whether the data lies on the device, so that batches cost nothing to make. */
  get resident(): boolean {
    return this.#dataset === null;
  }

  /** Where the loader stands; for {@link DataLoader.restore}. */
  get state(): LoaderState {
    return { rng: this.#rng.state };
  }

  /** Goes back to where `state` was taken. */
  restore(state: LoaderState): void {
    this.#rng.restore(state.rng);
  }

  /** The same data in its own order, every item once. */
  inOrder({ bs = this.bs }: { readonly bs?: number } = {}): DataLoader<B> {
    return new DataLoader<B>({
      ...(this.#dataset === null ? { columns: this.#columns } : { dataset: this.#dataset }),
      bs,
      seed: 0,
      prefetch: this.#prefetch,
    });
  }

  /** The rows of the next epoch's batches. */
  #epoch(): Int32Array[] {
    const order = this.shuffle ? this.#rng.permutation(this.size) : Int32Array.from({ length: this.size }, (_, i) => i);
    return Array.from({ length: this.length }, (_, i) => order.subarray(i * this.bs, (i + 1) * this.bs));
  }

  /** Batches, at once; only of data that lies on the device. */
  *[Symbol.iterator](): Generator<B> {
    if (this.#dataset !== null) {
      throw new ConfigError("Cannot loop over this loader with for...of: its items are got one by one, use for await");
    }
    for (const rows of this.#epoch()) yield this.#cut(rows);
  }

  /** Batches; those of a `dataset` are made ahead of time. */
  async *[Symbol.asyncIterator](): AsyncGenerator<B> {
    if (this.#dataset === null) {
      for (const rows of this.#epoch()) yield this.#cut(rows);
      return;
    }
    const dataset = this.#dataset;
    const epoch = this.#epoch();
    const ahead: Promise<B>[] = [];
    let next = 0;
    const start = () => {
      if (next >= epoch.length) return;
      const batch = this.#make(dataset, epoch[next++]);
      batch.catch(() => {}); // told when its turn comes
      ahead.push(batch);
    };
    for (let i = 0; i <= this.#prefetch; i++) start();
    while (ahead.length > 0) {
      const batch = await ahead.shift()!;
      start();
      yield batch;
    }
  }

  async #make(dataset: Dataset, rows: Int32Array): Promise<B> {
    const items = Array.from(rows);
    const got = await Promise.all(items.map(async (i): Promise<readonly ItemPart[]> => {
      try {
        return await dataset.get(i);
      } catch (error) {
        throw new DataError(`Cannot get item ${i}: ${(error as Error).message}`, { cause: error });
      }
    }));
    const width = got[0].length;
    const odd = got.findIndex((item) => item.length !== width);
    if (odd >= 0) {
      throw new DataError(
        `Cannot batch items ${items[0]} and ${items[odd]}: one has ${width} parts, the other ${got[odd].length}`,
      );
    }
    return got[0].map((_, part) => collate(got.map((item) => item[part]), items)) as unknown as B;
  }

  /** A batch of resident data: a look-up of rows that travels with the step. */
  #cut(rows: Int32Array): B {
    const index = rows.length <= MAX_ARRAY
      ? array(rows, [rows.length], "i32")
      : fromHost(rows.slice(), [rows.length], "i32");
    return this.#columns.map((column) => new Tensor(rowsOf(column, index, rows.length))) as unknown as B;
  }
}

function rowsOf({ tensor, float, normalize }: Column, index: Node, n: number): Node {
  const { node } = tensor;
  const shape = [n, ...node.shape.slice(1)];
  const at = shape.length === 1 ? index : reshape(index, shape.map((_, i) => i === 0 ? n : 1));
  let x = gather(node, at, 0, shape);
  if (float || normalize) x = cast(x, "f32");
  if (normalize) x = mul(sub(x, scalar(normalize.mean)), scalar(1 / normalize.std));
  return x;
}
