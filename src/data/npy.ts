/**
 * Arrays in numpy's files.
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import type { HostArray } from "../base/dtype.ts";
import { AnnealError, ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, texts } from "../base/options.ts";
import { halfToFloat } from "../base/half.ts";
import { sizeOf } from "../base/shape.ts";
import { type RandomAccess, randomAccess } from "./random_access.ts";

/** An array of a file, as `DataLoaders.fromArrays` and `tensor` take it. */
export interface FileArray {
  /** Elements, row-major. */
  readonly data: HostArray;
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  /** Type of the elements. */
  readonly dtype: "f32" | "i32" | "u8" | "bool";
}

/** Bytes of an element, by numpy's letter and size. */
const READABLE = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"] as const;
type Readable = typeof READABLE[number];

/** See `readNpy` of `readers.ts`. */
export async function readNpy(file: string): Promise<FileArray> {
  return arrayOf(new Uint8Array(await (await randomAccess(file)).slice(0)), file);
}

/** See `readNpz` of `readers.ts`. */
export async function readNpz(
  file: string,
  options: { readonly names?: readonly string[] } = {},
): Promise<Record<string, FileArray>> {
  const { names } = checkOptions("read arrays", options, { names: texts });
  try {
    return await members(file, await randomAccess(file), names);
  } catch (cause) {
    if (cause instanceof AnnealError) throw cause;
    throw new DataError(`Cannot read ${file} as .npz: it is damaged, ${(cause as Error).message}`, { cause });
  }
}

async function members(
  file: string,
  open: RandomAccess,
  wanted: readonly string[] | undefined,
): Promise<Record<string, FileArray>> {
  const start = String.fromCharCode(...new Uint8Array(await open.slice(0, 6)));
  if (start === "\x93NUMPY") throw new DataError(`Cannot read ${file} as .npz: it is one array, readNpy reads it`);
  if (!start.startsWith("PK")) throw new DataError(`Cannot read ${file} as .npz: it is no zip archive`);
  const { Reader, Uint8ArrayWriter, ZipReader } = await import("@zip.js/zip.js");
  class FileReader extends Reader<RandomAccess> {
    override size = open.byteLength;
    override async readUint8Array(at: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
      return new Uint8Array(await open.slice(at, at + length));
    }
  }
  const zip = new ZipReader(new FileReader(open), { useWebWorkers: false });
  try {
    const entries = (await zip.getEntries()).filter((entry) => !entry.directory);
    const name = (path: string) => path.replace(/\.npy$/, ""), all = entries.map((entry) => name(entry.filename));
    const missing = wanted?.find((w) => !all.includes(w));
    if (missing !== undefined) {
      throw new ConfigError(`Cannot read "${missing}" of ${file}: its arrays are ${all.join(", ") || "none"}`);
    }
    const out: Record<string, FileArray> = Object.create(null);
    for (const entry of entries) {
      if (wanted !== undefined && !wanted.includes(name(entry.filename))) continue;
      if (entry.encrypted) throw new DataError(`Cannot read ${file}: it is encrypted`);
      const bytes = await entry.getData(new Uint8ArrayWriter(), { checkSignature: true });
      out[name(entry.filename)] = arrayOf(bytes, `${name(entry.filename)} of ${file}`);
    }
    return out;
  } finally {
    await zip.close();
  }
}

