/**
 * The callback that records losses, learning rates, metrics and times.
 *
 * @module
 */
import { checkOptions, flag, fraction } from "../base/options.ts";
import type { Figure } from "../plot/mod.ts";
import { isDict, SavedState, type StateDict } from "../io/state_dict.ts";
import { AvgLoss } from "./avg_metric.ts";
import { Callback } from "./callback.ts";
import type { Handled } from "./events.ts";
import { type FitRecord, type LrCurve, newFitRecord, type Row } from "./fit_record.ts";
import type { Metric, MetricValue } from "./metric.ts";
import { accumulateAll, gatherAll, uniqueNames, valuesOf } from "./metric_values.ts";
import { tableBundle } from "./notebook.ts";
import { NanWatch } from "./nan_watch.ts";
import { ORDER } from "./order.ts";
import { PLOT_LOSS, PLOT_LR_FIND, PLOT_SCHED, plotLoss, plotLrFind, plotSched } from "./record_figures.ts";
import { loadCurve, loadRecord, saveCurve, saveRecord } from "./record_state.ts";
import type { PlotLossOptions, RecorderOptions, RecorderState } from "./recorder_options.ts";
import { ScalarHistory } from "./scalar_history.ts";
import { Smooth } from "./smooth.ts";
import { lossInDataUnit } from "./target_scale.ts";

/**
 * Records a run. A training batch's loss stays on the device until a block is read: at the end of the epoch, after
 * {@link Recorder.sync}, or now and then for the progress bar.
 */
export class Recorder extends Callback {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.recorder;
  /** Whether rows have the epoch's time. */
  addTime: boolean;
  /** Whether metrics are computed on training batches too. */
  trainMetrics: boolean;
  /** Whether loss and metrics of the validation set are recorded. */
  validMetrics: boolean;
  /** The last probe of the learning-rate finder; null before the first. */
  lrFinder: LrCurve | null = null;

  #now: FitRecord = newFitRecord("idle");
  #history: readonly FitRecord[] = [];
  readonly #smooth: Smooth;
  readonly #raw = new ScalarHistory();
  #absorbed = 0;
  /** Whether the fit's metrics were asked if they can mean something. */
  #checked = false;
  #nan = new NanWatch();
  readonly #validLoss = new AvgLoss();
  #syncing: Promise<void> | null = null;

  // the epoch under way
  #started = 0;
  #firstIter = 0;
  #cancelledTrain = false;
  #cancelledValid = false;
  /** Values that metrics could not gather by themselves; null before they were asked. */
  #gathered: ReadonlyMap<Metric, MetricValue> | null = null;
  #trainValues: readonly MetricValue[] = [];
  #validValues: readonly MetricValue[] = [];

  /**
   * Makes a Recorder.
   *
   * @param options See {@link RecorderOptions}.
   */
  constructor(options: RecorderOptions = {}) {
    super();
    checkOptions("make Recorder", options, { addTime: flag, trainMetrics: flag, validMetrics: flag, beta: fraction });
    const { addTime = true, trainMetrics = false, validMetrics = true, beta = 0.98 } = options;
    this.addTime = addTime;
    this.trainMetrics = trainMetrics;
    this.validMetrics = validMetrics;
    this.#smooth = new Smooth(beta);
  }

  // --- what was recorded of the last fit

  /** One row an epoch, by name: `epoch`, `train_loss` (smoothed), `valid_loss`, the metrics, `time` (seconds). */
  get rows(): readonly Row[] {
    return this.#now.rows;
  }

  /** The same by position, without `epoch` and `time`; a part that was cancelled is left out, as in fastai. */
  get values(): readonly (readonly MetricValue[])[] {
    return this.#now.values;
  }

  /** The last group's learning rate at every training batch. */
  get lrs(): readonly number[] {
    return this.#now.lrs;
  }

  /** Smoothed training losses, one a batch; complete at the end of an epoch and after {@link sync}. */
  get losses(): readonly number[] {
    return this.#now.losses;
  }

  /** The batches' own training losses; complete when {@link losses} is. */
  get rawLosses(): readonly number[] {
    return this.#now.rawLosses;
  }

