/**
 * Nested arrays, as users write and read tensors.
 *
 * @module
 */
import { type Dtype, hostArray, type StoredArray } from "../base/dtype.ts";
import { DataError, DtypeError, ShapeError } from "../base/errors.ts";
import { floatToHalf } from "../base/half.ts";
import { checkShape, fmtShape, type Shape, sizeOf } from "../base/shape.ts";

/** A number, a truth value, or arrays of them nested as deeply as the tensor has axes. */
export type Nested = number | boolean | readonly Nested[];

/** What `Tensor.array()` gives: as {@link Nested}, but writable. */
export type NestedArray = number | boolean | NestedArray[];

/** Arrays whose elements become a tensor's. `Float64Array` becomes f32, 64-bit integers i32 if they fit. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** Host elements with their shape and type. */
export interface HostValue {
  readonly data: StoredArray;
  readonly shape: Shape;
  readonly dtype: Dtype;
}

/** Copies what a user gave into the array of a tensor. */
export function toHost(data: Nested | TypedArray, wanted?: Dtype, shape?: Shape): HostValue {
  if (shape !== undefined) checkShape(shape, "make a tensor of");
  const value = ArrayBuffer.isView(data) ? fromTyped(data as TypedArray, wanted) : fromNested(data as Nested, wanted);
  if (shape === undefined) return value;
  if (sizeOf(shape) !== value.data.length) {
    throw new ShapeError(
      `Cannot make a tensor of shape ${fmtShape(shape)}: it has ${sizeOf(shape)} elements, got ${value.data.length}`,
    );
  }
  return { ...value, shape };
}

function fromTyped(data: TypedArray, wanted?: Dtype): HostValue {
  const natural = typedDtype(data);
  const dtype = wanted ?? natural;
  return { data: convert(data, dtype, natural), shape: [data.length], dtype };
}

function typedDtype(data: TypedArray): Dtype {
  if (data instanceof Uint8Array || data instanceof Uint8ClampedArray) return "u8";
  if (data instanceof Uint32Array) return "u32";
  if (
    data instanceof Int32Array || data instanceof Int16Array || data instanceof Int8Array ||
    data instanceof Uint16Array || data instanceof BigInt64Array || data instanceof BigUint64Array
  ) return "i32";
  if (data instanceof DataView) throw new DtypeError("Cannot make a tensor of a DataView: use a typed array");
  return "f32";
}

function fromNested(data: Nested, wanted?: Dtype): HostValue {
  const shape: number[] = [];
  for (let d: Nested = data; Array.isArray(d); d = d[0]) {
    shape.push(d.length);
    if (d.length === 0) break;
  }
  const flat: (number | boolean)[] = [];
  flatten(data, shape, 0, flat);
  const bools = flat.length > 0 && typeof flat[0] === "boolean";
  if (flat.some((v) => (typeof v === "boolean") !== bools)) {
    throw new DtypeError("Cannot make a tensor of numbers and booleans together: use one kind");
  }
  const dtype = wanted ?? (bools ? "bool" : "f32");
  return { data: convert(flat.map(Number), dtype, "f32"), shape, dtype };
}

function flatten(data: Nested, shape: Shape, depth: number, out: (number | boolean)[]): void {
  if (typeof data === "number" || typeof data === "boolean") {
    if (depth !== shape.length) throw ragged(shape, depth, "a number");
    out.push(data);
    return;
  }
  if (!Array.isArray(data)) {
    throw new DtypeError(`Cannot make a tensor of ${typeof data} values: use numbers, booleans or typed arrays`);
  }
  if (depth >= shape.length || data.length !== shape[depth]) throw ragged(shape, depth, `${data.length} entries`);
  for (const d of data) flatten(d, shape, depth + 1, out);
}

function ragged(shape: Shape, depth: number, got: string): ShapeError {
  const rule = depth < shape.length ? `${shape[depth]} entries` : "a number";
  return new ShapeError(
    `Cannot make a tensor of ragged arrays: at depth ${depth} the first has ${rule}, another ${got}`,
  );
}

/** A new array of `dtype`; refuses values that do not fit. */
function convert(data: TypedArray | readonly number[], dtype: Dtype, natural: Dtype): StoredArray {
  const out = hostArray(dtype, data.length);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const small = new Float64Array(data.length);
    for (let i = 0; i < data.length; i++) {
      const v = data[i];
      if (dtype !== "f32" && (v < -(2n ** 31n) || v >= 2n ** 32n || (dtype === "i32" && v >= 2n ** 31n))) {
        throw new DataError(`Cannot store the 64-bit integer ${v} as ${dtype}: it is out of range`);
      }
      small[i] = Number(v);
    }
    return convert(small, dtype, "f32");
  }
  if (dtype === "bool") { for (let i = 0; i < data.length; i++) out[i] = data[i] !== 0 ? 1 : 0; }
  else if (dtype === "f16") out.set(floatToHalf(Float32Array.from(data)));
  else if (dtype === "f32" || dtype === natural) out.set(data as ArrayLike<number>);
  else {
    const [low, high] = RANGE[dtype];
    for (let i = 0; i < data.length; i++) {
      const v = Math.trunc(data[i]);
      if (!(v >= low && v <= high)) {
        throw new DataError(`Cannot store ${data[i]} as ${dtype}: whole numbers from ${low} to ${high} fit`);
      }
      out[i] = v;
    }
  }
  return out;
}

const RANGE: Record<"i32" | "u32" | "u8", readonly [number, number]> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  u8: [0, 255],
};

/** Nests flat elements by `shape`; a scalar is the element itself. */
export function toNested(data: ArrayLike<number>, shape: Shape, dtype: Dtype): NestedArray {
  let at = 0;
  const build = (depth: number): NestedArray => {
    if (depth === shape.length) return dtype === "bool" ? data[at++] !== 0 : data[at++];
    return Array.from({ length: shape[depth] }, () => build(depth + 1));
  };
  return build(0);
}
