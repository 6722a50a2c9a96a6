/**
 * Memory that the host works on between two launches: in place where the device shares its memory, else by way of copies.
 *
 * @module
 */
import type { Device, Range } from "../device/contract.ts";
import { LastAccess } from "../device/last_access.ts";
import type { Lowered } from "./lower/mod.ts";
import { type PendingLaunch, session } from "./session.ts";
import type { Storage } from "./storage.ts";

/** Some elements of 4 bytes. */
export interface HostRange {
  readonly storage: Storage;
  /** First element. */
  readonly offset: number;
  /** Number of elements. */
  readonly n: number;
}

/**
 * Launches everything that was recorded, then lets `work` read and change the bytes of `ranges`. Values that were read from
 * there before stay what they are; expressions on them see the change.
 *
 * @param work Gets the bytes of each range; changes are taken over once it is done.
 */
export async function withHostMemory(
  ranges: readonly HostRange[],
  work: (bytes: readonly Uint8Array<ArrayBuffer>[]) => Promise<void>,
): Promise<void> {
  await session.ready();
  session.flush();
  const device = deviceOf(ranges);
  const places = ranges.map((range) => placeOf(range, device));
  if (device.hostBytes !== undefined) return await work(places.map((r) => device.hostBytes!(r)));
  const copies = (await device.read(places)).map((bytes) => new Uint8Array(bytes));
  await work(copies);
  places.forEach(({ buffer, offset }, i) => device.write(buffer, offset, copies[i]));
}

/** A program that is about to write to memory of the host's. */
export interface PendingWrite {
  /** The bytes of each range. */
  readonly bytes: readonly Uint8Array<ArrayBuffer>[];
  /**
   * How many kernels of the program have run when elements `first` to `end` of range `i` are as they stay: what the device's
   * `progress` then says, or more.
   */
  final(i: number, first: number, end: number): number;
}

/** For each program and slot: when it accesses which part for the last time. */
const accesses = new WeakMap<Lowered, Map<number, LastAccess>>();

/**
 * Tells `tell` of the next launch that writes to `ranges`, right before it, until the result is disposed. Only for devices
 * that tell their progress and share their memory.
 */
export function beforeWrite(ranges: readonly HostRange[], tell: (write: PendingWrite) => void): Disposable {
  return session.onLaunch(ranges.map((r) => r.storage), (launch) => tell(writeOf(ranges, launch)));
}

function writeOf(
  ranges: readonly HostRange[],
  { storages, entry: { lowered }, runtime: { device } }: PendingLaunch,
): PendingWrite {
  const slots = ranges.map(({ storage }) => 1 + lowered.boundStorages.indexOf(storages.indexOf(storage)));
  const known = accesses.get(lowered) ?? new Map<number, LastAccess>();
  accesses.set(lowered, known);
  return {
    bytes: ranges.map((range) => device.hostBytes!(placeOf(range, device))),
    final: (i, first, end) => {
      const slot = slots[i], { offset } = ranges[i];
      if (slot === 0) return 0; // the program has nothing to do with it
      let found = known.get(slot);
      if (found === undefined) known.set(slot, found = new LastAccess(lowered.program, slot));
      return found.last(offset + first, offset + end);
    },
  };
}

function placeOf({ storage, offset, n }: HostRange, device: Device): Range {
  return { buffer: storage.ensure(device), offset: storage.base + offset * 4, bytes: n * 4 };
}

function deviceOf(ranges: readonly HostRange[]): Device {
  for (const { storage } of ranges) if (storage.device !== null && storage.buffer !== null) return storage.device;
  return session.device!;
}
