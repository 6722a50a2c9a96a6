/**
 * Tensors in files, in the safetensors format: nothing but names, shapes and numbers, so that a file cannot run anything.
 *
 * @module
 * @see https://huggingface.co/docs/safetensors
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import type { HostArray } from "../base/dtype.ts";
import { DataError, DtypeError } from "../base/errors.ts";
import { sizeOf } from "../base/shape.ts";
import { writeAtomic } from "../base/atomic.ts";
import { openRanges, type ReadRange } from "../base/file_ranges.ts";
import { bfloatToFloat, floatToBfloat, floatToHalf, halfToFloat } from "../base/half.ts";
import {
  FILE_DTYPE_BYTES,
  type FileDtype,
  type FileEntry,
  type FileHeader,
  headerLength,
  parseHeader,
} from "./safetensors_header.ts";

/** Numbers with a shape, on the host. */
export interface HostTensor {
  /** Type of the elements. */
  readonly dtype: "f32" | "i32" | "u8" | "bool";
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  /** Row-major; for `bool` a `Uint32Array` of 0 and 1. */
  readonly data: HostArray;
}

/** An open file: its header has been checked, its numbers are read when asked for. */
export interface SafetensorsFile {
  /** Names of the tensors, in the order of the header. */
  readonly names: readonly string[];
  /** Free text that the writer added. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Type (as in the file) and shape of a tensor. */
  info(name: string): { readonly dtype: string; readonly shape: readonly number[] };
  /**
   * Reads one tensor. F64, F16 and BF16 become f32; I64, I16, I8, U64, U32 and U16 become i32.
   *
   * @throws DataError where a value does not fit; DtypeError where a type has no counterpart here, as F8 and C64.
   */
  tensor(name: string): Promise<HostTensor>;
}

/**
 * Opens a file and checks its header. Only the header is read now.
 *
 * @throws DataError where there is no such file, or it is no safetensors, torn or damaged.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const { size, range } = await openRanges(path);
  const length = headerLength(await range(0, Math.min(8, size)), size, path);
  return fileOf(await parseHeader(await range(8, 8 + length), size, path), range, path);
}

/** The same for a file that is in memory. `what` names it in errors. */
export async function parseSafetensors(bytes: Uint8Array, what = "the bytes"): Promise<SafetensorsFile> {
  const length = headerLength(bytes.subarray(0, 8), bytes.byteLength, what);
  const header = await parseHeader(bytes.subarray(8, 8 + length), bytes.byteLength, what);
  return fileOf(header, (start, end) => Promise.resolve(bytes.slice(start, end)), what);
}

function fileOf({ entries, metadata }: FileHeader, range: ReadRange, what: string): SafetensorsFile {
  const entry = (name: string): FileEntry => {
    const found = entries.get(name);
    if (found === undefined) {
      throw new DataError(`Cannot find tensor ${JSON.stringify(name)} in ${what}: it has ${entries.size} others`);
    }
    return found;
  };
  return {
    names: [...entries.keys()],
    metadata,
    info: (name) => ({ dtype: entry(name).dtype, shape: entry(name).shape }),
    tensor: async (name) => {
      const { dtype, shape, start, end } = entry(name);
      if (!Object.hasOwn(FILE_DTYPE_BYTES, dtype)) {
        throw new DtypeError(
          `Cannot read tensor ${JSON.stringify(name)} of ${what}: its type ${dtype} has no counterpart here`,
        );
      }
      return {
        shape,
        ...decodeNumbers(await range(start, end), dtype as FileDtype, `tensor ${JSON.stringify(name)} of ${what}`),
      };
    },
  };
}

/**
 * Numbers as files have them, little-endian; `bytes` are all of their buffer. `what` names them in errors.
 */
export function decodeNumbers(
  bytes: Uint8Array,
  dtype: FileDtype,
  what: string,
): Pick<HostTensor, "dtype" | "data"> {
  const { buffer } = bytes as Uint8Array<ArrayBuffer>;
  switch (dtype) {
    case "F32":
      return { dtype: "f32", data: new Float32Array(buffer) };
    case "F64":
      return { dtype: "f32", data: Float32Array.from(new Float64Array(buffer), (v) => narrowed(v, what)) };
    case "I16":
      return { dtype: "i32", data: Int32Array.from(new Int16Array(buffer)) };
    case "I8":
      return { dtype: "i32", data: Int32Array.from(new Int8Array(buffer)) };
    case "F16":
      return { dtype: "f32", data: halfToFloat(new Uint16Array(buffer)) };
    case "BF16":
      return { dtype: "f32", data: bfloatToFloat(new Uint16Array(buffer)) };
    case "I32":
      return { dtype: "i32", data: new Int32Array(buffer) };
    case "U8":
      return { dtype: "u8", data: bytes };
    case "BOOL":
      if (bytes.some((b) => b > 1)) throw new DataError(`Cannot read ${what}: a BOOL is neither 0 nor 1`);
      return { dtype: "bool", data: Uint32Array.from(bytes) };
    case "I64":
      return { dtype: "i32", data: Int32Array.from(new BigInt64Array(buffer), (v) => whole(v, what)) };
    case "U64":
      return { dtype: "i32", data: Int32Array.from(new BigUint64Array(buffer), (v) => whole(v, what)) };
    case "U32":
      return { dtype: "i32", data: Int32Array.from(new Uint32Array(buffer), (v) => whole(v, what)) };
    case "U16":
      return { dtype: "i32", data: Int32Array.from(new Uint16Array(buffer)) };
  }
}

