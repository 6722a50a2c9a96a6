/**
 * What batches are made of: arrays that lie on the device, or items that are got one by one.
 *
 * @module
 */
import { DataError, ShapeError } from "../base/errors.ts";
import { fmtShape, sameShape, sizeOf } from "../base/shape.ts";
import { type Dtype, Tensor, tensor, type TypedArray } from "../tensor/mod.ts";

/** Numbers with a shape: nested arrays, a typed array with `shape`, or a tensor. */
export type ArrayLike =
  | Tensor
  | { readonly data: TypedArray; readonly shape: readonly number[]; readonly dtype?: Dtype }
  | readonly number[]
  | readonly (readonly number[])[]
  | readonly (readonly (readonly number[])[])[];

/** One element of an item. */
export type ItemPart = number | TypedArray | { readonly data: TypedArray; readonly shape: readonly number[] };

/** Items by number; `get` may be asynchronous. An item has its inputs first, then its targets. */
export interface Dataset {
  readonly length: number;
  get(i: number): readonly ItemPart[] | Promise<readonly ItemPart[]>;
}

/** `value` as a tensor with at least one axis. */
export function toTensor(value: ArrayLike, name: string): Tensor {
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

/** One tensor of the parts of several items. */
export function collate(parts: readonly ItemPart[], items: readonly number[]): Tensor {
  const [first] = parts;
  if (typeof first === "number") {
    const whole = parts.every((p) => Number.isInteger(p));
    return tensor(whole ? Int32Array.from(parts as number[]) : Float32Array.from(parts as number[]));
  }
  const shapeOf = (p: ItemPart): readonly number[] => typeof p === "number" ? [] : "shape" in p ? p.shape : [p.length];
  const dataOf = (p: ItemPart): TypedArray => typeof p === "number" ? new Float32Array([p]) : "shape" in p ? p.data : p;
  const shape = shapeOf(first);
  const size = sizeOf(shape);
  const source = dataOf(first);
  const all = new (source.constructor as new (n: number) => Float32Array)(size * parts.length);
  parts.forEach((p, i) => {
    if (!sameShape(shapeOf(p), shape) || dataOf(p).length !== size) {
      throw new DataError(
        `Cannot batch items ${items[0]} and ${items[i]}: one has shape ${fmtShape(shape)}, the other ${
          fmtShape(shapeOf(p))
        }`,
      );
    }
    all.set(dataOf(p) as Float32Array, i * size);
  });
  return tensor(all, { shape: [parts.length, ...shape] });
}
