/**
 * The processes of a run: who they are, whether they live, and what the training loop needs of them.
 *
 * @module
 */
import type { HostArray } from "../base/dtype.ts";
import { DistributedError } from "../base/errors.ts";
import type { Launch } from "../base/launch.ts";
import type { Peers, SharedLearner } from "../train/mod.ts";
import { Communicator } from "./communicator.ts";
import { leaveAtExit } from "./leave.ts";
import { Mpi } from "./mpi.ts";
import { OverlappedSums } from "./overlapped_sums.ts";
import { shareState } from "./share_state.ts";
import type { Post, Watch } from "./watch.ts";

/** All processes that the launcher started together, seen from this one. */
export class World extends Communicator implements Peers {
  idle: boolean = false;
  /** Why this process wants all of them to stop. */
  asked: string | null = null;
  raised: string | null = null;
  /** Sums that overlap with computing. */
  readonly overlapped: OverlappedSums;
  #watch: Watch | null = null;
  #starting: Promise<void> | null = null;

  private constructor(launch: Launch) {
    const mpi = new Mpi(launch.family);
    super(mpi, launch.localSize);
    this.overlapped = new OverlappedSums(mpi, this);
    if (this.size !== launch.size) {
      throw new DistributedError(
        `Cannot join the other processes: the launcher started ${launch.size}, MPI's library knows of ${this.size}; ` +
          "launcher and library must be of the same installation",
      );
    }
    leaveAtExit(mpi, {
      barrier: () => this.barrier(),
      unwatch: () => this.#watch = null,
      mpich: launch.family === "mpich",
      hosts: this.localSize < this.size,
    });
  }

  static #world: World | null = null; // MPI is started once in a process, and never again

  /**
   * The world of this process. The first call starts MPI and waits for the others, which must call it too.
   *
   * @throws ConfigError where a permission or MPI's library is missing.
   */
  static open(launch: Launch): World {
    return World.#world ??= new World(launch);
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
    const counts = await this.counts(granted ? 1 : 0, "start the watch");
    if (counts.includes(0)) return;
    const { Watch } = await import("./watch.ts");
    const watch = new Watch(this.rank, this.size);
    const mine = this.rank === 0 ? await watch.listen() : null;
    const post: Post | null = JSON.parse(await this.broadcastText(JSON.stringify(mine), "start the watch"));
    const ok = post !== null && (this.rank === 0 ? await watch.complete() : await watch.connect(post));
    if (!(await this.counts(ok ? 1 : 0, "start the watch")).includes(0)) this.#watch = watch;
  }

  /** See `Communicator`. */
  override lost(): Error | null {
    const dead = this.#watch?.dead ?? null;
    if (dead === null) return null;
    return new DistributedError(
      `Cannot go on: rank ${dead} of ${this.size} is gone (killed, crashed, or stopped by an error that its own output ` +
        "tells); start all again, with `resume: true` from the last checkpoint",
    );
  }

  /** See `Peers`. */
  async sum(values: Float64Array): Promise<Float64Array> {
    const longest = Math.max(...await this.counts(values.length, "compare lengths"));
    const total = new Float64Array(longest);
    total.set(values);
    await this.sumInPlace([total], "add up numbers");
    return total;
  }

  /** See `Peers`. */
  async interleave<T extends HostArray>(rows: T, width: number): Promise<T> {
    const what = "gather rows";
    const counts = await this.counts(width === 0 ? 0 : rows.length / width, what);
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
    await this.#onRank0(async () => {
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
    await this.#onRank0(work);
    await shareState(this, learn);
  }

  /** Does `work` in rank 0; where it fails there, all fail. */
  async #onRank0(work: () => Promise<void>): Promise<void> {
    let failed: unknown = null, message = "";
    if (this.rank === 0) {
      try {
        await work();
      } catch (error) {
        failed = error;
        message = error instanceof Error ? error.message : String(error);
      }
    }
    const failure = await this.broadcastText(message, "hear from rank 0");
    if (failed !== null) throw failed;
    if (failure !== "") throw new DistributedError(`Cannot go on, as rank 0 says: ${failure}`);
  }
}
