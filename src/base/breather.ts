/**
 * Pauses for the event loop: promises that resolve at once never let signals, timers, servers and finalizers run.
 *
 * @module
 */
import { eventLoopTurn } from "./turn.ts";

/** Longest time, in milliseconds, that a run keeps the event loop waiting. */
const MAX_HELD_MS = 20;

/** Says when a pause is due, and makes it. */
export class Breather {
  #last = performance.now();

  /** Whether the event loop has waited long enough. */
  get due(): boolean {
    return performance.now() - this.#last > MAX_HELD_MS;
  }

  /** Lets the event loop do all that waits; some 0.1 ms where nothing does. */
  async pause(): Promise<void> {
    await eventLoopTurn();
    this.#last = performance.now();
  }
}
