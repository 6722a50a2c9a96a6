/**
 * Memory that tensors live in, and the host that lends it: a {@link Storage} may exist before its device does, as
 * numbers on the host that are uploaded when a program first needs them.
 *
 * @module
 */
import type { HostArray } from "../base/dtype.ts";
import type { Device, DeviceBuffer } from "../device/contract.ts";

/** Frees buffers whose storages nobody can reach any more: a safety net under `dispose()`. */
const registry = new FinalizationRegistry<{ device: Device; buffer: DeviceBuffer }>(({ device, buffer }) => {
  device.free(buffer);
});

let nextId = 1;

/**
 * A range of device memory that one tensor, or one arena of many, lies in.
 *
 * `version` counts the assignments that were recorded so far; `done` those that have been handed to the device. A node
 * that reads version `v` is stale once `done > v`.
 */
export class Storage {
  readonly id: number = nextId++;
  readonly bytes: number;
  /** The device that holds it; null while it is only on the host. */
  device: Device | null = null;
  buffer: DeviceBuffer | null = null;
  /** First byte inside `buffer`: not 0 for outputs that share a ring. */
  base = 0;
  /** Numbers not uploaded yet. */
  host: HostArray | null;
  /** The whole numbers that lie in it while `version` is 0, where the host keeps them: see `known.ts`. */
  known: HostArray | null = null;
  version = 0;
  done = 0;
  disposed = false;
  /** True where the buffer belongs to a ring and must not be freed on its own. */
  ringed = false;

  // scratch of the walk: which walk saw it last, and its place there
  mark = 0;
  local = 0;

  /**
   * @param bytes Size; 0 is allowed and never gets a buffer.
   * @param host Numbers to upload at first use; zeros without.
   */
  constructor(bytes: number, host: HostArray | null = null) {
    this.bytes = bytes;
    this.host = host;
  }

  /** Makes sure that the storage has a buffer on `device`, and that its numbers are there. */
  ensure(device: Device, zeroed = true): DeviceBuffer {
    if (this.buffer !== null) return this.buffer;
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
    this.ringed = false;
    registry.register(this, { device, buffer }, this);
  }

  /** Places the storage in memory that a ring owns. */
  placeInRing(device: Device, buffer: DeviceBuffer, base: number): void {
    this.device = device;
    this.buffer = buffer;
    this.base = base;
    this.ringed = true;
  }

  /** Gives the memory back. Doing it twice is fine. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.host = this.known = null;
    if (this.buffer !== null && !this.ringed) {
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
function padTo4(data: HostArray): ArrayBufferView {
  if (data.byteLength % 4 === 0) return data;
  const bytes = new Uint8Array((data.byteLength + 3) & ~3);
  bytes.set(new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength));
  return bytes;
}
