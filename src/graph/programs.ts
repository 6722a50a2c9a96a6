/**
 * Compiled programs: what one device has of them, and how they are run.
 *
 * @module
 */
import type { Device, DeviceBuffer, Executable } from "../device/contract.ts";
import type { Collected } from "./collect.ts";
import { lower, type Lowered } from "./lower/mod.ts";
import { Ring } from "./ring.ts";
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

/** Temporaries of cached programs may take this much; the least recently used go first. */
const CACHE_BYTES = 2 ** 30;

/** What one device has compiled, and where its small results go. */
export class Runtime {
  readonly device: Device;
  readonly ring: Ring;
  readonly #cache = new Map<number, Entry[]>();
  #cachedBytes = 0;
  #clock = 0;

  constructor(device: Device) {
    this.device = device;
    this.ring = new Ring(device);
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
    const bytes = lowered.program.slots.reduce((sum, s) => s.kind === "temporary" ? sum + s.bytes : sum, 0);
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
    this.#evict(entry);
    return entry;
  }

  #evict(keep: Entry): void {
    while (this.#cachedBytes > CACHE_BYTES) {
      let oldest: Entry | null = null, home = 0;
      for (const [hash, bucket] of this.#cache) {
        for (const e of bucket) {
          if (e !== keep && e.bytes > 0 && (oldest === null || e.lastUsed < oldest.lastUsed)) {
            [oldest, home] = [e, hash];
          }
        }
      }
      if (oldest === null) return;
      const gone = oldest;
      this.#cache.set(home, this.#cache.get(home)!.filter((e) => e !== gone));
      this.#cachedBytes -= gone.bytes;
      gone.gone = true;
      gone.executable.dispose();
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
    if (lowered.ringRoots.length > 0) {
      const held = lowered.ringRoots.map((i) => outputs[i]!);
      const { buffer, base } = this.ring.place(held, lowered.ringOffsets, lowered.ringBytes, bound);
      bound.push(buffer);
      entry.u32[words.ring] = base >> 2;
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
