/**
 * Device memory: buffers by size class, reused when freed.
 *
 * @module
 */
import { DeviceError } from "../../base/errors.ts";
import type { DeviceBuffer } from "../contract.ts";
import type { Counters } from "./counters.ts";
import { BufferUsage } from "./flags.ts";

/** A GPU buffer that {@link PooledBuffer}s occupy one after another. `id` is unique for the process. */
export interface Block {
  readonly id: number;
  readonly gpu: GPUBuffer;
  readonly bytes: number;
}

/** A buffer of the WebGPU device; it occupies a whole block. */
export class PooledBuffer implements DeviceBuffer {
  static #ids = 0;
  readonly id: number = ++PooledBuffer.#ids;
  freed = false;

  constructor(readonly owner: BufferPool, readonly block: Block, readonly bytes: number) {}
}

/** Most bytes of free blocks that are kept for reuse. */
const MOST_FREE_BYTES = 2 ** 30;

/** The size class for `bytes`: four classes to each power of two. */
function sizeClass(bytes: number, limit: number): number {
  if (bytes <= 256) return 256;
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  return Math.min(Math.ceil(bytes / step) * step, limit);
}

/** A pool of GPU buffers by size class. A freed block can be reused at once, since the queue executes in order. */
export class BufferPool {
  static #blocks = 0;
  readonly #device: GPUDevice;
  readonly #counters: Counters;
  readonly #limit: number;
  readonly #flush: () => void;
  readonly #free = new Map<number, Block[]>();
  #freeBytes = 0;

  /**
   * @param limit Largest buffer in bytes, a multiple of 16.
   * @param flush Submits what has been recorded, before memory that it may use is destroyed.
   */
  constructor(device: GPUDevice, counters: Counters, limit: number, flush: () => void) {
    this.#flush = flush;
    this.#device = device;
    this.#counters = counters;
    this.#limit = limit;
  }

  /**
   * A buffer of at least `bytes`, rounded up to a multiple of 16; `fresh` says whether it is known to hold zeros.
   *
   * @throws {DeviceError} If it is larger than the adapter allows.
   */
  alloc(bytes: number): { buffer: PooledBuffer; fresh: boolean } {
    if (!Number.isInteger(bytes) || bytes <= 0) {
      throw new DeviceError(`Cannot allocate ${bytes} bytes: the size must be a whole number above 0`);
    }
    const rounded = Math.ceil(bytes / 16) * 16;
    if (rounded > this.#limit) {
      throw new DeviceError(
        `Cannot allocate ${bytes} bytes: by the adapter's maxBufferSize and maxStorageBufferBindingSize, one tensor has at most ` +
          `${this.#limit}; take smaller batches, or dtype "u8" for images`,
      );
    }
    const size = sizeClass(rounded, this.#limit);
    const old = this.#free.get(size)?.pop();
    if (old !== undefined) this.#freeBytes -= size;
    const block = old ?? this.#create(size);
    this.#counters.use(rounded);
    return { buffer: new PooledBuffer(this, block, rounded), fresh: old === undefined };
  }

  free(buffer: PooledBuffer): void {
    buffer.freed = true;
    this.#counters.use(-buffer.bytes);
    const { block } = buffer;
    if (this.#freeBytes + block.bytes > MOST_FREE_BYTES) {
      this.#flush();
      return block.gpu.destroy();
    }
    this.#freeBytes += block.bytes;
    const list = this.#free.get(block.bytes);
    if (list === undefined) this.#free.set(block.bytes, [block]);
    else list.push(block);
  }

  /** Destroys what is free. */
  empty(): void {
    this.#flush();
    for (const block of [...this.#free.values()].flat()) block.gpu.destroy();
    this.#free.clear();
    this.#freeBytes = 0;
  }

  #create(size: number): Block {
    this.#counters.buffers++;
    const usage = BufferUsage.STORAGE | BufferUsage.UNIFORM | BufferUsage.COPY_SRC | BufferUsage.COPY_DST;
    const gpu = this.#device.createBuffer({ label: `anneal pool ${size}`, size, usage });
    return { id: ++BufferPool.#blocks, gpu, bytes: size };
  }
}
