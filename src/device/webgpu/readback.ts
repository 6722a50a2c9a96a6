/**
 * Reading device memory back to the host. Nothing else maps a buffer.
 *
 * @module
 */
import type { Counters } from "./counters.ts";
import { BufferUsage, MapMode } from "./flags.ts";

/** Part of a buffer to read; multiples of 4 bytes. */
export interface Source {
  readonly gpu: GPUBuffer;
  readonly offset: number;
  readonly bytes: number;
}

const SELF_TEST = 0x5eed1e55;
/** Most bytes that are read in one go: more of them take turns in one staging buffer. */
const MOST_STAGED = 2 ** 28;

/** Staging buffers, and the two ways to read through them. */
export class Readback {
  readonly #device: GPUDevice;
  readonly #counters: Counters;
  readonly #free: GPUBuffer[] = [];
  readonly #most: number;
  /** Whether a mapping can be used without awaiting it. */
  synchronous = false;

  /** @param limit Most bytes of a buffer. */
  constructor(device: GPUDevice, counters: Counters, limit: number) {
    this.#device = device;
    this.#counters = counters;
    this.#most = Math.min(limit, MOST_STAGED);
  }

  /** Finds out, with a known value, whether {@link readNow} works here. */
  selfTest(): void {
    const source = this.#device.createBuffer({
      label: "anneal self-test",
      size: 16,
      usage: BufferUsage.COPY_SRC | BufferUsage.COPY_DST,
    });
    this.#device.queue.writeBuffer(source, 0, new Uint32Array([SELF_TEST, 1, 2, 3]));
    try {
      const [bytes] = this.readNow([{ gpu: source, offset: 0, bytes: 16 }]);
      this.synchronous = new Uint32Array(bytes.buffer)[0] === SELF_TEST;
    } catch {
      this.synchronous = false; // the mapping was not there yet: this runtime must be awaited
    }
    source.destroy();
  }

  /** Reads all sources in one round trip, unless they are very large. */
  async read(sources: readonly Source[]): Promise<Uint8Array<ArrayBuffer>[]> {
    const parts = this.#parts(sources), out: Uint8Array<ArrayBuffer>[] = [];
    for (const part of parts) {
      const { staging, total } = this.#copy(part);
      await staging.mapAsync(MapMode.READ, 0, total);
      out.push(...this.#take(staging, total, part));
    }
    return parts.length === 1 ? out : joined(sources, out);
  }

  /** The same at once. Under Deno, `mapAsync` has waited for the device when it returns. */
  readNow(sources: readonly Source[]): Uint8Array<ArrayBuffer>[] {
    const parts = this.#parts(sources), out = parts.flatMap((part) => this.#readNow(part));
    return parts.length === 1 ? out : joined(sources, out);
  }

  /** `sources` such that each list fits a staging buffer; large ones are cut. */
  #parts(sources: readonly Source[]): (readonly Source[])[] {
    const most = this.#most - this.#most % 4;
    if (sources.reduce((sum, { bytes }) => sum + bytes, 0) <= most) return [sources];
    const parts: Source[][] = [];
    for (const { gpu, offset, bytes } of sources) {
      for (let at = 0; at < bytes; at += most) {
        parts.push([{ gpu, offset: offset + at, bytes: Math.min(most, bytes - at) }]);
      }
    }
    return parts;
  }

  #readNow(sources: readonly Source[]): Uint8Array<ArrayBuffer>[] {
    const { staging, total } = this.#copy(sources);
    staging.mapAsync(MapMode.READ, 0, total).catch(() => {}); // a failure shows in getMappedRange below
    try {
      return this.#take(staging, total, sources);
    } catch (error) {
      staging.destroy(); // a mapping under way ends with it
      throw error;
    }
  }

  /** Returns when everything submitted has finished; only where {@link synchronous}. */
  wait(): void {
    const staging = this.#staging(16);
    staging.mapAsync(MapMode.READ, 0, 16).catch(() => {});
    staging.unmap();
    this.#free.push(staging);
  }

  #copy(sources: readonly Source[]): { staging: GPUBuffer; total: number } {
    const total = Math.max(16, sources.reduce((sum, { bytes }) => sum + bytes, 0));
    const staging = this.#staging(total);
    const encoder = this.#device.createCommandEncoder({ label: "anneal read" });
    let at = 0;
    for (const { gpu, offset, bytes } of sources) {
      if (bytes > 0) encoder.copyBufferToBuffer(gpu, offset, staging, at, bytes);
      at += bytes;
    }
    this.#device.queue.submit([encoder.finish()]);
    this.#counters.submits++;
    return { staging, total };
  }

  #take(staging: GPUBuffer, total: number, sources: readonly Source[]): Uint8Array<ArrayBuffer>[] {
    const mapped = new Uint8Array(staging.getMappedRange(0, total));
    let at = 0;
    const out = sources.map(({ bytes }) => mapped.slice(at, at += bytes));
    staging.unmap();
    this.#free.push(staging);
    return out;
  }

  // A buffer that was never mapped must not be mapped without awaiting it (Deno ends the process): it is primed first
  #staging(bytes: number): GPUBuffer {
    const i = this.#free.findIndex((buffer) => buffer.size >= bytes);
    if (i >= 0) return this.#free.splice(i, 1)[0];
    const size = Math.max(bytes, Math.min(2 ** Math.ceil(Math.log2(Math.max(bytes, 4096))), this.#most));
    this.#counters.buffers++;
    const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
    const buffer = this.#device.createBuffer({ label: `anneal staging ${size}`, size, usage, mappedAtCreation: true });
    buffer.unmap();
    return buffer;
  }
}

/** The parts of each source, which follow each other, as one. */
function joined(sources: readonly Source[], parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer>[] {
  let i = 0;
  return sources.map(({ bytes }) => {
    const whole = new Uint8Array(bytes);
    for (let at = 0; at < bytes; at += parts[i++].length) whole.set(parts[i], at);
    return whole;
  });
}
