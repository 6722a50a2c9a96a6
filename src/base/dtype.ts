/**
 * Element types.
 *
 * @module
 */
import { DtypeError } from "./errors.ts";

/**
 * Types a tensor can have. `u8` is storage only: loading it gives `i32`. `f16`, IEEE half precision, is a type of storage, too:
 * loading it gives `f32`, and what is stored has been rounded to it.
 */
export type Dtype = "f32" | "i32" | "u32" | "bool" | "u8" | "f16";

/** Types a value has inside a kernel. */
export type ValueType = "f32" | "i32" | "u32" | "bool";

/** Host arrays that hold a tensor's elements; `bool` uses `Uint32Array` with 0 and 1, `f16` a `Float32Array`. */
export type HostArray = Float32Array | Int32Array | Uint32Array | Uint8Array;

/** Host arrays as memory holds the elements: of `f16` the bits of its numbers. */
export type StoredArray = HostArray | Uint16Array;

/** Bytes of one element in device memory. A `bool` takes four: WGSL has no smaller one. */
export function bytesPerElement(dtype: Dtype): number {
  return dtype === "u8" ? 1 : dtype === "f16" ? 2 : 4;
}

/** The type of a value that was loaded from storage of `dtype`. */
export function valueType(dtype: Dtype): ValueType {
  return dtype === "u8" ? "i32" : dtype === "f16" ? "f32" : dtype;
}

/** Whether elements are numbers with a fraction, through which gradients flow. */
export function isFloat(dtype: Dtype): boolean {
  return dtype === "f32" || dtype === "f16";
}

/** A zero-filled host array of `length` elements for `dtype`. */
export function hostArray(dtype: Exclude<Dtype, "f16">, length: number): HostArray;
/** The same, as memory holds it. */
export function hostArray(dtype: Dtype, length: number): StoredArray;
export function hostArray(dtype: Dtype, length: number): StoredArray {
  switch (dtype) {
    case "f32":
      return new Float32Array(length);
    case "i32":
      return new Int32Array(length);
    case "u32":
    case "bool":
      return new Uint32Array(length);
    case "u8":
      return new Uint8Array(length);
    case "f16":
      return new Uint16Array(length);
    default:
      throw new DtypeError(`Cannot make an array of ${dtype as string}: the types are f32, f16, i32, u32, bool and u8`);
  }
}

/** Views `bytes` (copied if misaligned) as the host array of `dtype`. */
export function viewAs(dtype: Dtype, bytes: Uint8Array): StoredArray {
  if (dtype === "u8") return bytes;
  const buffer = bytes.byteOffset % bytesPerElement(dtype) === 0 ? bytes : bytes.slice();
  if (dtype === "f16") return new Uint16Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.byteLength >> 1);
  const length = buffer.byteLength >> 2;
  switch (dtype) {
    case "f32":
      return new Float32Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, length);
    case "i32":
      return new Int32Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, length);
    default:
      return new Uint32Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, length);
  }
}