/** The array of the bytes of a `.npy` file. */
function arrayOf(bytes: Uint8Array<ArrayBuffer>, what: string): FileArray {
  const fail = (why: string): never => {
    throw new DataError(`Cannot read ${what} as .npy: ${why}`);
  };
  const start = String.fromCharCode(...bytes.subarray(0, 6));
  if (start !== "\x93NUMPY") {
    fail(start.startsWith("PK") ? "it is a zip archive, readNpz reads it" : "such files begin with \\x93NUMPY");
  }
  const major = bytes[6], view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!(major >= 1 && major <= 3)) fail(`its version is ${major}, this release reads 1 to 3`);
  const first = major === 1 ? 10 : 12;
  if (bytes.length < first) fail("it ends in the middle of the header");
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (first + length > bytes.length) fail("it ends in the middle of the header");
  const header = new TextDecoder().decode(bytes.subarray(first, first + length));
  const descr = /'descr'\s*:\s*('([^']*)'|\[)/.exec(header), order = /'fortran_order'\s*:\s*(True|False)/.exec(header);
  const sizes = /'shape'\s*:\s*\(([\d,\sL]*)\)/.exec(header);
  if (descr === null || order === null || sizes === null) return fail(`its header is ${header.trim().slice(0, 80)}`);
  if (descr[1] === "[") fail("it holds structures; save each field by itself");
  const [mark, type] = /^([<>|=])(.*)$/.exec(descr[2])?.slice(1) ?? ["=", descr[2]];
  if (!(READABLE as readonly string[]).includes(type)) {
    fail(`it holds ${OTHERS[type[0]] ?? `elements of type ${descr[2]}`}; numbers, true and false are read`);
  }
  const shape = sizes[1].split(",").map((s) => s.trim().replace(/L$/, "")).filter((s) => s !== "").map(Number);
  const width = Number(type.slice(1)), n = sizeOf(shape), body = bytes.slice(first + length);
  if (!Number.isSafeInteger(n) || body.length !== n * width) {
    fail(`an array of [${shape.join(", ")}] ${descr[2]} has ${n * width} bytes, got ${body.length}`);
  }
  if (mark === ">" && width > 1) swap(body, width);
  const found = converted(body.buffer, type as Readable, what);
  const data = order[1] === "True" && shape.length > 1 ? rowMajor(found.data, shape) : found.data;
  return { data, shape, dtype: found.dtype };
}

const OTHERS: Readonly<Record<string, string>> = {
  O: "Python objects, which only Python can read",
  U: "texts",
  S: "bytes",
  c: "complex numbers",
  M: "dates",
  m: "durations",
  V: "structures",
};

function swap(bytes: Uint8Array, width: number): void {
  for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse();
}

function converted(buffer: ArrayBuffer, type: Readable, what: string): Omit<FileArray, "shape"> {
  const whole = (values: ArrayLike<number | bigint>) => {
    const data = new Int32Array(values.length);
    for (let i = 0; i < data.length; i++) {
      const value = Number(values[i]);
      if (value !== (value | 0)) throw new DataError(`Cannot read ${what}: element ${i} is ${values[i]}, beyond i32`);
      data[i] = value;
    }
    return { data, dtype: "i32" as const };
  };
  const float = (values: Float64Array) => {
    const data = Float32Array.from(values);
    const lost = data.findIndex((v, i) => Math.abs(v) === Infinity && Math.abs(values[i]) !== Infinity);
    if (lost >= 0) throw new DataError(`Cannot read ${what}: element ${lost} is ${values[lost]}, beyond f32`);
    return { data, dtype: "f32" as const };
  };
  switch (type) {
    case "f4":
      return { data: new Float32Array(buffer), dtype: "f32" };
    case "f8":
      return float(new Float64Array(buffer));
    case "f2":
      return { data: halfToFloat(new Uint16Array(buffer)), dtype: "f32" };
    case "i4":
      return { data: new Int32Array(buffer), dtype: "i32" };
    case "u1":
      return { data: new Uint8Array(buffer), dtype: "u8" };
    case "b1":
      return { data: Uint32Array.from(new Uint8Array(buffer), (v) => v === 0 ? 0 : 1), dtype: "bool" };
    case "i1":
      return whole(new Int8Array(buffer));
    case "i2":
      return whole(new Int16Array(buffer));
    case "i8":
      return whole(new BigInt64Array(buffer));
    case "u2":
      return whole(new Uint16Array(buffer));
    case "u4":
      return whole(new Uint32Array(buffer));
    case "u8":
      return whole(new BigUint64Array(buffer));
  }
}

/** Elements that lie column by column (the first axis fastest), row by row. */
function rowMajor(data: HostArray, shape: readonly number[]): HostArray {
  const out = data.slice(), strides: number[] = [];
  let stride = 1;
  for (const size of shape) {
    strides.push(stride);
    stride *= size;
  }
  const at = shape.map(() => 0);
  for (let i = 0, from = 0; i < out.length; i++) {
    out[i] = data[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++at[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      at[axis] = 0;
    }
  }
  return out;
}
