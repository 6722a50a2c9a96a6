/**
 * Memory that tensors live in, and the host that lends it: a {@link Storage} may exist before its device does, as
 * numbers on the host that are uploaded when a program first needs them.
 *
 * @module
 */
import type { HostArray, StoredArray } from "../base/dtype.ts";
import { DeviceError } from "../base/errors.ts";
import type { Device, DeviceBuffer } from "../device/contract.ts";

/** Frees buffers whose storages nobody can reach any more: a safety net under `dispose()`. */
const registry = new FinalizationRegistry<{ device: Device; buffer: DeviceBuffer }>(({ device, buffer }) => {
  device.free(buffer);
});

/**
 * A range of device memory that one tensor, or one arena of many, lies in.
 *
 * Assignments have ascending version numbers. `version` is that of the last one recorded, `done` that of the last one that
 * is over, launched or abandoned, and `changed` that of the last one that a launch carried out: a node that reads an earlier
 * version is stale.
 */
export class Storage {
  static #count = 0;
  readonly id: number = ++Storage.#count;
  readonly bytes: number;
  /** The device that holds it; null while it is only on the host. */
  device: Device | null = null;
  buffer: DeviceBuffer | null = null;
  /** First byte inside `buffer`: not 0 for results that share one. */
  base = 0;
  /** Numbers not uploaded yet. */
  host: StoredArray | null;
  /** The whole numbers that lie in it while `version` is 0, where the host keeps them: see `known.ts`. */
  known: HostArray | null = null;
  version = 0;
  done = 0;
  changed = 0;
  disposed = false;
  /** True where the buffer belongs to a pool of results and must not be freed on its own. */
  pooled = false;
  /** Launches that wait for a device and need the memory, whoever disposes it meanwhile. */
  #retained = 0;
  /** Why there will never be a value. */
  #failure: unknown = null;

  // scratch of the walk: which walk saw it last, and its place there
  mark = 0;
  local = 0;

  /**
   * @param bytes Size; 0 is allowed and never gets a buffer.
   * @param host Numbers to upload at first use; zeros without.
   */
  constructor(bytes: number, host: StoredArray | null = null) {
    this.bytes = bytes;
    this.host = host;
  }

  /**
   * Makes sure that the storage has a buffer on `device`, and that its numbers are there.
   *
   * @throws DeviceError where the program failed that would have computed it.
   */
  ensure(device: Device, zeroed = true): DeviceBuffer {
    if (this.buffer !== null) return this.buffer;
    if (this.#failure !== null) {
      const reason = this.#failure instanceof Error ? this.#failure.message : String(this.#failure);
      throw new DeviceError(`Cannot use a value whose program failed: ${reason}`, { cause: this.#failure });
    }
    const buffer = device.alloc(Math.max(16, this.bytes), { zeroed: zeroed && this.host === null });
    this.device = device;
    this.buffer = buffer;
    if (this.host !== null) {
      device.write(buffer, 0, padTo4(this.host));
      this.host = null;
    }
    registry.register(this, { device, buffer }, this);
    return buffer;
  }

  /** Moves the storage to other memory, which it then owns. The old memory is left to its owner. */
  moveTo(device: Device, buffer: DeviceBuffer): void {
    this.device = device;
    this.buffer = buffer;
    this.base = 0;
    this.pooled = false;
    registry.register(this, { device, buffer }, this);
  }

  /** Places the storage in memory that a pool of results owns. */
  placeInPool(device: Device, buffer: DeviceBuffer, base: number): void {
    this.device = device;
    this.buffer = buffer;
    this.base = base;
    this.pooled = true;
  }

  /** Says that the launch which would have given the value failed. */
  fail(reason: unknown): void {
    this.#failure = reason;
  }

  /** Keeps the memory for a launch that comes later; {@link Storage.unretain} once it has. */
  retain(): void {
    this.#retained++;
  }

  /** Takes {@link Storage.retain} back, and frees what was disposed meanwhile. */
  unretain(): void {
    if (--this.#retained === 0 && this.disposed) this.#free();
  }

  /** Gives the memory back. Doing it twice is fine. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    if (this.#retained === 0) this.#free();
  }

  #free(): void {
    this.host = this.known = null;
    if (this.buffer !== null && !this.pooled) {
      registry.unregister(this);
      this.device!.free(this.buffer);
    }
    this.buffer = null;
  }
}

/** Memory for a result of so many bytes: devices write whole words. */
export function resultStorage(bytes: number): Storage {
  return new Storage((bytes + 3) & ~3);
}

/** Device writes are whole words: pads `u8` data that is not. */
function padTo4(data: StoredArray): ArrayBufferView {
  if (data.byteLength % 4 === 0) return data;
  const bytes = new Uint8Array((data.byteLength + 3) & ~3);
  bytes.set(new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength));
  return bytes;
}
