/**
 * Collective operations over all processes of a run: sums, broadcasts, gathers, barriers.
 *
 * @module
 */
import { useLargePages } from "./libc.ts";
import type { Mpi, Request } from "./mpi.ts";
import { Polling } from "./polling.ts";

/** Bytes of a process's share from which on an array is reduced part by part: with several hosts, and on one. */
const PART_BYTES = { hosts: 2 ** 16, memory: 2 ** 23 };
/** Arrays of at least so many bytes are asked to lie in large pages. */
const LARGE_BYTES = 2 ** 20;

type HostFloats = Float32Array | Float64Array;

/** All processes of a run, as MPI's communicators are. Every operation is a collective: all processes call it, in the same order. */
export abstract class Communicator {
  /** Number of this process, from 0. */
  readonly rank: number;
  /** Number of processes. */
  readonly size: number;
  /** Processes on this machine. */
  readonly localSize: number;
  readonly #mpi: Mpi;
  readonly #polling: Polling;
  /** Memory, by where in it an array lies that is in large pages. */
  readonly #large = new Map<number, WeakRef<SharedArrayBuffer>>();

  protected constructor(mpi: Mpi, localSize: number) {
    this.#mpi = mpi;
    this.rank = mpi.rank;
    this.size = mpi.size;
    this.localSize = localSize;
    this.#polling = new Polling(mpi, () => this.lost());
  }

  /** An error that says which process is gone; null while all live, as far as is known. */
  abstract lost(): Error | null;

  /** Waits until all of `requests`, posted together, are complete. */
  async finish(requests: readonly Request[]): Promise<void> {
    await this.#polling.finish(requests);
  }

  /** As {@link gather}, without giving up the thread. */
  gatherSync(mine: Uint8Array, what: string): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(mine.length * this.size);
    if (this.size === 1) all.set(mine);
    else if (mine.length > 0) this.#polling.finishSync([this.#mpi.allGather(mine, all, what)]);
    return all;
  }

  /** As {@link sumInPlace}, without giving up the thread. */
  sumInPlaceSync(data: Float32Array | Float64Array, what: string): void {
    if (this.size === 1 || data.length === 0) return;
    this.#polling.finishSync([this.#mpi.allReduce(data, what)]);
  }

  /** Adds up arrays over all processes, in place, all at once. */
  async sumInPlace(arrays: readonly HostFloats[], what: string): Promise<void> {
    const mpi = this.#mpi;
    if (this.size === 1) return;
    // MPI's own all-reduce of long arrays leaves links idle for half the time; a reduce-scatter and an all-gather do not
    const least = this.leastShare;
    const requests: Request[] = [], parts: { mine: HostFloats; all: HostFloats }[] = [];
    for (const array of arrays) {
      if (this.localSize > 1) this.#useLargePages(array);
      const n = Math.floor(array.length / this.size), whole = n * this.size;
      const long = n * array.BYTES_PER_ELEMENT >= least;
      if (long) {
        const all = array.subarray(0, whole), mine = new (array.constructor as new (n: number) => HostFloats)(n);
        parts.push({ mine, all });
        requests.push(mpi.reduceScatter(all, mine, what));
      }
      const rest = long ? array.subarray(whole) : array;
      if (rest.length > 0) requests.push(mpi.allReduce(rest, what));
    }
    await this.finish(requests);
    await this.finish(parts.map(({ mine, all }) => mpi.allGather(mine, all, what)));
  }

  /** Bytes of a process's share from which on an array is reduced by a reduce-scatter and an all-gather. */
  get leastShare(): number {
    return this.localSize < this.size ? PART_BYTES.hosts : PART_BYTES.memory;
  }

  /** Has an array of the CPU device lie in large pages, once; copies of other devices' arrays are not worth it. */
  #useLargePages({ buffer, byteOffset, byteLength }: HostFloats): void {
    const stays = buffer instanceof SharedArrayBuffer && byteLength >= LARGE_BYTES;
    if (!stays || this.#large.get(byteOffset)?.deref() === buffer) return;
    this.#large.set(byteOffset, new WeakRef(buffer));
    useLargePages(new Uint8Array<ArrayBufferLike>(buffer, byteOffset, byteLength));
  }

  /** Replaces each array by rank 0's. */
  async broadcast(arrays: readonly Uint8Array[], what: string): Promise<void> {
    const mpi = this.#mpi;
    if (this.size === 1) return;
    await this.finish(arrays.filter((a) => a.length > 0).map((a) => mpi.broadcast(a, 0, what)));
  }

  /** Rank 0's text, whatever the others pass. */
  async broadcastText(text: string, what: string): Promise<string> {
    const mine = new TextEncoder().encode(text);
    const length = Uint32Array.of(mine.length);
    await this.broadcast([new Uint8Array(length.buffer)], what);
    const bytes = this.rank === 0 ? mine : new Uint8Array(length[0]);
    await this.broadcast([bytes], what);
    return new TextDecoder().decode(bytes);
  }

  /** Bytes of all processes, as many in each, one after another. */
  async gather(mine: Uint8Array, what: string): Promise<Uint8Array<ArrayBuffer>> {
    const all = new Uint8Array(mine.length * this.size);
    if (this.size === 1) all.set(mine);
    else if (mine.length > 0) await this.finish([this.#mpi.allGather(mine, all, what)]);
    return all;
  }

  /** Each process's text. */
  async gatherTexts(text: string, what: string): Promise<string[]> {
    const bytes = new TextEncoder().encode(text);
    const lengths = await this.counts(bytes.length, what);
    const longest = Math.max(...lengths);
    const padded = new Uint8Array(longest);
    padded.set(bytes);
    const all = await this.gather(padded, what);
    return lengths.map((n, r) => new TextDecoder().decode(all.subarray(r * longest, r * longest + n)));
  }

  /** One number of each process. */
  async counts(mine: number, what: string): Promise<number[]> {
    const all = await this.gather(new Uint8Array(Float64Array.of(mine).buffer), what);
    return [...new Float64Array(all.buffer)];
  }

  /** Waits until every process is here. */
  async barrier(): Promise<void> {
    if (this.size > 1) await this.finish([this.#mpi.barrier("wait for the others")]);
  }
}
