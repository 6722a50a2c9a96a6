/**
 * Items become a batch.
 *
 * @module
 */
import { type Dtype, isFloat } from "../base/dtype.ts";
import { AnnealError, DataError } from "../base/errors.ts";
import { fmtShape, sameShape, sizeOf } from "../base/shape.ts";
import { type Rng, stack, Tensor, tensor, type TypedArray } from "../tensor/mod.ts";
import { type Nested, toHost } from "../tensor/nested.ts";
import type { Dataset, ItemPart } from "./dataset.ts";

/**
 * The items of a dataset as one batch.
 *
 * @param items Their numbers.
 * @param drawsOf The random numbers of the `k`-th of them.
 * @throws DataError Where an item cannot be got, or does not go with the others; it names the item.
 */
export async function batchOf(
  dataset: Dataset,
  items: readonly number[],
  drawsOf: (k: number) => Rng,
): Promise<Tensor[]> {
  const got = await Promise.all(items.map(async (i, k): Promise<readonly ItemPart[]> => {
    try {
      return await dataset.get(i, drawsOf(k));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new DataError(`Cannot get item ${i}: ${reason}`, { cause: error });
    }
  }));
  const bare = got.findIndex((item) => !Array.isArray(item) || item.length === 0);
  if (bare >= 0) {
    throw new DataError(`Cannot batch item ${items[bare]}: get() gives a list of inputs and targets, as [x, y]`);
  }
  const width = got[0].length;
  const odd = got.findIndex((item) => item.length !== width);
  if (odd >= 0) {
    throw new DataError(
      `Cannot batch items ${items[0]} and ${items[odd]}: one has ${width} parts, the other ${got[odd].length}`,
    );
  }
  return got[0].map((_, part) => collate(got.map((item) => item[part]), items, dataset.dtypes?.[part], part));
}

/** One part of one item: its numbers, and the type that they have by themselves. */
interface Read {
  readonly shape: readonly number[];
  readonly data: TypedArray | null;
  readonly tensor: Tensor | null;
  /** Of a single number: null. */
  readonly dtype: Dtype | null;
}

/**
 * One tensor of the parts of several items. Where their types differ, it has one that holds them all: f32 beside f32 or f16,
 * else i32.
 *
 * @param items The items' numbers, for errors.
 * @param place Which part of the items it is, from 0.
 * @throws DataError Where a part is no numbers, has another shape, or holds a number that does not fit; it names the item.
 */
export function collate(parts: readonly ItemPart[], items: readonly number[], dtype?: Dtype, place = 0): Tensor {
  const reads = parts.map((part, i) => read(part, items[i], place));
  const [{ shape }] = reads;
  const odd = reads.findIndex((r) => !sameShape(r.shape, shape));
  if (odd >= 0) {
    throw new DataError(
      `Cannot batch items ${items[0]} and ${items[odd]}: one has shape ${fmtShape(shape)}, the other ${
        fmtShape(reads[odd].shape)
      }`,
    );
  }
  const wanted = dtype ?? common(reads);
  if (reads.some((r) => r.tensor !== null)) {
    const all = reads.map((r) => r.tensor ?? tensor(r.data!, { shape: [...shape] }));
    return stack(all.some((t) => t.dtype !== all[0].dtype) ? all.map((t) => t.cast(wanted)) : all).cast(wanted);
  }
  const size = sizeOf(shape), data = reads.map((r) => r.data!);
  const own = data[0].constructor as new (n: number) => Float32Array;
  const same = data.every((d) => d.constructor === own);
  const wide = data[0] instanceof Float64Array || data[0] instanceof BigInt64Array || data[0] instanceof BigUint64Array;
  if (!same || wide || wanted !== reads[0].dtype) checkRange(reads, items, wanted, place);
  const all = same ? new own(size * parts.length) : new Float64Array(size * parts.length);
  data.forEach((d, i) => {
    const whole = !same && (d instanceof BigInt64Array || d instanceof BigUint64Array)
      ? Float64Array.from(d, Number)
      : d;
    all.set(whole as Float32Array, i * size);
  });
  return tensor(all, { shape: [parts.length, ...shape], dtype: wanted });
}

