/**
 * Sums of gradients that overlap with the backward pass, in a thread of their own.
 *
 * @module
 */
import type { Mpi } from "./mpi.ts";
import type { Communicator } from "./communicator.ts";
import type { Final, Overlap } from "./overlap.ts";

/** Milliseconds between two checks that all processes live while another thread adds up. */
const LOOK_MS = 20;

/** Sums over all processes in another thread; while one is in flight, this thread leaves MPI alone. */
export class OverlappedSums {
  readonly #mpi: Mpi;
  readonly #all: Communicator;
  /** Communicators of the other thread, once there are any. */
  #apart: readonly bigint[] | null = null;
  #overlap: Overlap | null = null;
  #overlapOf: Int32Array<ArrayBufferLike> | null = null;

  /** @param all All processes. */
  constructor(mpi: Mpi, all: Communicator) {
    this.#mpi = mpi;
    this.#all = all;
  }

  /**
   * Gets ready for sums that overlap with computing. Every process calls it.
   *
   * @param bytes How long a sum is to be worth it; Infinity: none is.
   * @param progress How far a program under way is; null where that is unknown.
   * @returns `bytes` of all processes: the largest; Infinity where one of them cannot.
   */
  async prepare(bytes: number, progress: Int32Array<ArrayBufferLike> | null): Promise<number> {
    const what = "start sums that overlap with computing";
    const mpi = this.#mpi;
    if (this.#all.size === 1) return Infinity;
    const most = Math.max(...await this.#all.counts(progress !== null && mpi.passable ? bytes : Infinity, what));
    if (most === Infinity) return most;
    if (this.#apart === null) {
      const made = [mpi.duplicate(what), mpi.duplicate(what)];
      await this.#all.finish(made.map(({ request }) => request));
      this.#apart = made.map(({ handle }) => handle[0]);
      for (const communicator of this.#apart) mpi.returnErrors(communicator);
    }
    if (this.#overlap === null || this.#overlapOf !== progress) {
      this.#overlap?.stop();
      const [scatter, gather] = this.#apart;
      const leastShare = this.#all.leastShare;
      const { Overlap } = await import("./overlap.ts");
      this.#overlap = new Overlap({ ...mpi.library, scatter, gather, size: this.#all.size, leastShare }, progress!);
      this.#overlapOf = progress;
    }
    return (await this.#all.counts(await this.#overlap.started() ? 1 : 0, what)).includes(0) ? Infinity : most;
  }

  /**
   * Begins to add up `arrays` over all processes, in place, in another thread, after {@link prepare}. This one leaves
   * MPI alone until {@link end} is done.
   */
  begin(arrays: readonly Uint8Array[], final: Final): void {
    this.#overlap!.begin(arrays, final);
  }

  /** Waits for the sum that {@link begin} began; everything has been computed. */
  async end(): Promise<void> {
    const overlap = this.#overlap!;
    overlap.computed();
    try {
      while (!overlap.done((code) => this.#mpi.wordsOf(code))) {
        await overlap.wait(LOOK_MS);
        const lost = this.#all.lost();
        if (lost !== null) throw lost;
      }
    } catch (error) {
      overlap.stop();
      this.#overlap = null;
      throw this.#all.lost() ?? error; // MPI's own words are less clear
    }
  }
}
