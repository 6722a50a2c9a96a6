/**
 * The device's memory: one WebAssembly memory, and who has which part of it.
 *
 * @module
 */
import { DeviceError } from "../../base/errors.ts";

const PAGE = 65536;
/** Pages that WebAssembly can address: 4 GiB. */
const MAX_PAGES = 65536;
const ALIGN = 64;
/** Memory grows by at least this many pages where there are as many, so that it seldom has to. */
const GROWTH_PAGES = 256;

/** Best-fit allocation with neighbours joined when they are free. Addresses are multiples of 64. */
export class Memory {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  /** Free ranges by start, ascending. */
  readonly #starts: number[] = [];
  readonly #sizes: number[] = [];
  readonly #used = new Map<number, number>();
  #bytes: Uint8Array<ArrayBuffer>;
  #words: Int32Array<ArrayBuffer>;
  #end: number;

  /**
   * @param shared Whether threads share it.
   * @param reserved Bytes at the start that nobody gets.
   */
  constructor(shared: boolean, reserved: number) {
    this.shared = shared;
    const initial = Math.ceil(reserved / PAGE) + 16;
    this.memory = new WebAssembly.Memory(shared ? { initial, maximum: MAX_PAGES, shared: true } : { initial });
    this.#end = initial * PAGE;
    this.#bytes = new Uint8Array(this.memory.buffer as ArrayBuffer);
    this.#words = new Int32Array(this.memory.buffer as ArrayBuffer);
    this.#insert(Math.ceil(reserved / ALIGN) * ALIGN, this.#end - Math.ceil(reserved / ALIGN) * ALIGN);
  }

  /** All bytes, as of now: growing makes older views useless. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** All words. */
  get words(): Int32Array<ArrayBuffer> {
    return this.#words;
  }

  /** Bytes in use. */
  get used(): number {
    let sum = 0;
    for (const size of this.#used.values()) sum += size;
    return sum;
  }

  /** Address of `bytes` bytes, aligned to 64. */
  alloc(bytes: number): number {
    const size = Math.max(ALIGN, Math.ceil(bytes / ALIGN) * ALIGN);
    let best = -1;
    for (let i = 0; i < this.#sizes.length; i++) {
      if (this.#sizes[i] >= size && (best < 0 || this.#sizes[i] < this.#sizes[best])) best = i;
    }
    if (best < 0) {
      this.#grow(size);
      return this.alloc(bytes);
    }
    const start = this.#starts[best];
    if (this.#sizes[best] === size) {
      this.#starts.splice(best, 1);
      this.#sizes.splice(best, 1);
    } else {
      this.#starts[best] += size;
      this.#sizes[best] -= size;
    }
    this.#used.set(start, size);
    return start;
  }

  /** Gives back what {@link alloc} gave; false if it was given back before. */
  free(address: number): boolean {
    const size = this.#used.get(address);
    if (size === undefined) return false;
    this.#used.delete(address);
    this.#insert(address, size);
    return true;
  }

  #insert(start: number, size: number): void {
    let at = 0, high = this.#starts.length;
    while (at < high) {
      const mid = (at + high) >> 1;
      if (this.#starts[mid] < start) at = mid + 1;
      else high = mid;
    }
    this.#starts.splice(at, 0, start);
    this.#sizes.splice(at, 0, size);
    this.#join(at);
    if (at > 0) this.#join(at - 1);
  }

  #join(i: number): void {
    if (i + 1 >= this.#starts.length || this.#starts[i] + this.#sizes[i] !== this.#starts[i + 1]) return;
    this.#sizes[i] += this.#sizes[i + 1];
    this.#starts.splice(i + 1, 1);
    this.#sizes.splice(i + 1, 1);
  }

  #grow(bytes: number): void {
    const last = this.#starts.length - 1;
    const open = last >= 0 && this.#starts[last] + this.#sizes[last] === this.#end ? this.#sizes[last] : 0;
    const need = Math.ceil((bytes - open) / PAGE);
    const now = this.#end / PAGE;
    const fail = () =>
      new DeviceError(
        `Cannot allocate ${bytes} bytes on the CPU: ${this.used} bytes are in use, and WebAssembly has 4 GiB at most; ` +
          "use smaller batches or a smaller model",
      );
    if (now + need > MAX_PAGES) throw fail();
    // in larger steps than asked for, as long as the memory has room
    for (const pages of [Math.min(MAX_PAGES - now, Math.max(need, GROWTH_PAGES, now >> 2)), need]) {
      try {
        this.memory.grow(pages);
      } catch {
        continue;
      }
      this.#bytes = new Uint8Array(this.memory.buffer as ArrayBuffer);
      this.#words = new Int32Array(this.memory.buffer as ArrayBuffer);
      this.#insert(this.#end, pages * PAGE);
      this.#end += pages * PAGE;
      return;
    }
    throw fail();
  }
}
