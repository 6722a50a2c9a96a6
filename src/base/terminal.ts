/**
 * The terminal that a program runs in.
 *
 * @module
 */
import { host } from "./host.ts";

/** Characters in a line of the terminal; null where there is none, or it does not say. Needs no permission. */
export function terminalColumns(): number | null {
  return host.columns();
}
