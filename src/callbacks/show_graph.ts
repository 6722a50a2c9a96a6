/**
 * The losses as they come.
 *
 * @module
 */
import { checkOptions, pathText } from "../base/options.ts";
import { Callback, ORDER } from "../train/mod.ts";

/** Options of {@link ShowGraph}. */
export interface ShowGraphOptions {
  /** A file, `.png` or `.svg`, to draw into after every epoch, instead of the learner's logger. */
  readonly path?: string;
}

/** Draws training and validation losses after every epoch: as text to the learner's logger, or into a file. */
export class ShowGraph extends Callback {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.showGraph;
  /** False: the learning-rate finder's probe is not shown. */
  override readonly runProbe: boolean = false;
  /** In a run of several processes the first one does it. */
  override readonly rank0Only: boolean = true;
  /** What it can't write costs no fit. */
  override readonly reportsOnly: boolean = true;
  readonly #path: string | null;

  /**
   * Makes a ShowGraph.
   *
   * @param options See {@link ShowGraphOptions}.
   */
  constructor(options: ShowGraphOptions = {}) {
    super();
    const { path } = checkOptions("make ShowGraph", options, { path: pathText });
    this.#path = path ?? null;
  }

  /** See `Callback.afterEpoch`. */
  override async afterEpoch(): Promise<void> {
    const { recorder, logger } = this.learn;
    if (recorder.losses.length < 2) return; // one point is no line
    const figure = recorder.plotLoss({ skipStart: 0 });
    if (this.#path === null) logger.line(figure.text());
    else await figure.save(this.#path);
  }
}
