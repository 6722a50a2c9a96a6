/**
 * Memory that the host works on in the middle of a run: in place where the device shares its memory, else by way of
 * copies.
 *
 * @module
 */
import { currentDevice, ready, realize } from "./runtime.ts";
import type { Device, Range } from "../device/contract.ts";
import type { Storage } from "./storage.ts";

/** Some elements of 4 bytes. */
export interface Piece {
  readonly storage: Storage;
  /** First element. */
  readonly offset: number;
  /** Number of elements. */
  readonly n: number;
}

/**
 * Hands over everything that was recorded, then lets `work` read and change the bytes of `pieces`. Values that were read
 * from there before stay what they are; expressions on them see the change.
 *
 * @param work Gets the bytes of each piece; changes are taken over once it is done.
 */
export async function exchange(
  pieces: readonly Piece[],
  work: (bytes: readonly Uint8Array<ArrayBuffer>[]) => Promise<void>,
): Promise<void> {
  await ready();
  realize();
  const device = deviceOf(pieces);
  const ranges = pieces.map(({ storage, offset, n }): Range => ({
    buffer: storage.ensure(device),
    offset: storage.base + offset * 4,
    bytes: n * 4,
  }));
  if (device.hostBytes !== undefined) return await work(ranges.map((r) => device.hostBytes!(r)));
  const copies = (await device.read(ranges)).map((bytes) => new Uint8Array(bytes));
  await work(copies);
  ranges.forEach(({ buffer, offset }, i) => device.write(buffer, offset, copies[i]));
}

function deviceOf(pieces: readonly Piece[]): Device {
  for (const { storage } of pieces) if (storage.device !== null && storage.buffer !== null) return storage.device;
  return currentDevice()!;
}
