/**
 * What batches are made of: arrays that lie on the device, or items that are got one by one.
 *
 * @module
 */
import { ShapeError } from "../base/errors.ts";
import { fmtShape, sizeOf } from "../base/shape.ts";
import {
  type Dtype,
  isMemory,
  type Nested,
  type Rng,
  snapshots,
  Tensor,
  tensor,
  type TypedArray,
  Variable,
} from "../tensor/mod.ts";

/** Numbers with a shape: nested arrays, a typed array with `shape`, or a tensor. */
export type ArrayData =
  | Tensor
  | { readonly data: TypedArray; readonly shape: readonly number[]; readonly dtype?: Dtype }
  | readonly number[]
  | readonly (readonly number[])[]
  | readonly (readonly (readonly number[])[])[];

/**
 * One element of an item: a number, true or false (1 or 0), a vector, an array of any shape, nested numbers, or a tensor.
 */
export type ItemPart =
  | number
  | boolean
  | TypedArray
  | { readonly data: TypedArray; readonly shape: readonly number[] }
  | Nested
  | Tensor;

/** What tells a dataset from others: one text, or several by name. */
export type DatasetFacts = string | Readonly<Record<string, string>>;

/** Items by number; `get` may be asynchronous. An item has its inputs first, then its targets. */
export interface Dataset {
  /** Number of items. */
  readonly length: number;
  /**
   * Type of each part in a batch. By default that of its arrays, or one that holds them all where they differ; parts that
   * are numbers become i32 where all of a batch are whole, else f32.
   */
  readonly dtypes?: readonly (Dtype | undefined)[];
  /** The same items as they are validated and predicted on, where those that are trained on are changed at random. */
  readonly evaluation?: Dataset;
  /**
   * A text that other data would not have, such as a checksum of file names; or several by name, or a function of either,
   * which is asked when a checkpoint needs them. Checkpoints refuse to go on with other data; of a dataset that says nothing
   * of itself they compare the number of items.
   */
  readonly fingerprint?: DatasetFacts | (() => DatasetFacts | Promise<DatasetFacts>);
  /**
   * Item `i`; parts in the same place have the same shape in every item.
   *
   * @param rng Random numbers for this item in this epoch, which are the same again when the epoch is resumed.
   */
  get(i: number, rng: Rng): readonly ItemPart[] | Promise<readonly ItemPart[]>;
}

/** An epoch of a {@link BatchSource}. */
export interface SourceEpoch {
  /** Items by number, in the order in which they are given out. */
  readonly order: Int32Array;
  /**
   * The batch of some of them, neighbours in the order: its inputs, then its targets.
   *
   * @param rng Random numbers of this batch's own: the same again when an epoch is gone through again.
   */
  batch(items: Int32Array, rng: Rng): readonly Tensor[] | Promise<readonly Tensor[]>;
}

/** Batches that are made as a whole, and not of items of one shape: texts that are filled up, a stream that is cut. */
export interface BatchSource {
  /** Number of items in batches of `bs`. */
  size(bs: number): number;
  /** The same items as they are validated and predicted on, in batches of `bs`; by default as they are. */
  evaluation?(bs: number): BatchSource;
  /** See {@link Dataset.fingerprint}. */
  readonly fingerprint?: DatasetFacts | (() => DatasetFacts | Promise<DatasetFacts>);
  /** An epoch; what is drawn from `rng` is drawn again where the epoch goes on after an interruption. */
  epoch(rng: Rng, options: { readonly bs: number; readonly shuffle: boolean }): SourceEpoch;
}

/** `value` as a tensor with at least one axis. */
export function toTensor(value: ArrayData, name: string): Tensor {
  let t: Tensor;
  if (value instanceof Tensor) t = value;
  else if ("data" in value) {
    const n = sizeOf(value.shape);
    if (value.data.length !== n) {
      throw new ShapeError(
        `Cannot use ${name}: shape ${fmtShape(value.shape)} needs ${n} numbers, got ${value.data.length}`,
      );
    }
    t = tensor(value.data, { shape: [...value.shape], ...(value.dtype ? { dtype: value.dtype } : {}) });
  } else t = tensor(value as readonly number[]);
  if (t.shape.length === 0) {
    throw new ShapeError(`Cannot use ${name}: it needs a first axis that counts items, got one number`);
  }
  return t;
}

/**
 * A tensor over memory that nothing changes any more: an expression is computed now, a parameter or buffer copied. Its
 * memory stays until the loader is gone, whoever disposes the tensor given.
 */
export function resident(t: Tensor): Tensor {
  return isMemory(t) && !(t instanceof Variable) ? new Tensor(t.node) : snapshots([t])[0];
}
