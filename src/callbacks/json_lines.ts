/**
 * Writes what happens as lines of JSON.
 *
 * @module
 */
import { files } from "../base/host_files.ts";
import { checkOptions, pathText } from "../base/options.ts";
import { dirname, isAbsolute, join } from "../base/path.ts";
import type { SavedState, StateDict } from "../io/state_dict.ts";
import { Callback, ORDER } from "../train/mod.ts";
import { rememberOffset, takeOffset } from "./resume_offsets.ts";
import { trimLines } from "./trim_file.ts";

/** How every line begins; see `#write`. */
const BEGINS = '{"at":"';

/** Options of {@link JsonLines}. */
export interface JsonLinesOptions {
  /** Name of the file in the learner's `path`; `log.jsonl` by default. */
  readonly fname?: string;
}

/**
 * One line of JSON for each fit that begins, each epoch's row (with the last value of every hyper-parameter) and each fit
 * that ends, with the time. Lines are added to a file that is there; programs can follow it. A run
 * that goes on from a checkpoint drops what it had written after it.
 */
export class JsonLines extends Callback {
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
  /** Bytes of the file so far. */
  #bytes = 0;

  /**
   * Makes a JsonLines.
   *
   * @param options See {@link JsonLinesOptions}.
   */
  constructor(options: JsonLinesOptions = {}) {
    super();
    const { fname = "log.jsonl" } = checkOptions("make JsonLines", options, { fname: pathText });
    this.fname = fname;
  }

  /** Where the lines go. */
  get path(): string {
    return isAbsolute(this.fname) ? this.fname : join(this.learn.path, this.fname);
  }

  /** See `Callback.beforeFit`. */
  override async beforeFit(): Promise<void> {
    if (this.learn.resuming) return;
    await files.mkdir(dirname(this.path), { recursive: true });
    this.#bytes = await trimLines(this.path, takeOffset(this.learn, this.path) ?? Infinity, BEGINS);
    await this.#write({ event: "fit", phase: this.learn.phase, epochs: this.learn.nEpoch });
  }

  /** How much is in the file. */
  override stateDict(): StateDict {
    return { bytes: this.#bytes };
  }

  /** Drops the lines that came after, if the fit goes on: they will come again. */
  override async loadStateDict(state: SavedState): Promise<void> {
    const bytes = state.count("bytes");
    if (!this.learn.running) return rememberOffset(this.learn, this.path, bytes); // a finished fit is skipped
    takeOffset(this.learn, this.path);
    await files.mkdir(dirname(this.path), { recursive: true });
    this.#bytes = await trimLines(this.path, bytes, BEGINS);
  }

  /** See `Callback.afterEpoch`. */
  override async afterEpoch(): Promise<void> {
    const { recorder } = this.learn;
    const hypers = Object.fromEntries(Object.entries(recorder.hps).map(([name, values]) => [name, values.at(-1)]));
    await this.#write({ event: "epoch", ...recorder.rows.at(-1), hypers });
  }

  /** See `Callback.afterFit`. */
  override async afterFit(): Promise<void> {
    await this.#write({ event: "end", epoch: this.learn.epoch });
  }

  async #write(record: Record<string, unknown>): Promise<void> {
    // NaN and infinities, which JSON has no words for, as text
    const text = JSON.stringify(
      { at: new Date().toISOString(), ...record },
      (_, v) => typeof v === "number" && !Number.isFinite(v) ? String(v) : v,
    );
    const bytes = new TextEncoder().encode(text + "\n");
    await files.writeFile(this.path, bytes, { append: true });
    this.#bytes += bytes.length;
  }
}
