/**
 * Where a learner's rows and messages go.
 *
 * @module
 */
import { host } from "../base/host.ts";
import { terminalColumns } from "../base/terminal.ts";
import type { Row } from "./fit_record.ts";
import { notebook, notebookLogger } from "./notebook.ts";
import { complain, Output } from "./output.ts";

/** A fit's table as far as it goes. */
export interface TableView {
  /** Tells fits apart. */
  readonly id: string;
  /** Names of the columns. */
  readonly names: readonly string[];
  /** One row an epoch. */
  readonly rows: readonly Row[];
  /** The epoch under way: the share that is done, in [0, 1], and a text; null between epochs. */
  readonly bar: { readonly share: number; readonly text: string } | null;
}

/** Takes text lines, and where it can, a status that is overwritten in place, or a whole table. */
export interface Logger {
  /** Writes one line. */
  line(text: string): void;
  /** Shows `text` in place of the status before; "" removes it. Absent where nothing can be overwritten. */
  status?(text: string): void;
  /** Characters in a line of what {@link status} writes to; 80 where it is absent. */
  readonly columns?: number;
  /** Shows a table in place of the one with the same `id`. Where present, fits call it and write no rows as lines. */
  table?(view: TableView): void;
  /** Waits until everything is out. */
  flush?(): Promise<void>;
}

/** Drops everything. */
export const silentLogger: Logger = { line: () => {} };

/** Standard output: lines, and a status line where it is a terminal. A reader that goes away ends nothing. */
export function stdoutLogger(): Logger {
  const output = new Output(host.output, (error) => {
    complain(`Cannot write to standard output (${(error as Error).message}): the run goes on without it`);
  });
  const write = (text: string): void => output.write(text);
  const flush = (): Promise<void> => output.flush();
  if (!host.output.isTerminal()) return { line: (text) => write(text + "\n"), flush };
  let shown = false;
  const clear = (): string => shown ? "\r\x1b[K" : "";
  return {
    line: (text) => {
      write(clear() + text + "\n");
      shown = false;
    },
    status: (text) => {
      write(clear() + text.slice(0, (terminalColumns() ?? 80) - 1)); // a line that breaks could not be overwritten
      shown = text !== "";
    },
    get columns() {
      return terminalColumns() ?? 80; // it may change meanwhile
    },
    flush,
  };
}

/** What {@link setDefaultLogger} was told; it is a default, like the device and the generator. */
let given: Logger | null = null;

/** Makes `logger` the one that learners take by default. */
export function setDefaultLogger(logger: Logger | null): void {
  given = logger;
}

/** The page that a worker serves; the notebook, in Deno's Jupyter kernel; else standard output, or the console. */
export function defaultLogger(): Logger {
  if (given !== null) return given;
  const broadcast = notebook();
  return broadcast === null ? stdoutLogger() : notebookLogger(broadcast);
}
