/**
 * Writes rows to a file.
 *
 * @module
 */
import { files, isMissing } from "../base/host_files.ts";
import { checkOptions, flag, pathText } from "../base/options.ts";
import { dirname, isAbsolute, join } from "../base/path.ts";
import type { SavedState, StateDict } from "../io/state_dict.ts";
import { Callback, ORDER, type Row } from "../train/mod.ts";

/** Options of {@link CSVLogger}. */
export interface CsvLoggerOptions {
  /** Name of the file in the learner's `path`; `history.csv` by default. */
  readonly fname?: string;
  /** Whether to add to a file that is there, under a line of names where its last one has others; false by default. */
  readonly append?: boolean;
}

/**
 * Writes the recorder's rows to a file as they come, one line an epoch, numbers in full. The learning-rate finder's probe
 * is left out; the second part of `fineTune` goes on after the first.
 */
export class CSVLogger extends Callback {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.schedule;
  /** False: the learning-rate finder's probe is not logged. */
  override readonly runProbe: boolean = false;
  /** In a run of several processes the first one does it. */
  override readonly rank0Only: boolean = true;
  /** What it can't write costs no fit. */
  override readonly reportsOnly: boolean = true;
  /** Name of the file. */
  readonly fname: string;
  /** Whether to add to a file that is there. */
  readonly append: boolean;
  /** Bytes of the file before this fit's first row. */
  #start = 0;

  /**
   * Makes a CSVLogger.
   *
   * @param options See {@link CsvLoggerOptions}.
   */
  constructor(options: CsvLoggerOptions = {}) {
    super();
    const { fname = "history.csv", append = false } = checkOptions("make CSVLogger", options, {
      fname: pathText,
      append: flag,
    });
    this.fname = fname;
    this.append = append;
  }

  /** Where the rows go. */
  get path(): string {
    return isAbsolute(this.fname) ? this.fname : join(this.learn.path, this.fname);
  }

  /** See `Callback.beforeFit`. */
  override async beforeFit(): Promise<void> {
    const { learn } = this;
    if (learn.resuming) return;
    await files.mkdir(dirname(this.path), { recursive: true });
    const goOn = this.append || learn.phase === "unfrozen";
    const there = goOn ? await textOfFile(this.path) : "";
    const torn = there !== "" && !there.endsWith("\n"); // what wrote it was killed in the middle of a line
    const header = lastHeader(there) === this.#header ? "" : this.#header;
    if (there === "") await files.writeTextFile(this.path, header);
    else await files.writeTextFile(this.path, (torn ? "\n" : "") + header, { append: true });
    this.#start = await sizeOfFile(this.path);
  }

  get #header(): string {
    return this.learn.recorder.metricNames.map(cell).join(",") + "\n";
  }

  #line(row: Row): string {
    return this.learn.recorder.metricNames.map((n) => row[n] ?? "").join(",") + "\n";
  }

  /** Where this fit's rows begin in the file. */
  override stateDict(): StateDict {
    return { start: this.#start };
  }

  /** Goes back to the rows that were there; those that came after will come again. */
  override async loadStateDict(state: SavedState): Promise<void> {
    this.#start = state.count("start");
    const { recorder } = this.learn;
    let before = this.#header; // the header, where the file was lost
    if (await sizeOfFile(this.path) >= this.#start) {
      before = new TextDecoder().decode((await files.readFile(this.path)).subarray(0, this.#start));
    }
    await files.mkdir(dirname(this.path), { recursive: true });
    await files.writeTextFile(this.path, before + recorder.rows.map((row) => this.#line(row)).join(""));
  }

  /** See `Callback.afterEpoch`. */
  override async afterEpoch(): Promise<void> {
    const { recorder } = this.learn;
    const row = recorder.rows.at(-1);
    if (row !== undefined) await files.writeTextFile(this.path, this.#line(row), { append: true });
  }
}

/** A name as a cell: quoted where it has a comma, a quotation mark, or ends in a space. */
function cell(name: string): string {
  return /[",\r\n]|^\s|\s$/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}

/** The last line of names in what a file holds; the first of them is always `epoch`. */
function lastHeader(text: string): string | null {
  const at = text.lastIndexOf("\nepoch,") + 1; // 0 where there is none below the first line
  if (!text.startsWith("epoch,", at)) return null;
  return text.slice(at, text.indexOf("\n", at) + 1);
}

async function textOfFile(path: string): Promise<string> {
  try {
    const { isFile } = await files.stat(path);
    return isFile ? await files.readTextFile(path) : ""; // a pipe or a device, whose end may never come
  } catch (error) {
    if (isMissing(error)) return "";
    throw error;
  }
}

async function sizeOfFile(path: string): Promise<number> {
  try {
    return (await files.stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}