  /** Training batches recorded up to the end of each epoch. */
  get iters(): readonly number[] {
    return this.#now.iters;
  }

  /** Training steps of the fit that were skipped, since their gradients had left the range of f16; see `MixedPrecision`. */
  get skipped(): number {
    return this.#now.skipped;
  }

  set skipped(steps: number) {
    this.#now.skipped = steps;
  }

  /** Scheduled hyper-parameters by name: the last group's value at every training batch. */
  get hps(): Readonly<Record<string, readonly number[]>> {
    return this.#now.hps;
  }

  set hps(hps: Readonly<Record<string, readonly number[]>>) {
    this.#now.hps = hps;
  }

  /** Names of the columns. */
  get metricNames(): readonly string[] {
    return this.#now.metricNames;
  }

  /** Fits before the last one, oldest first. */
  get history(): readonly FitRecord[] {
    return this.#history;
  }

  /** The smoothed training loss as far as it was read; NaN before the first. */
  get smoothLoss(): number {
    return this.#smooth.value;
  }

  /** The last row's training loss; NaN before the first. */
  get trainLoss(): number {
    return this.rows.at(-1)?.train_loss ?? NaN;
  }

  /** The last row's validation loss; NaN before the first. */
  get validLoss(): number {
    return this.rows.at(-1)?.valid_loss ?? NaN;
  }

  // --- reading

