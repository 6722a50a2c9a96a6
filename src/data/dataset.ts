/**
 * What batches are made of: arrays that lie on the device, or items that are got one by one.
 *
 * @module
 */
import { DataError, DtypeError, ShapeError } from "../base/errors.ts";
import { fmtShape, sameShape, sizeOf } from "../base/shape.ts";
import {
  type Dtype,
  isMemory,
  type Rng,
  snapshots,
  stack,
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

/** One element of an item: a number, a vector, an array of any shape, or a tensor. */
export type ItemPart = number | TypedArray | { readonly data: TypedArray; readonly shape: readonly number[] } | Tensor;

/** What tells a dataset from others: one text, or several by name. */
export type DatasetFacts = string | Readonly<Record<string, string>>;

/** Items by number; `get` may be asynchronous. An item has its inputs first, then its targets. */
export interface Dataset {
  /** Number of items. */
  readonly length: number;
  /**
   * Type of each part in a batch. By default that of its array; parts that are numbers become i32 where all of a batch
   * are whole, else f32.
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

/**
 * One tensor of the parts of several items.
 *
 * @param items The items' numbers, for errors.
 */
export function collate(parts: readonly ItemPart[], items: readonly number[], dtype?: Dtype): Tensor {
  const [first] = parts;
  const shape = shapeOf(first);
  const odd = parts.findIndex((p) => !sameShape(shapeOf(p), shape));
  if (odd >= 0) {
    throw new DataError(
      `Cannot batch items ${items[0]} and ${items[odd]}: one has shape ${fmtShape(shape)}, the other ${
        fmtShape(shapeOf(parts[odd]))
      }`,
    );
  }
  if (first instanceof Tensor) {
    const all = stack(parts.map((p) => p instanceof Tensor ? p : tensor(dataOf(p), { shape })));
    return dtype === undefined ? all : all.cast(dtype);
  }
  const all = arrayFor(parts, sizeOf(shape));
  parts.forEach((p, i) => {
    const data = dataOf(p);
    if (data.length * parts.length !== all.length) {
      throw new DataError(
        `Cannot batch item ${items[i]}: shape ${fmtShape(shape)} does not fit its ${data.length} numbers`,
      );
    }
    all.set(data as Float32Array, i * data.length);
  });
  return tensor(all, { shape: [parts.length, ...shape], ...(dtype === undefined ? {} : { dtype }) });
}

function shapeOf(part: ItemPart): readonly number[] {
  if (typeof part === "number") return [];
  return "shape" in part ? part.shape : [part.length];
}

function dataOf(part: ItemPart): TypedArray {
  if (typeof part === "number") return Float64Array.of(part);
  if (part instanceof Tensor) throw new DtypeError("Cannot batch a tensor with an array: use one kind in all items");
  return "shape" in part ? part.data : part;
}

/** An empty array for the numbers of all parts. */
function arrayFor(parts: readonly ItemPart[], size: number): Float32Array {
  const n = size * parts.length;
  if (typeof parts[0] === "number") {
    return (parts.every((p) => Number.isInteger(p)) ? new Int32Array(n) : new Float32Array(n)) as Float32Array;
  }
  return new (dataOf(parts[0]).constructor as new (n: number) => Float32Array)(n);
}
