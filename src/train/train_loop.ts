/**
 * The training loop's state: what a run works on, and what callbacks see and change.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { abortSignal, checkOptions, num, objectWith, orNull } from "../base/options.ts";
import type { Batch, DataLoader, DataLoaders } from "../data/mod.ts";
import { Adam, type HyperValue, type OptFunc, type Optimizer } from "../optim/mod.ts";
import { type Parameter, ready as openDevice } from "../tensor/mod.ts";
import type { Callback, CallbackKind, CallbackLike } from "./callback.ts";
import { CallbackList } from "./callback_list.ts";
import { type EventName, type Handled, isEvent, nearestEvent } from "./events.ts";
import { defaultLogger, type Logger, silentLogger } from "./logger.ts";
import { type LossFunc, lossFuncOf } from "./loss_func.ts";
import { makeOpt } from "./make_opt.ts";
import type { Metric, MetricLike } from "./metric.ts";
import { toMetrics } from "./metrics/functions.ts";
import {
  checkData,
  checkParts,
  learnerOptions,
  type Model,
  type ParamGroups,
  type Splitter,
  trainableParams,
  type TrainLoopOptions,
} from "./options.ts";
import { Progress } from "./progress.ts";
import { tell } from "./reporting.ts";
import { Recorder } from "./recorder.ts";
import { checkChange } from "./change_data.ts";
import { endBatch, type Resumption, runFit, runValidate } from "./run.ts";
import { RunState } from "./run_state.ts";
import { showTrainingLoop } from "./show_loop.ts";
import { TrainEval } from "./train_eval.ts";

/** The parts that train a model on data, and the state of the run that is under way. */
export class TrainLoop<M extends Model = Model> extends RunState {
  /** What is trained. */
  model: M;
  /** What is minimised. */
  lossFunc: LossFunc;
  /** Makes the optimizer. */
  readonly optFunc: OptFunc;
  /** Learning rate of fits that are given none. */
  lr: HyperValue;
  /** Folder for files. */
  path: string;
  /** Folder for models, inside `path` unless absolute. */
  modelDir: string;
  /** Weight decay of fits that are given none; null leaves the optimizer's. */
  wd: HyperValue | null;
  /** Whether norm layers and biases decay too. */
  readonly wdBnBias: boolean;
  /** Whether norm layers train on in frozen groups. */
  readonly trainBn: boolean;
  /** Momentum at the start, the peak and the end of one-cycle. */
  moms: readonly [number, number, number];
  /** Where rows and messages go. */
  logger: Logger;
  /** Whether a progress bar is shown (on terminals). */
  showBar: boolean = true;

  #dls: DataLoaders<Batch>;
  readonly #callbacks: CallbackList;
  readonly #split: () => ParamGroups | readonly Parameter[];
  #metrics: readonly Metric[];
  #opt: Optimizer | null = null;
  #created: Promise<void> | null = null;
  #undo: (() => void | Promise<void>)[] = [];

  /**
   * Makes a TrainLoop.
   *
   * @param dls Loaders of the training and the validation set.
   * @param model What to train.
   * @param options See {@link TrainLoopOptions}.
   */
  constructor(dls: DataLoaders<Batch>, model: M, options: TrainLoopOptions<M> = {}) {
    super();
    checkOptions<TrainLoopOptions<M>>("make a learner", options, learnerOptions());
    checkParts(dls, model);
    const { lr, wd = null, wdBnBias = false, trainBn = true, moms = [0.95, 0.85, 0.95], defaultCbs = true } = options;
    this.#dls = dls;
    this.model = model;
    this.lossFunc = lossFuncOf(options.lossFunc, dls);
    this.optFunc = options.optFunc ?? Adam;
    this.lr = lr ?? this.optFunc.lr ?? 1e-3;
    const splitter: Splitter<M> = options.splitter ?? trainableParams;
    this.#split = () => splitter(this.model);
    this.path = options.path ?? dls.path ?? ".";
    this.modelDir = options.modelDir ?? "models";
    this.wd = wd;
    this.wdBnBias = wdBnBias;
    this.trainBn = trainBn;
    this.moms = moms;
    this.logger = options.logger ?? defaultLogger();
    this.#metrics = toMetrics(options.metrics ?? []);
    this.#callbacks = new CallbackList(this);
    if (defaultCbs) this.addCbs([TrainEval, Recorder, Progress]);
    this.addCbs(options.cbs ?? []);
    const pending = this.fire("afterCreate");
    if (pending !== undefined) {
      this.#created = pending;
      pending.catch(() => {}); // told by the first run, which waits for it
    }
  }
  // --- parts

