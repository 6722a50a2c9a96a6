/**
 * Memory for small results that somebody holds: losses, predictions of a batch. Results of a run lie together in one of a
 * few buffers that are written round and round; one that is still held when its place comes up again is copied out first.
 * Where many are, as in a loop that gives the garbage collector no chance, the whole buffer is left to them.
 *
 * @module
 */
import type { Device, DeviceBuffer } from "../device/contract.ts";
import type { Storage } from "./storage.ts";

const BUFFERS = 4;
/** Bytes of each buffer of a ring. */
export const RING_BYTES = 1 << 18;

/** Results of more bytes than this, all of a run together, get memory of their own. */
export const RING_LIMIT = 1 << 14;

interface Region {
  readonly start: number;
  readonly end: number;
  readonly held: WeakRef<Storage>[];
}

/** Results still held in a lane that has been filled, beyond which it is not written again. */
const FEW_HELD = 16;
/** Lanes left to what they hold that are looked through each time a lane has been filled. */
const LOOKED_THROUGH = 2;

interface Lane {
  buffer: DeviceBuffer;
  head: number;
  /** Places given, oldest first; those before number `oldest` are free again. */
  regions: Region[];
  oldest: number;
}

/** The ring of one device. */
export class Ring {
  readonly #device: Device;
  readonly #lanes: Lane[] = [];
  /** Lanes that were replaced while a program read from all of them. */
  #retired: Lane[] = [];
  /** Buffers left to what they hold, the oldest first. */
  #left: Pick<Lane, "buffer" | "regions">[] = [];
  #turn = 0;

  constructor(device: Device) {
    this.#device = device;
  }

  /** Places `storages`, `offsets[i]` bytes from a common start, in a buffer that is none of `avoid`; returns it and the start. */
  place(
    storages: readonly Storage[],
    offsets: readonly number[],
    bytes: number,
    avoid: readonly DeviceBuffer[],
  ): { buffer: DeviceBuffer; base: number } {
    if (this.#retired.length > 0) {
      this.#retired = this.#retired.filter((l) => avoid.includes(l.buffer) || !this.#retire(l));
    }
    const lane = this.#lane(avoid);
    if (lane.head + bytes > RING_BYTES) {
      this.#clear(lane, lane.head, RING_BYTES); // what lies behind stays unused in this round
      lane.head = 0;
      if (this.#held(lane) > FEW_HELD) this.#leave(lane);
      this.#lookThrough(avoid);
    }
    const start = lane.head, end = start + bytes;
    lane.head = end;
    this.#clear(lane, start, end);
    lane.regions.push({ start, end, held: storages.map((s) => new WeakRef(s)) });
    storages.forEach((s, i) => s.placeInRing(this.#device, lane.buffer, start + offsets[i]));
    return { buffer: lane.buffer, base: start };
  }

  /** Frees the places that reach into `start` to `end`: the oldest ones, since places are given round and round. */
  #clear(lane: Lane, start: number, end: number): void {
    const { regions } = lane;
    while (lane.oldest < regions.length) {
      const r = regions[lane.oldest];
      if (r.end <= start || r.start >= end) break;
      for (const ref of r.held) this.#evict(ref.deref(), lane);
      lane.oldest++;
    }
    if (lane.oldest > 512) {
      regions.splice(0, lane.oldest);
      lane.oldest = 0;
    }
  }

  /** Number of results in a lane that are still held. */
  #held({ buffer, regions }: Pick<Lane, "buffer" | "regions">): number {
    let count = 0;
    for (const { held } of regions) for (const ref of held) if (isHeld(ref.deref(), buffer)) count++;
    return count;
  }

  /** Gives a lane other memory, and leaves the old one to what it holds. */
  #leave(lane: Lane): void {
    this.#left.push({ buffer: lane.buffer, regions: lane.regions });
    Object.assign(lane, { buffer: this.#device.alloc(RING_BYTES), regions: [], oldest: 0 });
  }

  /** Frees some of the buffers that hold little any more; those that hold much, or are read now, are looked at again later. */
  #lookThrough(avoid: readonly DeviceBuffer[]): void {
    for (const lane of this.#left.splice(0, LOOKED_THROUGH)) {
      if (avoid.includes(lane.buffer) || this.#held(lane) > FEW_HELD) this.#left.push(lane);
      else this.#retire(lane);
    }
  }

  #lane(avoid: readonly DeviceBuffer[]): Lane {
    for (let i = 0; i < BUFFERS; i++) {
      const lane = this.#lanes[(this.#turn + i) % BUFFERS];
      if (lane === undefined) break;
      if (!avoid.includes(lane.buffer)) {
        this.#turn = (this.#turn + i + 1) % BUFFERS;
        return lane;
      }
    }
    // fewer than BUFFERS so far, or every one is being read from
    const lane: Lane = { buffer: this.#device.alloc(RING_BYTES), head: 0, regions: [], oldest: 0 };
    if (this.#lanes.length < BUFFERS) this.#lanes.push(lane);
    else {
      this.#retired.push(this.#lanes[this.#turn]);
      this.#lanes[this.#turn] = lane;
    }
    return lane;
  }

  /** Copies out what is still held in a lane, and frees it. */
  #retire(lane: Pick<Lane, "buffer" | "regions">): true {
    for (const r of lane.regions) for (const ref of r.held) this.#evict(ref.deref(), lane);
    this.#device.free(lane.buffer);
    return true;
  }

  /** Copies a storage that is still held to memory of its own. */
  #evict(storage: Storage | undefined, lane: Pick<Lane, "buffer">): void {
    if (!isHeld(storage, lane.buffer)) return;
    const bytes = (storage.bytes + 3) & ~3;
    const own = this.#device.alloc(Math.max(16, bytes), { zeroed: false });
    this.#device.copy({ buffer: lane.buffer, offset: storage.base, bytes }, own, 0);
    storage.moveTo(this.#device, own);
  }
}

function isHeld(storage: Storage | undefined, buffer: DeviceBuffer): storage is Storage {
  return storage !== undefined && !storage.disposed && storage.buffer === buffer && storage.ringed;
}
