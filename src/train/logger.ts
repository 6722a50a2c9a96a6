/**
 * Where a learner's rows and messages go.
 *
 * @module
 */

/** Takes text lines, and where it can, a status that is overwritten in place. */
export interface Logger {
  /** Writes one line. */
  line(text: string): void;
  /** Shows `text` in place of the status before; "" removes it. Absent where nothing can be overwritten. */
  status?(text: string): void;
}

/** Drops everything. */
export const silentLogger: Logger = { line: () => {} };

/** Standard output: lines, and a status line where it is a terminal. */
export function stdoutLogger(): Logger {
  const encoder = new TextEncoder();
  const write = (text: string): void => {
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  };
  if (!Deno.stdout.isTerminal()) return { line: (text) => write(text + "\n") };
  let shown = false;
  const clear = (): string => shown ? "\r\x1b[K" : "";
  return {
    line: (text) => {
      write(clear() + text + "\n");
      shown = false;
    },
    status: (text) => {
      write(clear() + text);
      shown = text !== "";
    },
  };
}