  /**
   * Loaders of the training and the validation set. Others may take their place between two fits, such as those of larger
   * images (progressive resizing): weights, optimizer and callbacks stay. In the middle of a fit they count from the next
   * epoch on.
   *
   * @throws ConfigError Where they are of another number of classes; in a fit with a `Checkpoint`, or in several processes.
   */
  get dls(): DataLoaders<Batch> {
    return this.#dls;
  }

  set dls(dls: DataLoaders<Batch>) {
    const before = this.#dls;
    if (dls === before) return;
    checkData(dls, "change the learner's data: they are");
    if (this.running && (this.keepsData || this.peers !== null)) {
      throw new ConfigError(
        `Cannot change the learner's data in the middle of a fit ${
          this.peers !== null ? "in several processes" : "with a Checkpoint, which could not go on with them"
        }: fit once with each, with learn.dls = ... in between`,
      );
    }
    const notes = checkChange(before, dls);
    this.dataChanges(before, dls);
    if (this.peers !== null) before.train.shard = before.valid.shard = null; // the next fit deals out the new ones
    this.#dls = dls;
    for (const note of notes) tell(this.logger, note);
  }

  /** Called before other data take the place of those that there are; may refuse them, or make them alike. */
  protected dataChanges(_before: DataLoaders<Batch>, _next: DataLoaders<Batch>): void {}

