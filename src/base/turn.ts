/**
 * The event loop.
 *
 * @module
 */

const NOTHING = new Uint8Array(0);
/** Milliseconds after which the loop comes to rest, whatever that costs. */
const REST_MS = 200;

let rested = 0;

/** Lets the event loop turn once, input and output included; some 10 us where nothing waits, but now and then 1 ms. */
export async function eventLoopTurn(): Promise<void> {
  // While something is always ready, as with setImmediate(), Deno's loop looks for input and output at every 61st turn only:
  // a server or a signal would wait for seconds. A result from another thread makes it look most times, a timer each time.
  if (performance.now() - rested < REST_MS) {
    await crypto.subtle.digest("SHA-1", NOTHING);
    return;
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
  rested = performance.now();
}
