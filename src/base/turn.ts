/**
 * The event loop.
 *
 * @module
 */

const NOTHING = new Uint8Array(0);

/** Lets the event loop turn once, input and output included; some 10 us where nothing waits. */
export async function eventLoopTurn(): Promise<void> {
  // While something is always ready, as with setImmediate(), Deno's loop looks for input and output at every 61st turn only:
  // a server or a signal would wait for seconds. A result from another thread makes it look each time.
  await crypto.subtle.digest("SHA-1", NOTHING);
}
