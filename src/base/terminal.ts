/**
 * The terminal that a program runs in.
 *
 * @module
 */

/** Characters in a line of the terminal; null where there is none, or it does not say. Needs no permission. */
export function terminalColumns(): number | null {
  try {
    const { columns } = Deno.consoleSize();
    return columns > 0 ? columns : null;
  } catch {
    return null;
  }
}