  /** The optimizer; made of `optFunc` and the splitter's groups when first asked for, and anew where parameters became fixed. */
  get opt(): Optimizer {
    if (this.#opt?.holdsFixed) this.#opt = null;
    return this.#opt ??= makeOpt(this);
  }

  set opt(opt: Optimizer) {
    this.#opt = opt;
  }

  /** Whether there is an optimizer already. */
  get hasOpt(): boolean {
    return this.#opt !== null;
  }

  /** Makes a new optimizer, without the old one's state. */
  createOpt(): Optimizer {
    return this.#opt = makeOpt(this);
  }

  /** The parameter groups that the splitter gives, without parameters that are fixed, and groups of nothing else. */
  groups(): ParamGroups {
    const split = this.#split(), groups = isGrouped(split) ? split : [split];
    if (!groups.some((group) => group.some((p) => p.fixed))) return groups;
    const left = groups.map((group) => group.filter((p) => !p.fixed));
    return left.filter((group, i) => group.length > 0 || groups[i].length === 0);
  }

  /** Metrics of the validation set. */
  get metrics(): readonly Metric[] {
    return this.#metrics;
  }

  set metrics(metrics: MetricLike | readonly MetricLike[]) {
    this.#metrics = toMetrics(metrics);
  }

  /** The recorder: rows, losses, learning rates. Throws a {@link ConfigError} where it was removed. */
  get recorder(): Recorder {
    const found = this.findCb(Recorder);
    if (found === null) {
      throw new ConfigError("Cannot use the recorder: this learner has none, add it with addCb(Recorder)");
    }
    return found;
  }

  // --- callbacks

  /** Callbacks in order of addition. */
  get cbs(): readonly Callback[] {
    return this.#callbacks.all;
  }

  /** Adds a callback; of a class, makes one. */
  addCb(cb: CallbackLike): this {
    this.#callbacks.add(cb);
    return this;
  }

  /** Adds one callback or several. */
  addCbs(cbs: CallbackLike | readonly CallbackLike[]): this {
    for (const cb of listOf(cbs)) this.#callbacks.add(cb);
    return this;
  }

  /** Removes a callback, or every callback of a class. */
  removeCb(cb: CallbackKind): this {
    this.#callbacks.remove(cb);
    return this;
  }

  /** Removes several. */
  removeCbs(cbs: CallbackKind | readonly CallbackKind[]): this {
    for (const cb of listOf(cbs)) this.#callbacks.remove(cb);
    return this;
  }

  /** Runs `body` with callbacks added, and removes them however it ends. */
  async addedCbs<T>(cbs: CallbackLike | readonly CallbackLike[], body: () => T | Promise<T>): Promise<T> {
    const added: Callback[] = [];
    try {
      for (const cb of listOf(cbs)) added.push(this.#callbacks.add(cb));
      return await body();
    } finally {
      for (const cb of added) this.#callbacks.remove(cb);
    }
  }

  /** Runs `body` without some callbacks, and puts them back, at the end of the list, however it ends. */
  async removedCbs<T>(cbs: CallbackKind | readonly CallbackKind[], body: () => T | Promise<T>): Promise<T> {
    const removed: Callback[] = [];
    try {
      for (const cb of listOf(cbs)) removed.push(...this.#callbacks.remove(cb));
      return await body();
    } finally {
      for (const cb of removed) if (!cb.attached) this.#callbacks.add(cb);
    }
  }

  /** The first callback of a class, or null. */
  findCb<T extends Callback>(type: abstract new (...args: never[]) => T): T | null {
    return this.#callbacks.find(type);
  }

  /** Callbacks that handle `event`, in the order in which they are called. */
  orderedCbs(event: EventName): readonly Callback[] {
    return this.#callbacks.handling(event);
  }

  /**
   * Whether any callback but `except` handles one of `events`.
   *
   * @internal
   */
  hears(events: readonly EventName[], except: Callback | null = null): boolean {
    return this.#callbacks.hears(events, except);
  }

  /** Calls every callback's handler of `event`; gives a promise only where a handler is async. */
  fire(event: EventName): Handled {
    if (!isEvent(event)) {
      throw new ConfigError(
        `Cannot fire ${String(event)}: it is no event, did you mean ${nearestEvent(String(event))}?`,
      );
    }
    return this.#callbacks.fire(event);
  }

  /** The loop as text, with the callbacks that each event calls; also written to the logger. */
  showTrainingLoop(): string {
    const text = showTrainingLoop(this);
    this.logger.line(text);
    return text;
  }

  // --- output

  /** Runs `body` without rows, messages and bar. */
  async noLogging<T>(body: () => T | Promise<T>): Promise<T> {
    const before = this.logger;
    this.logger = silentLogger;
    try {
      return await body();
    } finally {
      this.logger = before;
    }
  }

  /** Runs `body` without progress bar; rows and messages stay. */
  async noBar<T>(body: () => T | Promise<T>): Promise<T> {
    const before = this.showBar;
    this.showBar = false;
    try {
      return await body();
    } finally {
      this.showBar = before;
    }
  }

  // --- running

  /**
   * Runs epochs `startEpoch` to `nEpoch - 1` with the optimizer as it is; `fit` and the policies prepare it.
   *
   * @param options `from`: where an interrupted run goes on, instead of `startEpoch`.
   * @throws DataError where a loader is empty; whatever a handler, the model or the loss throws.
   */
  async runEpochs(
    nEpoch: number,
    options: { readonly startEpoch?: number; readonly from?: Resumption | null } = {},
  ): Promise<void> {
    const { startEpoch = 0, from = null } = checkOptions("run epochs", options, {
      startEpoch: num,
      from: orNull(objectWith<Resumption>("where a run goes on", "restore")),
    });
    await this.runs.take("fit", async () => {
      await this.ready();
      await runFit(this, nEpoch, startEpoch, from);
    }, { loop: true });
  }

  /**
   * Runs the validation part over `dl`: its events, no others.
   *
   * @param options `signal`: ends it after the batch under way, with an `InterruptedError`.
   */
  async runValidate(dl: DataLoader<Batch>, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = checkOptions("run a validation", options, { signal: abortSignal });
    await this.runs.take("validate", async () => {
      await this.ready();
      await runValidate(this, dl, signal);
    }, { loop: true });
  }

  /**
   * Launches the batch's program now instead of after its last callback. For callbacks that read something of every
   * batch: the program stays the one of fits that read nothing, and need not be compiled anew.
   */
  flush(): void {
    endBatch(this, this.batch);
  }

  /** Registers `undo` to run when the fit under way ends, however it ends; the last registered runs first. */
  defer(undo: () => void | Promise<void>): void {
    this.#undo.push(undo);
  }

  /** Runs what {@link defer} registered. */
  async undoDeferred(): Promise<void> {
    const undo = this.#undo.reverse();
    this.#undo = [];
    for (const f of undo) await f();
  }

  /** Opens the default device if none is open, and waits for `afterCreate` handlers. What is asynchronous begins with it. */
  async ready(): Promise<void> {
    await openDevice();
    const created = this.#created;
    this.#created = null;
    if (created !== null) await created;
  }
}

function listOf<T>(cbs: T | readonly T[]): readonly T[] {
  return Array.isArray(cbs) ? cbs : [cbs as T];
}

function isGrouped(split: ParamGroups | readonly Parameter[]): split is ParamGroups {
  return split.length > 0 && Array.isArray(split[0]);
}
