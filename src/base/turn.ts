/**
 * The event loop.
 *
 * @module
 */
import { host } from "./host.ts";

/** Lets the event loop do all that waits: messages, timers, and input and output, such as requests and signals. */
export function eventLoopTurn(): Promise<void> {
  return host.turn();
}
