/**
 * What a fit shows: the table, and on terminals a bar.
 *
 * @module
 */
import { barText } from "./bar.ts";
import { Callback } from "./callback.ts";
import type { Handled } from "./events.ts";
import { silentLogger, type TableView } from "./logger.ts";
import { ORDER } from "./order.ts";
import { Recorder } from "./recorder.ts";
import { formatTime, tableHeader, tableRow } from "./table.ts";

/** Milliseconds between two looks at the losses, each of which is a read. */
const SYNC_MS = 1000;
/** Milliseconds between two drawings of the bar. */
const DRAW_MS = 100;

/** Writes a header and a row an epoch to the learner's logger, and draws a bar where the logger can overwrite. */
export class Progress extends Callback {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.schedule;
  /** One table is enough. */
  override readonly rank0Only: boolean = true;
  /** What it can't write costs no fit. */
  override readonly reportsOnly: boolean = true;
  #synced = 0;
  #drawn = 0;
  #started = 0;
  #id = "";
  #told = false;

  /** See `Callback.beforeFit`. */
  override beforeFit(): void {
    const recorder = this.learn.findCb(Recorder);
    this.#started = this.#synced = this.learn.clock();
    this.#id = crypto.randomUUID();
    const { logger } = this.learn;
    if (!this.#told && logger !== silentLogger) {
      for (const note of this.learn.dls.notes ?? []) logger.line(note);
      this.#told = true;
    }
    if (recorder === null) return;
    if (logger.table === undefined) logger.line(tableHeader(recorder.metricNames));
    else this.#table(null);
  }

  /** The whole table, for loggers that can show it. */
  #table(bar: TableView["bar"]): void {
    const { logger } = this.learn;
    const recorder = this.learn.findCb(Recorder);
    if (recorder !== null) logger.table?.({ id: this.#id, names: recorder.metricNames, rows: recorder.rows, bar });
  }

  get #drawing(): boolean {
    const { logger, showBar, running } = this.learn;
    return (logger.status !== undefined || logger.table !== undefined) && showBar && running;
  }

  /** See `Callback.beforeBatch`. */
  override beforeBatch(): Handled {
    const { learn } = this;
    if (!this.#drawing || !learn.training) return;
    const now = this.learn.clock();
    if (now - this.#synced < SYNC_MS) return;
    this.#synced = now;
    // between two batches: a read in the middle of one would split its program
    return learn.findCb(Recorder)?.syncNow();
  }

  /** See `Callback.afterBatch`. */
  override afterBatch(): void {
    const { learn } = this;
    if (!this.#drawing) return;
    const now = this.learn.clock();
    if (now - this.#drawn < DRAW_MS) return;
    this.#drawn = now;
    const { iter, nIter, epoch, nEpoch, training } = learn;
    const share = (iter + 1) / nIter, what = `Epoch ${epoch + 1}/${nEpoch}${training ? "" : " valid"}`;
    const told = [`${iter + 1}/${nIter}`, ...this.#known(now)];
    learn.logger.status?.(barText(what, share, told, learn.logger.columns ?? 80));
    this.#table({ share, text: [what, ...told].join(" ") });
  }

  /** The loss and the time left, where they are known. */
  #known(now: number): string[] {
    const { training, pctTrain } = this.learn;
    const loss = this.learn.findCb(Recorder)?.smoothLoss ?? NaN;
    const left = training && pctTrain > 0 ? (now - this.#started) * (1 - pctTrain) / pctTrain / 1000 : NaN;
    return [
      ...(Number.isNaN(loss) ? [] : [`loss ${lossText(loss)}`]),
      ...(Number.isNaN(left) ? [] : [`${formatTime(left)} left`]),
    ];
  }

  /** See `Callback.afterEpoch`. */
  override afterEpoch(): void {
    const { learn } = this;
    learn.logger.status?.("");
    const recorder = learn.findCb(Recorder);
    const row = recorder?.rows.at(-1);
    if (learn.logger.table !== undefined) this.#table(null);
    else if (recorder !== null && row !== undefined) learn.logger.line(tableRow(recorder.metricNames, row));
  }

  /** See `Callback.afterFit`. */
  override afterFit(): Handled {
    const { logger } = this.learn;
    logger.status?.("");
    if (logger.table !== undefined) this.#table(null);
    return logger.flush?.();
  }
}

/** A loss in few characters, whatever its size. */
function lossText(loss: number): string {
  return Math.abs(loss) < 1e6 ? loss.toFixed(4) : loss.toExponential(3);
}
