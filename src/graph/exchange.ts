/**
 * Memory that the host works on in the middle of a run: in place where the device shares its memory, else by way of
 * copies.
 *
 * @module
 */
import type { Device, Range } from "../device/contract.ts";
import { Touches } from "../device/touches.ts";
import type { Lowered } from "./lower/mod.ts";
import { currentDevice, ready, realize, watching } from "./runtime.ts";
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
  const ranges = pieces.map((piece) => rangeOf(piece, device));
  if (device.hostBytes !== undefined) return await work(ranges.map((r) => device.hostBytes!(r)));
  const copies = (await device.read(ranges)).map((bytes) => new Uint8Array(bytes));
  await work(copies);
  ranges.forEach(({ buffer, offset }, i) => device.write(buffer, offset, copies[i]));
}

/** When memory has its values in a program that is about to run. */
export interface Ahead {
  /** The bytes of each piece. */
  readonly bytes: readonly Uint8Array<ArrayBuffer>[];
  /**
   * How many kernels of the program have run when elements `first` to `end` of piece `i` are as they stay: what the device's
   * `progress` then says, or more.
   */
  final(i: number, first: number, end: number): number;
}

/** For each program and slot: when it touches which part for the last time. */
const known = new WeakMap<Lowered, Map<number, Touches>>();

/**
 * Runs `body`, which hands over what was recorded; right before the program that assigns to `pieces` runs, `tell` hears when
 * it will be done with them. Only for devices that tell their progress and share their memory.
 */
export function foresee<T>(pieces: readonly Piece[], tell: (ahead: Ahead) => void, body: () => T): T {
  return watching(pieces.map((p) => p.storage), ({ storages, entry: { lowered }, runtime: { device } }) => {
    const slots = pieces.map(({ storage }) => 1 + lowered.boundStorages.indexOf(storages.indexOf(storage)));
    const touches = known.get(lowered) ?? new Map<number, Touches>();
    known.set(lowered, touches);
    tell({
      bytes: pieces.map((piece) => device.hostBytes!(rangeOf(piece, device))),
      final: (i, first, end) => {
        const slot = slots[i], { offset } = pieces[i];
        if (slot === 0) return 0; // the program has nothing to do with it
        let found = touches.get(slot);
        if (found === undefined) touches.set(slot, found = new Touches(lowered.program, slot));
        return found.last(offset + first, offset + end);
      },
    });
  }, body);
}

function rangeOf({ storage, offset, n }: Piece, device: Device): Range {
  return { buffer: storage.ensure(device), offset: storage.base + offset * 4, bytes: n * 4 };
}

function deviceOf(pieces: readonly Piece[]): Device {
  for (const { storage } of pieces) if (storage.device !== null && storage.buffer !== null) return storage.device;
  return currentDevice()!;
}
