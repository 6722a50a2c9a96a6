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
  /** The results, while the launch is one of the newest; then they are left to whoever holds them. */
  newest: readonly Storage[];
  older: readonly WeakRef<Storage>[];
}

/** Results alive in a segment that is full, beyond which it is abandoned to them. */
const FEW_ALIVE = 16;
/** Abandoned segments that are looked at each time another is full. */
const SWEPT = 2;

const NONE: readonly never[] = [];

/**
 * So many launches are the newest: loops dispose their losses and predictions within them, and a weak reference costs more
 * than all else about a place.
 */
const NEWEST = 4;

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
  /** Places of the newest launches, the oldest of them at `#at`. */
  readonly #newest: Region[] = [];
  #at = 0;

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
    const region: Region = { start, end, newest: storages, older: NONE };
    segment.regions.push(region);
    if (this.#newest.length === NEWEST) letGo(this.#newest[this.#at]);
    this.#newest[this.#at] = region;
    this.#at = (this.#at + 1) % NEWEST;
    for (let i = 0; i < storages.length; i++) storages[i].placeInPool(this.#device, segment.buffer, start + offsets[i]);
    return { buffer: segment.buffer, base: start };
  }

  /** Frees the places that reach into `start` to `end`: the oldest ones, since places are given round and round. */
  #clear(segment: Segment, start: number, end: number): void {
    const { regions } = segment;
    while (segment.oldest < regions.length) {
      const r = regions[segment.oldest];
      if (r.end <= start || r.start >= end) break;
      this.#evict(r, segment);
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
    for (const { newest, older } of regions) {
      for (const storage of newest) if (isAlive(storage, buffer)) count++;
      for (const ref of older) if (isAlive(ref.deref(), buffer)) count++;
    }
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
    for (const r of segment.regions) this.#evict(r, segment);
    this.#device.free(segment.buffer);
    return true;
  }

  /** Copies results that are alive to memory of their own. */
  #evict({ newest, older }: Region, { buffer }: Pick<Segment, "buffer">): void {
    for (const storage of newest) if (isAlive(storage, buffer)) this.#move(storage, buffer);
    for (const ref of older) {
      const storage = ref.deref();
      if (isAlive(storage, buffer)) this.#move(storage, buffer);
    }
  }

  #move(storage: Storage, from: DeviceBuffer): void {
    const bytes = (storage.bytes + 3) & ~3;
    const own = this.#device.alloc(Math.max(16, bytes), { zeroed: false });
    this.#device.copy({ buffer: from, offset: storage.base, bytes }, own, 0);
    storage.moveTo(this.#device, own);
  }
}

function letGo(region: Region): void {
  const alive = region.newest.filter((s) => !s.disposed);
  region.older = alive.length === 0 ? NONE : alive.map((s) => new WeakRef(s));
  region.newest = NONE;
}

function isAlive(storage: Storage | undefined, buffer: DeviceBuffer): storage is Storage {
  return storage !== undefined && !storage.disposed && storage.buffer === buffer && storage.pooled;
}