/** An f64 as f32, rounded. */
function narrowed(value: number, what: string): number {
  if (Number.isFinite(value) && !Number.isFinite(Math.fround(value))) {
    throw new DataError(`Cannot read ${what}: ${value} does not fit f32`);
  }
  return value;
}

function whole(value: bigint | number, what: string): number {
  const number = Number(value);
  if (number !== (number | 0)) throw new DataError(`Cannot read ${what}: ${value} does not fit i32`);
  return number;
}

/** What to write: numbers, and the type to write them as where it is not their own. */
export interface OutTensor extends HostTensor {
  /** Narrower or wider type in the file: F16 or BF16 for f32, I64 for i32. */
  readonly as?: FileDtype;
}

const FILE_DTYPE: Readonly<Record<HostTensor["dtype"], FileDtype>> = { f32: "F32", i32: "I32", u8: "U8", bool: "BOOL" };

/** The bytes of a file that holds `tensors`, in parts. Wide types come first, so that every tensor is aligned to its type. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, OutTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const list = [...tensors].map(([name, t]) => {
    if (t.data.length !== sizeOf(t.shape)) {
      throw new DataError(
        `Cannot write tensor ${JSON.stringify(name)}: shape [${t.shape}] needs ${
          sizeOf(t.shape)
        } numbers, got ${t.data.length}`,
      );
    }
    const dtype = t.as ?? FILE_DTYPE[t.dtype];
    return { name, dtype, shape: t.shape, bytes: encode(t, dtype, name) };
  });
  list.sort((a, b) => FILE_DTYPE_BYTES[b.dtype] - FILE_DTYPE_BYTES[a.dtype]);
  const header: Record<string, unknown> = Object.create(null);
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let at = 0;
  for (const { name, dtype, shape, bytes } of list) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.byteLength] };
    at += bytes.byteLength;
  }
  let text = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array((text.byteLength + 7) & ~7).fill(0x20);
  padded.set(text);
  text = padded;
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.byteLength), true);
  return [length, text, ...list.map((t) => t.bytes)];
}

function encode(t: OutTensor, dtype: FileDtype, name: string): Uint8Array {
  const bytes = (a: ArrayBufferView) => new Uint8Array(a.buffer as ArrayBuffer, a.byteOffset, a.byteLength);
  const { data } = t;
  if (data instanceof Float32Array) {
    if (dtype === "F32") return bytes(data);
    if (dtype === "F16") return bytes(floatToHalf(fitting(data, dtype, name)));
    if (dtype === "BF16") return bytes(floatToBfloat(fitting(data, dtype, name)));
  } else if (t.dtype === "i32") {
    if (dtype === "I32") return bytes(data);
    if (dtype === "I64") return bytes(BigInt64Array.from(data, (v) => BigInt(v)));
  } else if (t.dtype === "bool" && dtype === "BOOL") return Uint8Array.from(data, (v) => v === 0 ? 0 : 1);
  else if (t.dtype === "u8" && dtype === "U8") return bytes(data);
  throw new DtypeError(
    `Cannot write tensor ${JSON.stringify(name)} of ${t.dtype} as ${dtype}: choose F16 or BF16 for f32, I64 for i32`,
  );
}

/** From where on numbers become infinite: half a step above the largest one. */
const BEYOND = { F16: 65520, BF16: (2 - 2 ** -8) * 2 ** 127 } as const;

/** Numbers of which none becomes infinite; those that are stay so. */
function fitting(data: Float32Array, dtype: keyof typeof BEYOND, name: string): Float32Array {
  const large = data.find((v) => Math.abs(v) >= BEYOND[dtype] && Math.abs(v) < Infinity);
  if (large === undefined) return data;
  throw new DataError(
    `Cannot write tensor ${JSON.stringify(name)} as ${dtype}: its numbers must be below ${
      BEYOND[dtype]
    }, got ${large}; ` +
      `${dtype === "F16" ? "BF16 and F32 have" : "F32 has"} it`,
  );
}

/** Writes a file as a whole or not at all. */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, OutTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeAtomic(path, encodeSafetensors(tensors, metadata));
}
