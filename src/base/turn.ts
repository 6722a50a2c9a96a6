/**
 * The event loop.
 *
 * @module
 */

/** What another thread takes some 50 us for. */
const WORK = new Uint8Array(2 ** 16);
/** Milliseconds after which the loop comes to rest for certain, which takes 1 ms. */
const REST_MS = 1000;

let rested = 0;

/** Lets the event loop turn once, input and output included; some 100 us where nothing waits. */
export async function eventLoopTurn(): Promise<void> {
  // While something is always ready, as with setImmediate(), Deno's loop looks for input and output at every 61st turn only:
  // a server or a signal would wait for seconds. It looks whenever nothing is ready: until another thread's result is there
  // (most times: it may be quick), or a timer's time has come.
  if (performance.now() - rested < REST_MS) {
    await crypto.subtle.digest("SHA-1", WORK);
    return;
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
  rested = performance.now();
}
