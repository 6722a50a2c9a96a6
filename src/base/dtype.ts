/**
 * Element types.
 *
 * @module
 */
import { DtypeError } from "./errors.ts";

/** Types a tensor can have in computations. `u8` is storage only: loading it gives `i32`. */
export type Dtype = "f32" | "i32" | "u32" | "bool" | "u8";

/** Types a value has inside a kernel. */
export type ValueType = "f32" | "i32" | "u32" | "bool";

/** Host arrays that hold a tensor's elements; `bool` uses `Uint32Array` with 0 and 1. */
export type HostArray = Float32Array | Int32Array | Uint32Array | Uint8Array;

/** Bytes of one element in device memory. A `bool` takes four: WGSL has no smaller one. */
export function bytesPerElement(dtype: Dtype): number {
  return dtype === "u8" ? 1 : 4;
}

/** The type of a value that was loaded from storage of `dtype`. */
export function valueType(dtype: Dtype): ValueType {
  return dtype === "u8" ? "i32" : dtype;
}

/** A zero-filled host array of `length` elements for `dtype`. */
export function hostArray(dtype: Dtype, length: number): HostArray {
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
    default:
      throw new DtypeError(`Cannot make an array of ${dtype as string}: the types are f32, i32, u32, bool and u8`);
  }
}

/** Views `bytes` (copied if misaligned) as the host array of `dtype`. */
export function viewAs(dtype: Dtype, bytes: Uint8Array): HostArray {
  if (dtype === "u8") return bytes;
  const buffer = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
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
