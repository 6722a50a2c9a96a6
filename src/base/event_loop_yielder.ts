/**
 * Yields to the event loop: promises that resolve at once never let signals, timers, servers and finalizers run.
 *
 * @module
 */
import { eventLoopTurn } from "./turn.ts";

/** Longest time, in milliseconds, that a run blocks the event loop. */
const MAX_BLOCKED_MS = 20;

/** Says when a long task should yield to the event loop, and does so. */
export class EventLoopYielder {
  readonly #clock: () => number;
  #last: number;

  /** @param clock Milliseconds since some moment. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#last = clock();
  }

  /** Whether the event loop has been blocked long enough. */
  get due(): boolean {
    return this.#clock() - this.#last > MAX_BLOCKED_MS;
  }

  /** Runs all that is queued in the event loop; some 0.1 ms where nothing is. */
  async yield(): Promise<void> {
    await eventLoopTurn();
    this.#last = this.#clock();
  }
}

/** Goes through `n` things block by block, and lets the event loop run in between where it was blocked long enough. */
export async function inBlocks(n: number, body: (from: number, to: number) => void, block = 1 << 15): Promise<void> {
  const yielder = new EventLoopYielder();
  for (let from = 0; from < n; from += block) {
    body(from, Math.min(n, from + block));
    if (yielder.due) await yielder.yield();
  }
}
