/**
 * The processes of a run: who they are, and what they can do together.
 *
 * @module
 */
import { eventLoopTurn } from "../base/turn.ts";
import type { HostArray } from "../base/dtype.ts";
import { DistributedError } from "../base/errors.ts";
import { type Launch, launchOf } from "../base/launch.ts";
import type { Peers, SharedLearner } from "../train/mod.ts";
import { Mpi, type Request } from "./mpi.ts";
import { useLargePages, yieldProcessor } from "./libc.ts";
import { type Final, Overlap } from "./overlap.ts";
import { leaveLauncher } from "./pmi.ts";
import { shareState } from "./share_state.ts";
import { type Post, Watch } from "./watch.ts";

/** Milliseconds of tests without a break after which a collective gives way to the event loop. */
const TURN_MS = 5;
/**
 * How long a collective goes on testing. MPI moves data only inside its calls, in small pieces: any sleep between two of
 * them would be most of the time that a sum takes. After that somebody is slow, and each test is followed by a sleep.
 */
const SPIN_MS = 10;
const SLEEP_MS = 1;
/** Arrays are added up part by part where each process's has so many bytes: with several hosts, and on one. */
const PART_BYTES = { hosts: 2 ** 16, memory: 2 ** 23 };
/** Arrays of so many bytes are asked to lie in large pages. */
const LARGE_BYTES = 2 ** 20;
/** Bytes that move in a millisecond at the least, where nobody is waited for. */
const SLOWEST_LINK = 10_000;
/** Milliseconds between two looks at whether the others live while another thread adds up. */
const LOOK_MS = 20;
/** Longest wait inside a forward or backward pass, in milliseconds. */
const STUCK_MS = 60000;
/** Time for last messages, in milliseconds. */
const DRAIN_MS = 50;
/** How long a process that calls `Deno.exit()` waits for the others to do so. */
const EXIT_MS = 5000;

type HostFloats = Float32Array | Float64Array;

const still = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps without giving up the thread. */
function pause(): void {
  Atomics.wait(still, 0, 0, SLEEP_MS);
}

/** How long tests of these collectives, posted together, follow each other without a sleep: see {@link SPIN_MS}. */
function spinOf(requests: readonly Request[]): number {
  return requests.reduce(
    (ms, { buffers }) => buffers.reduce((sum, b) => sum + b.byteLength / SLOWEST_LINK, ms),
    SPIN_MS,
  );
}

/** All processes that the launcher started together, seen from this one; a process started alone is a world of one. */
export class World implements Peers {
  readonly rank: number;
  readonly size: number;
  /** Processes on this machine. */
  readonly localSize: number;
  idle: boolean = false;
  /** Why this process wants all of them to stop. */
  asked: string | null = null;
  raised: string | null = null;
  readonly #mpi: Mpi | null;
  readonly #family: Launch["family"] | null;
  /** Memory, by where in it an array lies that is in large pages. */
  readonly #large = new Map<number, WeakRef<SharedArrayBuffer>>();
  /** Communicators of the thread that adds up beside this one, once there are any. */
  #apart: readonly bigint[] | null = null;
  #overlap: Overlap | null = null;
  #overlapOf: Int32Array<ArrayBufferLike> | null = null;
  #watch: Watch | null = null;
  #starting: Promise<void> | null = null;

  private constructor(launch: Launch | null) {
    this.#mpi = launch === null ? null : new Mpi(launch.family);
    this.rank = this.#mpi?.rank ?? 0;
    this.size = this.#mpi?.size ?? 1;
    this.localSize = launch?.localSize ?? 1;
    this.#family = launch?.family ?? null;
    if (launch !== null && this.size !== launch.size) {
      throw new DistributedError(
        `Cannot join the other processes: the launcher started ${launch.size}, MPI's library knows of ${this.size}; ` +
          "launcher and library must be of the same installation",
      );
    }
  }

  static #world: World | null = null; // MPI is started once in a process, and never again

