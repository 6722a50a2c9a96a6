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
  #last = performance.now();

  /** Whether the event loop has been blocked long enough. */
  get due(): boolean {
    return performance.now() - this.#last > MAX_BLOCKED_MS;
  }

  /** Runs all that is queued in the event loop; some 0.1 ms where nothing is. */
  async yield(): Promise<void> {
    await eventLoopTurn();
    this.#last = performance.now();
  }
}
