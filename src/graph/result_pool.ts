/**
 * Memory for small results that somebody holds: losses, predictions of a batch. Results of a launch lie together in one of
 * a few segments, each a ring buffer; a result that is still alive when its place comes up again is moved out first. Where
 * many are, as in a loop that gives the garbage collector no chance, the segment is abandoned to them.
 *
 * @module
 */
import type { Device, DeviceBuffer } from "../device/contract.ts";
import type { Storage } from "./storage.ts";

/** Segments in turn: a launch that reads from some writes to another. */
const SEGMENTS = 4;
/** Bytes of a segment. */
export const SEGMENT_BYTES = 1 << 18;

/** Results of more bytes than this, all of a launch together, get memory of their own. */
export const POOL_LIMIT = 1 << 14;

/** The place of one launch's results in a segment. */
interface Region {
  readonly start: number;
  readonly end: number;
  readonly results: WeakRef<Storage>[];
}

/** Results alive in a segment that is full, beyond which it is abandoned to them. */
const FEW_ALIVE = 16;
/** Abandoned segments that are looked at each time another is full. */
const SWEPT = 2;

interface Segment {
  buffer: DeviceBuffer;
  head: number;
  /** Places given, oldest first; those before number `oldest` are free again. */
  regions: Region[];
  oldest: number;
}

/** The results of one device. */
export class ResultPool {
  readonly #device: Device;
  readonly #segments: Segment[] = [];
  /** Segments that were replaced while a launch read from all of them. */
  #retired: Segment[] = [];
  /** Segments that are written no more, the oldest first. */
  #abandoned: Pick<Segment, "buffer" | "regions">[] = [];
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
    const segment = this.#next(avoid);
    if (segment.head + bytes > SEGMENT_BYTES) {
      this.#clear(segment, segment.head, SEGMENT_BYTES); // what lies behind stays unused in this round
      segment.head = 0;
      if (this.#alive(segment) > FEW_ALIVE) this.#abandon(segment);
      this.#sweep(avoid);
    }
    const start = segment.head, end = start + bytes;
    segment.head = end;
    this.#clear(segment, start, end);
    segment.regions.push({ start, end, results: storages.map((s) => new WeakRef(s)) });
    storages.forEach((s, i) => s.placeInPool(this.#device, segment.buffer, start + offsets[i]));
    return { buffer: segment.buffer, base: start };
  }

  /** Frees the places that reach into `start` to `end`: the oldest ones, since places are given round and round. */
  #clear(segment: Segment, start: number, end: number): void {
    const { regions } = segment;
    while (segment.oldest < regions.length) {
      const r = regions[segment.oldest];
      if (r.end <= start || r.start >= end) break;
      for (const ref of r.results) this.#evict(ref.deref(), segment);
      segment.oldest++;
    }
    if (segment.oldest > 512) {
      regions.splice(0, segment.oldest);
      segment.oldest = 0;
    }
  }

  /** Number of results in a segment that are alive. */
  #alive({ buffer, regions }: Pick<Segment, "buffer" | "regions">): number {
    let count = 0;
    for (const { results } of regions) for (const ref of results) if (isAlive(ref.deref(), buffer)) count++;
    return count;
  }

  /** Gives a segment other memory, and abandons the old one to the results in it. */
  #abandon(segment: Segment): void {
    this.#abandoned.push({ buffer: segment.buffer, regions: segment.regions });
    Object.assign(segment, { buffer: this.#device.alloc(SEGMENT_BYTES), regions: [], oldest: 0 });
  }

  /** Frees abandoned segments with few results alive; the others, and those that a launch reads, are looked at again later. */
  #sweep(avoid: readonly DeviceBuffer[]): void {
    for (const segment of this.#abandoned.splice(0, SWEPT)) {
      if (avoid.includes(segment.buffer) || this.#alive(segment) > FEW_ALIVE) this.#abandoned.push(segment);
      else this.#retire(segment);
    }
  }

  #next(avoid: readonly DeviceBuffer[]): Segment {
    for (let i = 0; i < SEGMENTS; i++) {
      const segment = this.#segments[(this.#turn + i) % SEGMENTS];
      if (segment === undefined) break;
      if (!avoid.includes(segment.buffer)) {
        this.#turn = (this.#turn + i + 1) % SEGMENTS;
        return segment;
      }
    }
    // fewer than SEGMENTS so far, or every one is being read from
    const segment: Segment = { buffer: this.#device.alloc(SEGMENT_BYTES), head: 0, regions: [], oldest: 0 };
    if (this.#segments.length < SEGMENTS) this.#segments.push(segment);
    else {
      this.#retired.push(this.#segments[this.#turn]);
      this.#segments[this.#turn] = segment;
    }
    return segment;
  }

  /** Copies out what is alive in a segment, and frees it. */
  #retire(segment: Pick<Segment, "buffer" | "regions">): true {
    for (const r of segment.regions) for (const ref of r.results) this.#evict(ref.deref(), segment);
    this.#device.free(segment.buffer);
    return true;
  }

  /** Copies a storage that is alive to memory of its own. */
  #evict(storage: Storage | undefined, segment: Pick<Segment, "buffer">): void {
    if (!isAlive(storage, segment.buffer)) return;
    const bytes = (storage.bytes + 3) & ~3;
    const own = this.#device.alloc(Math.max(16, bytes), { zeroed: false });
    this.#device.copy({ buffer: segment.buffer, offset: storage.base, bytes }, own, 0);
    storage.moveTo(this.#device, own);
  }
}

function isAlive(storage: Storage | undefined, buffer: DeviceBuffer): storage is Storage {
  return storage !== undefined && !storage.disposed && storage.buffer === buffer && storage.pooled;
}
