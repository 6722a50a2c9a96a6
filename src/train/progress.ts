/**
 * What a fit shows: the table, and on terminals a bar.
 *
 * @module
 */
import { Callback, type Handled } from "./callback.ts";
import { ORDER } from "./order.ts";
import { Recorder } from "./recorder.ts";
import { formatTime, tableHeader, tableRow } from "./table.ts";

/** Milliseconds between two looks at the losses, each of which is a read. */
const SYNC_MS = 1000;
/** Milliseconds between two drawings of the bar. */
const DRAW_MS = 100;
const WIDTH = 30;

/** Writes a header and a row an epoch to the learner's logger, and draws a bar where the logger can overwrite. */
export class Progress extends Callback {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.schedule;
  /** One table is enough. */
  override readonly rank0Only: boolean = true;
  #synced = 0;
  #drawn = 0;
  #started = 0;

  /** See `Callback.beforeFit`. */
  override beforeFit(): void {
    const recorder = this.learn.findCb(Recorder);
    if (recorder !== null) this.learn.logger.line(tableHeader(recorder.metricNames));
    this.#started = this.#synced = performance.now();
  }

  get #drawing(): boolean {
    const { logger, showBar, running } = this.learn;
    return logger.status !== undefined && showBar && running;
  }

  /** See `Callback.beforeBatch`. */
  override beforeBatch(): Handled {
    const { learn } = this;
    if (!this.#drawing || !learn.training) return;
    const now = performance.now();
    if (now - this.#synced < SYNC_MS) return;
    this.#synced = now;
    // between two batches: a read in the middle of one would split its program
    return learn.findCb(Recorder)?.syncNow();
  }

  /** See `Callback.afterBatch`. */
  override afterBatch(): void {
    const { learn } = this;
    if (!this.#drawing) return;
    const now = performance.now();
    if (now - this.#drawn < DRAW_MS) return;
    this.#drawn = now;
    learn.logger.status?.(this.#bar(now));
  }

  #bar(now: number): string {
    const { epoch, nEpoch, iter, nIter, training, pctTrain } = this.learn;
    const share = (iter + 1) / nIter;
    const full = Math.round(share * WIDTH);
    const bar = "█".repeat(full) + "░".repeat(WIDTH - full);
    const what = training ? "" : "valid ";
    const loss = this.learn.findCb(Recorder)?.smoothLoss ?? NaN;
    const left = training && pctTrain > 0 ? (now - this.#started) * (1 - pctTrain) / pctTrain / 1000 : NaN;
    const tail = [
      Number.isNaN(loss) ? "" : ` loss ${loss.toFixed(4)}`,
      Number.isNaN(left) ? "" : ` ${formatTime(left)} left`,
    ];
    return `Epoch ${epoch + 1}/${nEpoch} ${what}|${bar}| ${iter + 1}/${nIter}${tail.join("")}`;
  }

  /** See `Callback.afterEpoch`. */
  override afterEpoch(): void {
    const { learn } = this;
    learn.logger.status?.("");
    const recorder = learn.findCb(Recorder);
    const row = recorder?.rows.at(-1);
    if (recorder !== null && row !== undefined) learn.logger.line(tableRow(recorder.metricNames, row));
  }

  /** See `Callback.afterFit`. */
  override afterFit(): void {
    this.learn.logger.status?.("");
  }
}
