/**
 * Writes what happens as lines of JSON.
 *
 * @module
 */
import { dirname, join } from "@std/path";
import { Callback, ORDER } from "../train/mod.ts";

/** Options of {@link JsonLines}. */
export interface JsonLinesOptions {
  /** Name of the file in the learner's `path`; `log.jsonl` by default. */
  readonly fname?: string;
}

/**
 * One line of JSON for each fit that begins, each epoch's row (with the last value of every hyper-parameter) and each fit
 * that ends, with the time. Lines are added to a file that is there; programs can follow it.
 */
export class JsonLines extends Callback {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.schedule;
  /** In a run of several processes the first one does it. */
  override readonly rank0Only: boolean = true;
  /** Name of the file. */
  readonly fname: string;

  /**
   * Makes a JsonLines.
   *
   * @param options See {@link JsonLinesOptions}.
   */
  constructor({ fname = "log.jsonl" }: JsonLinesOptions = {}) {
    super();
    this.fname = fname;
  }

  /** Where the lines go. */
  get path(): string {
    return join(this.learn.path, this.fname);
  }

  /** See `Callback.beforeFit`. */
  override async beforeFit(): Promise<void> {
    this.run = this.learn.phase !== "probe";
    if (!this.run) return;
    await Deno.mkdir(dirname(this.path), { recursive: true });
    await this.#write({ event: "fit", phase: this.learn.phase, epochs: this.learn.nEpoch });
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
    await Deno.writeTextFile(this.path, text + "\n", { append: true });
  }
}
