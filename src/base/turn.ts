/**
 * The event loop.
 *
 * @module
 */

/** Lets the event loop turn once; 20 us where nothing waits. */
export function eventLoopTurn(): Promise<void> {
  // deno-lint-ignore no-node-globals -- importing it takes 6 ms of every start
  return new Promise((resolve) => setImmediate(() => resolve()));
}
