/**
 * States as text and arrays: JSON for what is small, a list of named arrays for the rest.
 *
 * @module
 */
import { CheckpointError, ConfigError } from "../base/errors.ts";
import { Tensor, tensor } from "../tensor/mod.ts";
import { nestedDeeper } from "./json_depth.ts";
import type { HostTensor } from "./safetensors.ts";
import { isDict, type StateDict, type StateValue } from "./state_dict.ts";

/** Lists of at least this many numbers leave the text. */
const LONG = 24;
/** Deepest nesting of a state. */
const MAX_DEPTH = 24;

/** A state as text, and what it refers to by name: tensors, and copies of arrays. */
export interface EncodedState {
  readonly text: string;
  readonly arrays: ReadonlyMap<string, Tensor | HostTensor>;
}

/** Reads an array that the text refers to; throws where there is none. */
export type ArrayLookup = (name: string) => Promise<HostTensor>;

/**
 * Takes a state apart, at once: what changes later is copied, but for tensors, which are kept.
 *
 * @throws ConfigError for what a state cannot hold.
 */
export function encodeState(state: StateDict): EncodedState {
  const arrays = new Map<string, Tensor | HostTensor>();
  const keep = (path: string, value: Tensor | HostTensor): string => {
    let name = path;
    for (let i = 2; arrays.has(name); i++) name = `${path}~${i}`;
    arrays.set(name, value);
    return name;
  };
  const encode = (value: StateValue, path: string, depth: number): unknown => {
    if (depth > MAX_DEPTH) throw new ConfigError(`Cannot save ${path}: it is nested more than ${MAX_DEPTH} deep`);
    if (typeof value === "number") return plain(value) ? value : { $number: text(value) };
    if (value === null || typeof value === "boolean" || typeof value === "string") return value;
    if (value instanceof Tensor) return { $tensor: keep(path, value), dtype: value.dtype };
    if (value instanceof Float64Array) return { $f64: keep(path, bytesOf(value)) };
    if (value instanceof Float32Array) return { $f32: keep(path, host("f32", value.slice())) };
    if (value instanceof Int32Array) return { $i32: keep(path, host("i32", value.slice())) };
    if (value instanceof Uint8Array) return { $u8: keep(path, host("u8", value.slice())) };
    if (isList(value)) {
      if (value.length >= LONG && value.every((v) => typeof v === "number")) {
        return { $f64: keep(path, bytesOf(Float64Array.from(value as readonly number[]))) };
      }
      return value.map((v, i) => encode(v, `${path}/${i}`, depth + 1));
    }
    if (!isDict(value) || !isPlain(value)) {
      throw new ConfigError(`Cannot save ${path}: a state holds plain data, typed arrays and tensors`);
    }
    const out: Record<string, unknown> = Object.create(null);
    for (const [name, v] of Object.entries(value)) {
      if (v !== undefined) out[name.startsWith("$") ? `$${name}` : name] = encode(v, `${path}/${name}`, depth + 1);
    }
    return out;
  };
  const out: Record<string, unknown> = Object.create(null);
  for (const [name, v] of Object.entries(state)) if (v !== undefined) out[name] = encode(v, name, 1);
  return { text: JSON.stringify(out), arrays };
}

/**
 * Puts a state together again.
 *
 * @param what Names the file in errors.
 * @throws CheckpointError for text that is no state.
 */
export async function decodeState(json: string, lookup: ArrayLookup, what: string): Promise<StateDict> {
  const fail = (why: string): CheckpointError => new CheckpointError(`Cannot read ${what}: ${why}`);
  if (nestedDeeper(json, MAX_DEPTH + 1)) throw fail(`it is nested more than ${MAX_DEPTH} deep`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    throw fail(`it is not JSON (${error instanceof Error ? error.message : error})`);
  }
  const decode = async (value: unknown, depth: number): Promise<StateValue> => {
    if (depth > MAX_DEPTH) throw fail(`it is nested more than ${MAX_DEPTH} deep`);
    if (value === null || typeof value === "boolean" || typeof value === "number" || typeof value === "string") {
      return value;
    }
    if (Array.isArray(value)) {
      const list: StateValue[] = [];
      for (const v of value) list.push(await decode(v, depth + 1));
      return list;
    }
    const entries = Object.entries(value as Record<string, unknown>);
    const [kind, of] = entries[0] ?? [""];
    if (/^\$[a-z]/.test(kind)) return await special(kind, of, entries.find(([k]) => k === "dtype")?.[1]);
    const out: Record<string, StateValue> = Object.create(null);
    for (const [name, v] of entries) out[name.startsWith("$$") ? name.slice(1) : name] = await decode(v, depth + 1);
    return out;
  };
  const used = new Set<string>();
  const special = async (kind: string, of: unknown, dtype: unknown): Promise<StateValue> => {
    if (typeof of !== "string") throw fail(`${kind} is followed by no text`);
    if (kind === "$number") {
      const value = NUMBERS.get(of);
      if (value === undefined) throw fail(`${JSON.stringify(of)} is no number`);
      return value;
    }
    if (used.has(of)) throw fail(`it refers to ${of} twice`); // memory stays within the files' own size
    used.add(of);
    const found = await lookup(of);
    const wrong = (): CheckpointError => fail(`${of} is of another type than its ${kind}`);
    const { data, shape } = found;
    if (kind === "$tensor") {
      if (dtype === "u32" && data instanceof Int32Array) {
        return tensor(new Uint32Array(data.buffer, data.byteOffset, data.length), { shape: [...shape], dtype: "u32" });
      }
      if (dtype !== found.dtype) throw wrong();
      return tensor(data, { shape: [...shape], dtype: found.dtype });
    }
    if (kind === "$f32" && data instanceof Float32Array) return data;
    if (kind === "$i32" && data instanceof Int32Array) return data;
    if (data instanceof Uint8Array) {
      if (kind === "$u8") return data;
      if (kind === "$f64" && data.byteLength % 8 === 0) return new Float64Array(data.slice().buffer);
    }
    throw wrong();
  };
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) throw fail("it is no object");
  const state = await decode(parsed, 0);
  if (!isDict(state)) throw fail("it is no state");
  return state;
}

const NUMBERS: ReadonlyMap<string, number> = new Map([
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
  ["-0", -0],
]);

/** Whether JSON keeps a number. */
function plain(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0);
}

function text(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function isList(value: StateValue): value is readonly StateValue[] {
  return Array.isArray(value);
}

function isPlain(value: object): boolean {
  const proto: unknown = Object.getPrototypeOf(value);
  return proto === Object.prototype || proto === null;
}

function host(dtype: "f32" | "i32" | "u8", data: Float32Array | Int32Array | Uint8Array): HostTensor {
  return { dtype, shape: [data.length], data: data as HostTensor["data"] };
}

function bytesOf(data: Float64Array): HostTensor {
  const copy = data.slice();
  return host("u8", new Uint8Array(copy.buffer));
}
