/**
 * Progress as a line of text that fits the terminal.
 *
 * @module
 */

/** Widest and narrowest bar, in characters. */
const WIDEST = 30, NARROWEST = 6;

/**
 * A line such as `Epoch 1/5 |███░░░| 12/200 loss 0.1234 00:10 left`, at most `columns - 1` characters long, so that no
 * terminal breaks it. Where it would be longer the bar gets narrower, then what is told after it is left out, the last first,
 * then the bar itself.
 *
 * @param what In front of the bar.
 * @param share The part that is done, in [0, 1].
 * @param told After the bar, the most important first.
 * @param columns Characters in a line of the terminal.
 */
export function barText(what: string, share: number, told: readonly string[], columns: number): string {
  const most = Math.max(1, columns - 1);
  for (let n = told.length; n >= Math.min(1, told.length); n--) {
    const tail = told.slice(0, n).map((text) => ` ${text}`).join("");
    const room = most - what.length - 3 - tail.length;
    if (room < NARROWEST) continue;
    const width = Math.min(WIDEST, room), full = Math.round(Math.min(1, Math.max(0, share)) * width);
    return `${what} |${"█".repeat(full)}${"░".repeat(width - full)}|${tail}`;
  }
  return [what, ...told.slice(0, 1)].join(" ").slice(0, most);
}