/** The type that holds all of them; single numbers are i32 where all are whole. */
function common(reads: readonly Read[]): Dtype {
  const types = new Set(reads.map((r) => r.dtype ?? (Number.isInteger(r.data![0]) ? "i32" : "f32")));
  if (types.size === 1) return [...types][0] as Dtype;
  return [...types].some(isFloat) ? "f32" : "i32";
}

function read(part: ItemPart, item: number, place: number): Read {
  if (part instanceof Tensor) return { shape: part.shape, data: null, tensor: part, dtype: part.dtype };
  return readPart(part, `item ${item}: its part ${place}, counted from 0,`);
}

/** Reads a part that is no tensor; `where` names it in errors. */
export function readPart(value: unknown, where = "an item: a part of it"): Read & { readonly data: TypedArray } {
  const fail = (what: string): never => {
    throw new DataError(`Cannot batch ${where} ${what}`);
  };
  if (typeof value === "number" || typeof value === "boolean") {
    return { shape: [], data: Float64Array.of(Number(value)), tensor: null, dtype: null };
  }
  if (typeof value === "string") {
    fail(`is the text ${JSON.stringify(value)}; a label is a number, such as the text's place in a list of classes`);
  }
  if (typeof value !== "object" || value === null) fail(`is ${typeof value === "object" ? "null" : typeof value}`);
  try {
    const given = value as { data?: unknown; shape?: unknown };
    if (Array.isArray(value) || ArrayBuffer.isView(value)) return ofArray(value as Nested | TypedArray);
    if (!("data" in given) || !Array.isArray(given.shape)) fail("is no number, array, tensor or { data, shape }");
    const { data, shape } = given as { data: Nested | TypedArray; shape: readonly number[] };
    const own = ofArray(data), size = sizeOf(shape);
    if (own.data.length !== size) fail(`of shape ${fmtShape(shape)} does not fit its ${own.data.length} numbers`);
    return { ...own, shape };
  } catch (cause) {
    if (!(cause instanceof AnnealError) || cause.message.startsWith("Cannot batch")) throw cause;
    return fail(`cannot be used: ${cause.message}`);
  }
}

const DTYPES: readonly (readonly [Dtype, readonly string[]])[] = [
  ["u8", ["Uint8Array", "Uint8ClampedArray"]],
  ["u32", ["Uint32Array"]],
  ["f32", ["Float32Array", "Float64Array"]],
];

function ofArray(value: Nested | TypedArray): Read & { readonly data: TypedArray } {
  if (!ArrayBuffer.isView(value) || value instanceof DataView) {
    const { data, shape, dtype } = toHost(value as Nested);
    // what is not a typed array has numbers as tensor() takes them; truth values are 0 and 1
    return { shape, data: data as TypedArray, tensor: null, dtype: dtype === "bool" ? "i32" : dtype };
  }
  const data = value as TypedArray, name = data.constructor.name;
  const dtype = DTYPES.find(([, names]) => names.includes(name))?.[0] ?? "i32";
  return { shape: [data.length], data, tensor: null, dtype };
}

const RANGES: Partial<Record<Dtype, readonly [number, number]>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  u8: [0, 255],
};

/** Refuses numbers that the type of the batch does not hold. */
function checkRange(reads: readonly Read[], items: readonly number[], dtype: Dtype, place: number): void {
  const range = RANGES[dtype];
  if (range === undefined) return;
  reads.forEach(({ data }, i) => {
    for (const v of data!) {
      if (v >= range[0] && v <= range[1]) continue;
      throw new DataError(
        `Cannot batch item ${
          items[i]
        }: its part ${place}, counted from 0, holds ${v}, beyond ${dtype}, which goes from ` +
          `${range[0]} to ${range[1]}; the dataset's dtypes say what a part is, such as "f32"`,
      );
    }
  });
}
