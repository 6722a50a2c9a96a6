/**
 * Writes what happens as TensorBoard reads it.
 *
 * @module
 */
import { host } from "../base/host.ts";
import { files } from "../base/host_files.ts";
import { checkOptions, flag, pathText } from "../base/options.ts";
import { isAbsolute, join } from "../base/path.ts";
import type { SavedState, StateDict } from "../io/state_dict.ts";
import { Callback, ORDER } from "../train/mod.ts";
import { rememberOffset, takeOffset } from "./resume_offsets.ts";

/** Options of {@link TensorBoard}. */
export interface TensorBoardOptions {
  /** Folder of the event files, in the learner's `path` unless absolute; `tensorboard` by default. */
  readonly dir?: string;
  /** Whether pictures of losses and schedules are added at the end of a fit; true by default. */
  readonly pictures?: boolean;
}

/**
 * TensorBoard event files: the smoothed training loss and every hyper-parameter of each batch, each epoch's row, and
 * pictures at the end. Batches are written when the epoch is over, so that no step waits. View them with
 * `tensorboard --logdir <dir>`.
 */
export class TensorBoard extends Callback {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.schedule;
  /** False: the learning-rate finder's probe is not logged. */
  override readonly runProbe: boolean = false;
  /** In a run of several processes the first one does it. */
  override readonly rank0Only: boolean = true;
  /** What it can't write costs no fit. */
  override readonly reportsOnly: boolean = true;
  /** Folder of the event files. */
  readonly dir: string;
  /** Whether pictures are added. */
  readonly pictures: boolean;
  #file = "";
  /** How records are made; other callbacks do without that code. */
  #records: typeof import("./event_file.ts") | null = null;
  #base = 0; // batches of earlier fits
  #written = 0; // batches of this fit that are in the file

  /**
   * Makes a TensorBoard.
   *
   * @param options See {@link TensorBoardOptions}.
   */
  constructor(options: TensorBoardOptions = {}) {
    super();
    const { dir = "tensorboard", pictures = true } = checkOptions("make TensorBoard", options, {
      dir: pathText,
      pictures: flag,
    });
    this.dir = dir;
    this.pictures = pictures;
  }

  /** Where the files go. */
  get path(): string {
    return isAbsolute(this.dir) ? this.dir : join(this.learn.path, this.dir);
  }

  /** See `Callback.beforeFit`. */
  override async beforeFit(): Promise<void> {
    this.#written = 0;
    const { versionEvent, restartEvent } = this.#records = await import("./event_file.ts");
    const seconds = Date.now() / 1000;
    if (this.#file === "") {
      await files.mkdir(this.path, { recursive: true });
      this.#file = join(this.path, `events.out.tfevents.${Math.floor(seconds)}.anneal.${host.pid}`);
      await this.#write([versionEvent(seconds)]);
    }
    // what this fit wrote before comes again: all of it, or what comes after the place that it goes on from
    const offset = takeOffset(this.learn, this.path);
    if (offset !== null && !this.learn.resuming) await this.#write([restartEvent(seconds, offset)]);
  }

  /** Which steps are in the files. */
  override stateDict(): StateDict {
    return { base: this.#base, written: this.#written };
  }

  /** Tells TensorBoard to forget the steps that will come again. */
  override async loadStateDict(state: SavedState): Promise<void> {
    this.#base = state.count("base");
    this.#written = state.count("written");
    if (!this.learn.running) return rememberOffset(this.learn, this.path, this.#base); // a finished fit is skipped
    await this.#write([this.#records!.restartEvent(Date.now() / 1000, this.#base + this.#written)]);
  }

  /** See `Callback.afterEpoch`. */
  override async afterEpoch(): Promise<void> {
    const { recorder } = this.learn;
    const seconds = Date.now() / 1000, hypers = Object.entries(recorder.hps), { losses } = recorder;
    const events: Uint8Array[] = [];
    for (; this.#written < losses.length; this.#written++) {
      const i = this.#written, values: Record<string, number> = { "batch/loss": losses[i] };
      for (const [name, list] of hypers) if (i < list.length) values[`batch/${name}`] = list[i];
      events.push(this.#records!.scalarEvent(seconds, this.#base + i, values));
    }
    const row = Object.entries(recorder.rows.at(-1) ?? {}).flatMap(([name, v]) =>
      typeof v === "number" && name !== "epoch" ? [[`epoch/${name}`, v] as const] : []
    );
    // at the epoch's last batch: a run that goes on drops what belongs to later ones
    const step = this.#base + Math.max(0, this.#written - 1);
    if (row.length > 0) events.push(this.#records!.scalarEvent(seconds, step, Object.fromEntries(row)));
    await this.#write(events);
  }

  /** See `Callback.afterFit`. */
  override async afterFit(): Promise<void> {
    const step = this.#base += this.#written;
    if (!this.pictures || this.#written === 0) return;
    const { renderPng } = await import("../plot/render_png.ts");
    const { recorder } = this.learn;
    const figures = { losses: recorder.plotLoss({ skipStart: 0 }), schedule: recorder.plotSched() };
    for (const [name, figure] of Object.entries(figures)) {
      const png = await renderPng(await figure.svg());
      const size = new DataView(png.buffer, png.byteOffset + 16, 8); // the header's width and height
      const picture = { png, width: size.getUint32(0), height: size.getUint32(4) };
      await this.#write([this.#records!.imageEvent(Date.now() / 1000, step, name, picture)]);
    }
  }

  async #write(events: readonly Uint8Array[]): Promise<void> {
    const frames = events.map(this.#records!.framed);
    const bytes = new Uint8Array(frames.reduce((n, frame) => n + frame.length, 0));
    let at = 0;
    for (const frame of frames) {
      bytes.set(frame, at);
      at += frame.length;
    }
    await files.writeFile(this.#file, bytes, { append: true });
  }
}
