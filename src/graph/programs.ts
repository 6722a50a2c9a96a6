/**
 * Compiled programs: what one device has of them, and how they are run.
 *
 * @module
 */
import type { Device, DeviceBuffer, Executable } from "../device/contract.ts";
import type { Collected } from "./collect.ts";
import { lower, type Lowered } from "./lower/mod.ts";
import { ResultPool } from "./result_pool.ts";
import type { Storage } from "./storage.ts";

/** A compiled program, with the numbers that travel with each of its runs. */
export interface Entry {
  readonly key: Int32Array;
  readonly lowered: Lowered;
  readonly executable: Executable;
  readonly bytes: number;
  lastUsed: number;
  /** Whether it is compiled no more: it had to make room. */
  gone: boolean;
  readonly params: Uint8Array;
  readonly f32: Float32Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
}

/** What a program works on: memory, and values that travel with the run. */
export type Values = Pick<Collected, "storages" | "scalars" | "arrays">;

/** What cached programs may take, on the device and on the host; the least recently used go first. */
const CACHE_BYTES = 2 ** 30;
/** How many programs may be cached: as many shapes as a loop may use in turn. */
const CACHE_PROGRAMS = 1024;
/** Bytes that a program takes on the host, about: itself, and for each of its kernels and instructions. */
const HOST_BYTES = { program: 20_000, kernel: 2000, instruction: 300 } as const;

/** Limits of a cache of programs. */
export interface CacheLimits {
  readonly bytes?: number;
  readonly programs?: number;
}

/** What a program takes on the device and on the host. */
function bytesOf({ program: { slots, kernels }, paramWords }: Lowered, key: Int32Array): number {
  let sum = HOST_BYTES.program + key.byteLength + 8 * paramWords;
  for (const { kind, bytes } of slots) if (kind === "temporary") sum += bytes;
  for (const k of kernels) sum += HOST_BYTES.kernel + ("body" in k ? k.body.length * HOST_BYTES.instruction : 0);
  return sum;
}

/** What one device has compiled, and where its small results go. */
export class DeviceRuntime {
  readonly device: Device;
  readonly results: ResultPool;
  readonly #cache = new Map<number, Entry[]>();
  readonly #limits: Required<CacheLimits>;
  #cachedBytes = 0;
  #cached = 0;
  #clock = 0;

  constructor(device: Device, { bytes = CACHE_BYTES, programs = CACHE_PROGRAMS }: CacheLimits = {}) {
    this.#limits = { bytes, programs };
    this.device = device;
    this.results = new ResultPool(device);
  }

  /** The program of `c`, compiled if it is new; `early` is the program if it was made before there was a device. */
  entry(c: Collected, early: Lowered | null = null): Entry {
    // programs made early place their results otherwise, so they are none for later runs
    const hash = early === null ? c.hash : ~c.hash;
    const bucket = this.#cache.get(hash);
    if (bucket !== undefined) {
      for (const entry of bucket) {
        if (sameKey(entry.key, c.key)) return entry;
      }
    }
    const key = c.key.slice();
    const lowered = early ?? lower(c, this.device.profile);
    const executable = this.device.compile(lowered.program);
    const params = new Uint8Array(lowered.paramWords * 4);
    const bytes = bytesOf(lowered, key);
    const entry: Entry = {
      key,
      lowered,
      executable,
      bytes,
      lastUsed: ++this.#clock,
      gone: false,
      params,
      f32: new Float32Array(params.buffer),
      i32: new Int32Array(params.buffer),
      u32: new Uint32Array(params.buffer),
    };
    const list = this.#cache.get(hash);
    if (list === undefined) this.#cache.set(hash, [entry]);
    else list.push(entry);
    this.#cachedBytes += bytes;
    this.#cached++;
    this.#evict(entry);
    return entry;
  }

  /** Makes room: an eighth of the programs at least, so that it is seldom looked for. */
  #evict(newest: Entry): void {
    const { bytes, programs } = this.#limits;
    if (this.#cachedBytes <= bytes && this.#cached <= programs) return;
    const byAge = [...this.#cache].flatMap(([hash, bucket]) => bucket.map((entry) => ({ hash, entry })))
      .filter(({ entry }) => entry !== newest).sort((a, b) => a.entry.lastUsed - b.entry.lastUsed);
    const most = this.#cached > programs ? programs - (programs >> 3) : programs;
    for (const { hash, entry } of byAge) {
      if (this.#cachedBytes <= bytes && this.#cached <= most) return;
      const rest = this.#cache.get(hash)!.filter((e) => e !== entry);
      if (rest.length > 0) this.#cache.set(hash, rest);
      else this.#cache.delete(hash);
      this.#cachedBytes -= entry.bytes;
      this.#cached--;
      entry.gone = true;
      entry.executable.dispose();
    }
  }

  /** Runs a program that was compiled before, on other memory and with other numbers. */
  run(entry: Entry, c: Values, outputs: readonly (Storage | null)[]): void {
    entry.lastUsed = ++this.#clock;
    const { lowered } = entry;
    const { device } = this;
    const bound: DeviceBuffer[] = [];
    for (const i of lowered.boundStorages) bound.push(c.storages[i].ensure(device));
    for (const i of lowered.largeRoots) bound.push(outputs[i]!.ensure(device, false));
    const { words } = lowered;
    if (lowered.pooledRoots.length > 0) {
      const held = lowered.pooledRoots.map((i) => outputs[i]!);
      const { buffer, base } = this.results.place(held, lowered.poolOffsets, lowered.poolBytes, bound);
      bound.push(buffer);
      entry.u32[words.pool] = base >> 2;
    }
    for (let i = 0; i < words.bases.length; i++) {
      const { storage, word, shift } = words.bases[i];
      entry.u32[word] = c.storages[storage].base >> shift;
    }
    for (let i = 0; i < c.scalars.length; i++) {
      const word = words.scalars[i];
      if (word < 0) continue;
      const { dtype, value } = c.scalars[i];
      if (dtype === "f32") entry.f32[word] = value;
      else if (dtype === "i32") entry.i32[word] = value;
      else entry.u32[word] = value;
    }
    for (let i = 0; i < c.arrays.length; i++) {
      const data = c.arrays[i].array!;
      const word = words.arrays[i];
      if (word < 0) continue;
      if (data instanceof Float32Array) entry.f32.set(data, word);
      else if (data instanceof Int32Array) entry.i32.set(data, word);
      else entry.u32.set(data, word);
    }
    if (lowered.program.kernels.length > 0) device.run(entry.executable, bound, entry.params);
  }
}

/** Whether two programs are the same. */
export function sameKey(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