  /**
   * The world of this process. The first call starts MPI and waits for the others, which must call it too.
   *
   * @throws ConfigError where a permission or MPI's library is missing.
   */
  static open(): World {
    if (World.#world !== null) return World.#world;
    const world = World.#world = new World(launchOf({ insist: true }));
    if (world.#mpi !== null) world.#leaveAtExit(world.#mpi);
    return world;
  }

  /**
   * Leaves MPI when the script is done: a launcher takes a process that does not for a failed one. A process that ends by
   * an error, or says so by its exit code, does not: the launcher then ends the others.
   */
  #leaveAtExit(mpi: Mpi): void {
    let left = false;
    // MPICH's launcher sends it to the others when a process dies and it was told not to end them: it must not kill
    const noticed = () => {};
    if (this.#family === "mpich") Deno.addSignalListener("SIGUSR1", noticed);
    const leave = async () => {
      await this.barrier();
      this.#watch = null; // nobody needs anybody any more: processes end from here on
      await this.barrier();
      left = true;
      this.#finalize(mpi);
    };
    let leaving: Promise<void> | null = null;
    globalThis.addEventListener("beforeunload", (event) => {
      if (left || leaving !== null) return;
      event.preventDefault(); // the others may still be busy: waiting for them goes on in the event loop
      leaving = leave();
    });
    globalThis.addEventListener("unload", () => {
      if (left || leaving !== null || Deno.exitCode !== 0) return;
      // Deno.exit(): nothing asynchronous runs any more; the others may leave the other way, by two barriers
      for (let i = 0; i < 2; i++) {
        const request = mpi.barrier("leave");
        for (let ms = 0; ms < EXIT_MS && !mpi.test(request); ms++) pause();
        if (!request.done) return;
      }
      this.#finalize(mpi);
    });
  }

  #finalize(mpi: Mpi): void {
    if (this.localSize < this.size && this.#family === "mpich") {
      // the last words to slower processes may still be on their way out
      const last = mpi.barrier("leave");
      for (let ms = 0; ms < DRAIN_MS && !mpi.test(last); ms++) pause();
      if (leaveLauncher()) return;
    }
    mpi.finalize();
  }

  /** Name and version of MPI's library; null without. */
  get version(): string | null {
    return this.#mpi?.version ?? null;
  }

  /** Whether a process that dies is noticed by the others themselves, and not by the launcher alone. */
  get watched(): boolean {
    return this.#watch !== null;
  }

  /**
   * Has the processes watch each other from now on. Every process calls it; later calls do nothing. Needs permission for
   * the network; without it in any process there is no watch.
   */
  watch(): Promise<void> {
    return this.#starting ??= this.size === 1 ? Promise.resolve() : this.#startWatch();
  }

  async #startWatch(): Promise<void> {
    const granted = Deno.permissions.querySync({ name: "net" }).state === "granted";
    const counts = await this.#counts(granted ? 1 : 0, "start the watch");
    if (counts.includes(0)) return;
    const watch = new Watch(this.rank, this.size);
    const mine = this.rank === 0 ? await watch.listen() : null;
    const post: Post | null = JSON.parse(await this.broadcastText(JSON.stringify(mine), "start the watch"));
    const ok = post !== null && (this.rank === 0 ? await watch.complete() : await watch.connect(post));
    if (!(await this.#counts(ok ? 1 : 0, "start the watch")).includes(0)) this.#watch = watch;
  }

  /** Throws if a process is gone. */
  #checkPeers(): void {
    const dead = this.#watch?.dead ?? null;
    if (dead === null) return;
    throw new DistributedError(
      `Cannot go on: rank ${dead} of ${this.size} is gone (killed, crashed, or stopped by an error that its own output ` +
        "tells); start all again, with `resume: true` from the last checkpoint",
    );
  }

  /** Runs collectives, posted together, until all are done. */
  async #finish(requests: readonly Request[]): Promise<void> {
    const start = performance.now();
    const spin = spinOf(requests);
    let turn = start;
    for (let open = 0;;) {
      open = this.#test(requests, open);
      if (open === requests.length) return;
      yieldProcessor();
      const now = performance.now();
      if (now - turn < TURN_MS) continue;
      this.#checkPeers();
      await (now - start < spin ? eventLoopTurn() : new Promise((resolve) => setTimeout(resolve, SLEEP_MS)));
      turn = performance.now();
    }
  }