  /** Reads the losses that are still on the device: {@link losses} is complete afterwards. */
  sync(): Promise<void> {
    return this.#syncing ??= ScalarHistory.drain([this.#raw]).then(() => this.#absorb()).finally(() =>
      this.#syncing = null
    );
  }

  /** The same without giving up the thread, where the device can; else as {@link sync}. */
  syncNow(): Handled {
    if (this.#syncing === null && ScalarHistory.drainSync([this.#raw])) return this.#absorb();
    return this.sync();
  }

  #absorb(): Handled {
    const { values } = this.#raw;
    for (; this.#absorbed < values.length; this.#absorbed++) {
      this.#nan.look(values[this.#absorbed], this.#now.rawLosses.length);
      this.#now.rawLosses.push(values[this.#absorbed]);
      this.#now.losses.push(this.#smooth.push(values[this.#absorbed]));
    }
    return this.#nan.report(this.learn, this.#firstIter);
  }

  /** Loss and metrics of the last validation: what `validate` gives. */
  async validValues(): Promise<readonly MetricValue[]> {
    const metrics = [this.#validLoss, ...this.learn.metrics];
    await ScalarHistory.drain(metrics.flatMap((m) => m.histories));
    return await this.#valuesOf(metrics);
  }

  /** The values of metrics, over the sets of all processes. */
  async #valuesOf(metrics: readonly Metric[]): Promise<readonly MetricValue[]> {
    const { peers } = this.learn;
    if (peers === null) return await valuesOf(metrics);
    const gathered = this.#gathered ??= await gatherAll(metrics, peers, this.#validLoss.items);
    return await valuesOf(metrics, gathered);
  }

  // --- plots

  /** In a run of several processes rank 0 alone writes files. */
  #shown(figure: Figure): Figure {
    figure.quiet = (this.learn.peers?.rank ?? 0) > 0;
    return figure;
  }

  /** The scheduled hyper-parameters of the last fit, those in `keys` or all, step by step. */
  plotSched(options: { readonly keys?: readonly string[] } = {}): Figure {
    checkOptions("plotSched", options, PLOT_SCHED);
    return this.#shown(plotSched(this.#now, options));
  }

  /** The losses of the last fit: smoothed training losses by step, validation losses at the ends of epochs. */
  plotLoss(options: PlotLossOptions = {}): Figure {
    checkOptions("plotLoss", options, PLOT_LOSS);
    return this.#shown(plotLoss(this.#now, options));
  }

  /** The curve of the last probe of the learning-rate finder, its suggestions marked. */
  plotLrFind(options: { readonly skipEnd?: number } = {}): Figure {
    checkOptions("plotLrFind", options, PLOT_LR_FIND);
    return this.#shown(plotLrFind(this.lrFinder, options));
  }

  /** The rows of the last fit as a table, where a Deno notebook shows the recorder. */
  [Symbol.for("Jupyter.display")](): Record<string, string> {
    return tableBundle(this.metricNames, this.rows);
  }

  /** What {@link restore} needs. */
  save(): RecorderState {
    return { now: this.#now, history: this.#history, smooth: this.#smooth.save() };
  }

  /** Goes back to what {@link save} gave. Only between fits. */
  restore({ now, history, smooth }: RecorderState): void {
    this.#now = now;
    this.#history = history;
    this.#smooth.restore(smooth);
    this.#raw.clear();
    this.#absorbed = 0;
  }

  /** Everything recorded, also in the middle of an epoch. */
  override async stateDict(): Promise<StateDict> {
    await this.sync();
    const metrics = this.trainMetrics ? await Promise.all(this.learn.metrics.map((m) => m.stateDict())) : [];
    return {
      now: saveRecord(this.#now),
      history: this.#history.map(saveRecord),
      smooth: this.#smooth.save(),
      lrFinder: this.lrFinder === null ? null : saveCurve(this.lrFinder),
      firstIter: this.#firstIter,
      elapsedMs: this.learn.clock() - this.#started,
      metrics,
    };
  }

  /** See `Callback.loadStateDict`. */
  override async loadStateDict(state: SavedState): Promise<void> {
    // what a scheduler shows to the recorder stays its own array
    const shown = this.#now.hps;
    this.#now = loadRecord(state.state("now"));
    for (const [name, values] of Object.entries(this.#now.hps)) {
      const own = shown[name];
      if (own === undefined) continue;
      const list = own as number[];
      list.length = 0;
      for (const v of values) list.push(v);
      this.#now.hps = { ...this.#now.hps, [name]: list };
    }
    this.#history = state.states("history").map(loadRecord);
    const smooth = state.state("smooth");
    this.#smooth.restore({ average: smooth.number("average"), count: smooth.count("count") });
    this.lrFinder = state.value("lrFinder") === null ? null : loadCurve(state.state("lrFinder"));
    this.#raw.clear();
    this.#absorbed = 0;
    this.#firstIter = state.count("firstIter");
    this.#started = this.learn.clock() - state.number("elapsedMs");
    if (!this.trainMetrics) return;
    for (const [i, saved] of state.values("metrics").entries()) {
      if (isDict(saved)) await this.learn.metrics[i]?.loadStateDict(new SavedState(saved, `metric ${i}`));
    }
  }

  // --- events

  /** See `Callback.beforeFit`. */
  override beforeFit(): void {
    const { learn } = this;
    this.#checked = false;
    if (this.#now.phase !== "idle") this.#history = [...this.#history, this.#now];
    this.#now = newFitRecord(learn.phase === "idle" ? "fit" : learn.phase);
    this.#now.metricNames = ["epoch", ...this.#names(), ...(this.addTime ? ["time"] : [])];
    this.#smooth.reset();
    this.#raw.clear();
    this.#absorbed = 0;
    this.#nan = new NanWatch();
  }

  #names(): string[] {
    const taken = ["epoch", "train_loss", "valid_loss", "time"];
    const own = uniqueNames(this.learn.metrics.map((m) => m.name), this.trainMetrics ? ["loss", ...taken] : taken);
    if (!this.validMetrics) return ["train_loss", ...(this.trainMetrics ? own : [])];
    if (!this.trainMetrics) return ["train_loss", "valid_loss", ...own];
    return ["train_loss", ...own.map((n) => `train_${n}`), "valid_loss", ...own.map((n) => `valid_${n}`)];
  }

  /** See `Callback.beforeEpoch`. */
  override beforeEpoch(): void {
    this.#cancelledTrain = this.#cancelledValid = false;
    this.#firstIter = this.#now.lrs.length;
    this.#trainValues = this.#validValues = [];
    this.#started = this.learn.clock();
  }

  /** See `Callback.beforeTrain`. */
  override beforeTrain(): void {
    this.#gathered = null;
    if (this.trainMetrics) { for (const m of this.learn.metrics) m.reset(); }
  }

  /** See `Callback.beforeValidate`. */
  override beforeValidate(): void {
    if (this.learn.phase === "predict") return;
    this.#gathered = null;
    this.#validLoss.reset();
    for (const m of this.learn.metrics) m.reset();
  }

  /** See `Callback.afterCancelTrain`. */
  override afterCancelTrain(): void {
    this.#cancelledTrain = true;
  }

  /** See `Callback.afterCancelValidate`. */
  override afterCancelValidate(): void {
    if (this.#inFit) this.#cancelledValid = true;
  }

  /** Whether the events are those of a fit, and not of an evaluation in the middle of one. */
  get #inFit(): boolean {
    const { phase } = this.learn;
    return phase !== "eval" && phase !== "predict";
  }

  /** See `Callback.afterBatch`. */
  override afterBatch(): Handled {
    const { learn } = this;
    if (!learn.hasLoss || learn.phase === "predict") return;
    if (!learn.training) {
      const pending = this.#validLoss.accumulate(learn);
      return pending === undefined
        ? accumulateAll(learn.metrics, learn)
        : pending.then(() => accumulateAll(learn.metrics, learn));
    }
    if (this.#raw.full) return this.sync().then(() => this.#train());
    return this.#train();
  }

  #train(): Handled {
    const { learn } = this;
    const loss = learn.batch.loss!;
    if (!this.#checked) { for (const m of learn.metrics) m.check(learn); }
    this.#checked = true;
    this.#raw.push(lossInDataUnit(learn, loss.size === 1 ? loss : loss.mean()), "the loss");
    const { hypers } = learn.opt;
    this.#now.lrs.push(hypers[hypers.length - 1].lr);
    if (this.trainMetrics) return accumulateAll(learn.metrics, learn);
  }

  /** See `Callback.afterTrain`. */
  override async afterTrain(): Promise<void> {
    if (!this.trainMetrics) return;
    const { metrics } = this.learn;
    await ScalarHistory.drain(metrics.flatMap((m) => m.histories));
    this.#trainValues = await this.#valuesOf(metrics);
  }

  /** The epoch's one read: training losses, validation loss and metrics together. */
  override async afterValidate(): Promise<void> {
    // what was cut short tells what it came to; what never began tells nothing
    if (!this.#inFit || !this.validMetrics || this.#cancelledValid && this.#validLoss.empty) return;
    const metrics: readonly Metric[] = [this.#validLoss, ...this.learn.metrics];
    await this.#syncing;
    await ScalarHistory.drain([this.#raw, ...metrics.flatMap((m) => m.histories)]);
    await this.#absorb();
    this.#validValues = await this.#valuesOf(metrics);
    await this.#nan.reportValid(this.learn, this.#validValues[0]);
  }

  /** See `Callback.afterEpoch`. */
  override async afterEpoch(): Promise<void> {
    if (this.#raw.waiting > 0) await this.sync();
    const trained = this.#now.lrs.length > this.#firstIter;
    this.#addRow([trained ? this.#smooth.value : null, ...this.#trainValues], this.#validValues);
  }

  /** See `Callback.afterFit`. */
  override afterFit(): Promise<void> | void {
    // a fit that was cut short in an epoch has losses that no row told of
    if (this.#raw.waiting > 0) return this.sync();
  }

  #addRow(train: readonly MetricValue[], valid: readonly MetricValue[]): void {
    const now = this.#now;
    now.values.push([...(this.#cancelledTrain ? [] : train), ...(this.#cancelledValid ? [] : valid)]);
    now.iters.push(now.lrs.length);
    const names = this.#names();
    const nTrain = this.trainMetrics ? 1 + this.learn.metrics.length : 1;
    const row: Record<string, MetricValue> = { epoch: this.learn.epoch };
    names.forEach((name, i) => row[name] = (i < nTrain ? train[i] : valid[i - nTrain]) ?? null);
    if (this.addTime) row.time = (this.learn.clock() - this.#started) / 1000;
    now.rows.push(row);
  }
}
