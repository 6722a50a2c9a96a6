/**
 * The event loop.
 *
 * @module
 */

/**
 * Tasks after which Deno's scheduler (tokio's, for one thread) looks for input and output though more are ready; see
 * `event_interval` in its `runtime/tokio_util.rs`. A turn of the event loop is one task.
 */
const TURNS_TO_A_LOOK = 61;
/** The first look finds what came, and the second what the answer to that made possible: a connection, then its request. */
const LOOKS = 2;

/**
 * Lets the event loop do all that waits: messages, timers, and input and output, such as requests and signals; some 0.1 ms
 * where nothing waits.
 */
export function eventLoopTurn(): Promise<void> {
  // Nothing else is sure: one turn finds messages and timers, but a server or a signal would wait for seconds, and who hands
  // work to another thread, so that the loop comes to rest, may find it done before (always so where the cores are busy).
  let left = LOOKS * (TURNS_TO_A_LOOK + 1);
  return new Promise((resolve) => {
    const turn = (): void => {
      if (--left === 0) resolve();
      else setImmediate(turn); // deno-lint-ignore no-node-globals -- importing it takes 6 ms of every start
    };
    turn();
  });
}
