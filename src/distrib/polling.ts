/**
 * Waiting for non-blocking collectives by testing them, in the event loop or, where the thread may not be given up, out of it.
 *
 * @module
 */
import { DistributedError } from "../base/errors.ts";
import { lazy } from "../base/lazy.ts";
import { eventLoopTurn } from "../base/turn.ts";
import { yieldProcessor } from "./libc.ts";
import type { Mpi, Request } from "./mpi.ts";

/** Milliseconds of tests in a row after which a collective yields to the event loop. */
const TURN_MS = 5;
/**
 * How long a collective is polled in a busy loop. MPI makes progress only inside its calls, in small pieces: any sleep
 * between two of them would be most of the time that a sum takes. After that a process is late, and each test is followed
 * by a sleep.
 */
const SPIN_MS = 10;
const SLEEP_MS = 1;
/** Bytes that move in a millisecond at the least, where no process is waited for. */
const SLOWEST_LINK = 10_000;
/** Longest wait inside a forward or backward pass, in milliseconds. */
const STUCK_MS = 60000;
/** How long a collective is still polled once a process is gone: its last message, which says why, may have come already. */
const LAST_WORDS_MS = 200;

/** What nobody changes, to wait for; not where none is used: pages may not make one. */
const still = lazy(() => new Int32Array(new SharedArrayBuffer(4)));

/** Sleeps a millisecond without giving up the thread. */
export function pause(): void {
  Atomics.wait(still(), 0, 0, SLEEP_MS);
}

/** How long these collectives, posted together, are polled without a sleep: see {@link SPIN_MS}. */
function spinOf(requests: readonly Request[]): number {
  return requests.reduce(
    (ms, { buffers }) => buffers.reduce((sum, b) => sum + b.byteLength / SLOWEST_LINK, ms),
    SPIN_MS,
  );
}

/** Polls collectives until they are complete. */
export class Polling {
  readonly #mpi: Pick<Mpi, "test">;
  readonly #lost: () => Error | null;

  /** @param lost An error that says which process is gone; null while all live. */
  constructor(mpi: Pick<Mpi, "test">, lost: () => Error | null) {
    this.#mpi = mpi;
    this.#lost = lost;
  }

  /** Waits until all of `requests`, posted together, are complete; the event loop goes on meanwhile. */
  async finish(requests: readonly Request[]): Promise<void> {
    const start = performance.now();
    const spin = spinOf(requests);
    let turn = start, lostAt: number | null = null;
    for (let open = 0;;) {
      open = this.#test(requests, open);
      if (open === requests.length) return;
      yieldProcessor();
      const now = performance.now();
      if (now - turn < TURN_MS) continue;
      lostAt = this.#checkPeers(now, lostAt);
      await (now - start < spin ? eventLoopTurn() : new Promise((resolve) => setTimeout(resolve, SLEEP_MS)));
      turn = performance.now();
    }
  }

  /** The same without giving up the thread. */
  finishSync(requests: readonly Request[]): void {
    const start = performance.now();
    const spin = spinOf(requests);
    let lostAt: number | null = null;
    for (let open = 0;;) {
      open = this.#test(requests, open);
      if (open === requests.length) return;
      yieldProcessor();
      const now = performance.now(), waited = now - start;
      if (waited < spin) continue;
      lostAt = this.#checkPeers(now, lostAt);
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

  /** When a process was first found to be gone; throws once its last message has had the time to arrive. */
  #checkPeers(now: number, lostAt: number | null): number | null {
    const error = this.#lost();
    if (error !== null && lostAt !== null && now - lostAt > LAST_WORDS_MS) throw error;
    return error === null ? null : lostAt ?? now;
  }

  /** How many of `requests`, in order, are complete; `from` of them were before. */
  #test(requests: readonly Request[], from: number): number {
    const mpi = this.#mpi;
    try {
      while (from < requests.length && mpi.test(requests[from])) from++;
    } catch (error) {
      throw this.#lost() ?? error; // MPI's own words are less clear
    }
    return from;
  }
}