  /** The same without giving up the thread. */
  #finishSync(requests: readonly Request[]): void {
    const start = performance.now();
    const spin = spinOf(requests);
    for (let open = 0;;) {
      open = this.#test(requests, open);
      if (open === requests.length) return;
      yieldProcessor();
      const waited = performance.now() - start;
      if (waited < spin) continue;
      this.#checkPeers();
      if (waited > STUCK_MS) {
        throw new DistributedError(
          `Cannot go on: another rank did not come to the same layer within ${
            STUCK_MS / 1000
          } s; all must run the model`,
        );
      }
      pause();
    }
  }

  /** How many of `requests`, in order, are done; `from` of them were before. */
  #test(requests: readonly Request[], from: number): number {
    const mpi = this.#mpi!;
    try {
      while (from < requests.length && mpi.test(requests[from])) from++;
    } catch (error) {
      this.#checkPeers(); // MPI's own words are less clear
      throw error;
    }
    return from;
  }

  /** As {@link gather}, without giving up the thread. */
  gatherSync(mine: Uint8Array, what: string): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(mine.length * this.size);
    if (this.#mpi === null || this.size === 1) all.set(mine);
    else if (mine.length > 0) this.#finishSync([this.#mpi.allGather(mine, all, what)]);
    return all;
  }

  /** As {@link sumInPlace}, without giving up the thread. */
  sumInPlaceSync(data: Float32Array | Float64Array, what: string): void {
    if (this.#mpi === null || this.size === 1 || data.length === 0) return;
    this.#finishSync([this.#mpi.allReduce(data, "sum", what)]);
  }

  /** Adds up arrays over all processes, in place, all at once. */
  async sumInPlace(arrays: readonly HostFloats[], what: string): Promise<void> {
    const mpi = this.#mpi;
    if (mpi === null || this.size === 1) return;
    // MPI's own sum of long arrays leaves links idle for half the time; each process adding up its part does not
    const least = this.#leastShare;
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
      if (rest.length > 0) requests.push(mpi.allReduce(rest, "sum", what));
    }
    await this.#finish(requests);
    await this.#finish(parts.map(({ mine, all }) => mpi.allGather(mine, all, what)));
  }

  /**
   * Gets ready for sums beside the computing. Every process calls it.
   *
   * @param bytes How long a sum is to be worth it; Infinity: none is.
   * @param progress How far a program under way is; null where that is unknown.
   * @returns `bytes` of all processes: the largest; Infinity where one of them cannot.
   */
  async prepareOverlap(bytes: number, progress: Int32Array<ArrayBufferLike> | null): Promise<number> {
    const what = "start adding up beside computing";
    const mpi = this.#mpi;
    if (mpi === null || this.size === 1) return Infinity;
    const most = Math.max(...await this.#counts(progress !== null && mpi.passable ? bytes : Infinity, what));
    if (most === Infinity) return most;
    if (this.#apart === null) {
      const made = [mpi.duplicate(what), mpi.duplicate(what)];
      await this.#finish(made.map(({ request }) => request));
      this.#apart = made.map(({ handle }) => handle[0]);
      for (const communicator of this.#apart) mpi.returnErrors(communicator);
    }
    if (this.#overlap === null || this.#overlapOf !== progress) {
      this.#overlap?.stop();
      const [scatter, gather] = this.#apart;
      const leastShare = this.#leastShare;
      this.#overlap = new Overlap({ ...mpi.library, scatter, gather, size: this.size, leastShare }, progress!);
      this.#overlapOf = progress;
    }
    return (await this.#counts(await this.#overlap.started() ? 1 : 0, what)).includes(0) ? Infinity : most;
  }

  /**
   * Begins to add up `arrays` over all processes, in place, in another thread, after {@link prepareOverlap}. This one leaves
   * MPI alone until {@link endSum} is done.
   */
  beginSum(arrays: readonly Uint8Array[], final: Final): void {
    this.#overlap!.begin(arrays, final);
  }

  /** Waits for the sum that {@link beginSum} began; everything has been computed. */
  async endSum(): Promise<void> {
    const overlap = this.#overlap!;
    overlap.computed();
    try {
      while (!overlap.done((code) => this.#mpi!.wordsOf(code))) {
        await overlap.wait(LOOK_MS);
        this.#checkPeers();
      }
    } catch (error) {
      overlap.stop();
      this.#overlap = null;
      this.#checkPeers(); // MPI's own words are less clear
      throw error;
    }
  }

  /** Bytes of a process's share from which on an array is added up part by part. */
  get #leastShare(): number {
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
    if (mpi === null || this.size === 1) return;
    await this.#finish(arrays.filter((a) => a.length > 0).map((a) => mpi.broadcast(a, 0, what)));
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
    if (this.#mpi === null || this.size === 1) all.set(mine);
    else if (mine.length > 0) await this.#finish([this.#mpi.allGather(mine, all, what)]);
    return all;
  }

  /** Each process's text. */
  async gatherTexts(text: string, what: string): Promise<string[]> {
    const bytes = new TextEncoder().encode(text);
    const lengths = await this.#counts(bytes.length, what);
    const longest = Math.max(...lengths);
    const padded = new Uint8Array(longest);
    padded.set(bytes);
    const all = await this.gather(padded, what);
    return lengths.map((n, r) => new TextDecoder().decode(all.subarray(r * longest, r * longest + n)));
  }

  /** One number of each process. */
  async #counts(mine: number, what: string): Promise<number[]> {
    const all = await this.gather(new Uint8Array(Float64Array.of(mine).buffer), what);
    return [...new Float64Array(all.buffer)];
  }

  /** See `Peers`. */
  async sum(values: Float64Array): Promise<Float64Array> {
    const longest = Math.max(...await this.#counts(values.length, "compare lengths"));
    const total = new Float64Array(longest);
    total.set(values);
    await this.sumInPlace([total], "add up numbers");
    return total;
  }

  /** See `Peers`. */
  async interleave<T extends HostArray>(rows: T, width: number): Promise<T> {
    const what = "gather rows";
    const counts = await this.#counts(width === 0 ? 0 : rows.length / width, what);
    const most = Math.max(...counts);
    const rowBytes = width * rows.BYTES_PER_ELEMENT;
    const padded = new Uint8Array(most * rowBytes);
    padded.set(new Uint8Array(rows.buffer as ArrayBuffer, rows.byteOffset, rows.byteLength));
    const all = await this.gather(padded, what);
    const out = new Uint8Array(counts.reduce((a, b) => a + b, 0) * rowBytes);
    let at = 0;
    for (let k = 0; k < most; k++) {
      for (let r = 0; r < this.size; r++) {
        if (k >= counts[r]) continue;
        const from = (r * most + k) * rowBytes;
        out.set(all.subarray(from, from + rowBytes), at);
        at += rowBytes;
      }
    }
    return new (rows.constructor as new (buffer: ArrayBuffer) => T)(out.buffer);
  }

  /** See `Peers`. */
  raise(reason: string): void {
    this.asked ??= reason;
  }

  /** See `Peers`. */
  async fromRank0(read: () => Uint8Array | Promise<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
    let mine: Uint8Array = new Uint8Array(0);
    await this.#told(async () => {
      mine = await read();
    });
    const length = Float64Array.of(mine.length);
    await this.broadcast([new Uint8Array(length.buffer)], "share a file");
    const bytes = new Uint8Array(length[0]);
    if (this.rank === 0) bytes.set(mine);
    await this.broadcast([bytes], "share a file");
    return bytes;
  }

  /** See `Peers`. */
  async followRank0(learn: SharedLearner, work: () => Promise<void>): Promise<void> {
    await this.#told(work);
    await shareState(this, learn);
  }

  /** Does `work` in rank 0; where it fails there, all fail. */
  async #told(work: () => Promise<void>): Promise<void> {
    let failed: unknown = null, message = "";
    if (this.rank === 0) {
      try {
        await work();
      } catch (error) {
        failed = error;
        message = error instanceof Error ? error.message : String(error);
      }
    }
    const told = await this.broadcastText(message, "hear from rank 0");
    if (failed !== null) throw failed;
    if (told !== "") throw new DistributedError(`Cannot go on, as rank 0 says: ${told}`);
  }

  /** Waits until every process is here. */
  async barrier(): Promise<void> {
    if (this.#mpi !== null && this.size > 1) await this.#finish([this.#mpi.barrier("wait for the others")]);
  }
}
