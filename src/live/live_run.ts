/**
 * What the live page and its like have in common: the state of a run, told as it changes, and commands that pause and stop it.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, flag, num, type OptionTable, text } from "../base/options.ts";
import { Callback, CancelFit, type Handled, ORDER, type TrainLoop } from "../train/mod.ts";
import type { Command, FitOutcome, Message, RunStatus } from "./messages.ts";
import type { Clock, RunState } from "./state.ts";

/** Options of {@link LiveRun}. */
export interface LiveRunOptions {
  /** Heading of the page; by default the class of the model. */
  readonly title?: string;
  /** Whether viewers may pause and stop the run; true by default. */
  readonly controls?: boolean;
  /** How many of the hardest pictures are shown after a fit that somebody watches; 12 by default, 0 for none. */
  readonly topLosses?: number;
  /**
   * Seconds between two looks at the losses while somebody watches and nothing else reads them, such as the progress bar
   * of a terminal; 2 by default. `Infinity` leaves the curve to the ends of epochs.
   */
  readonly readEvery?: number;
}

/** The options of {@link LiveRun}, for the tables of what extends it. */
export const LIVE_RUN: OptionTable<LiveRunOptions> = { title: text, controls: flag, topLosses: num, readEvery: num };

/** Those of the options that are {@link LiveRun}'s. */
export function runOptions({ title, controls, topLosses, readEvery }: LiveRunOptions): LiveRunOptions {
  return { title, controls, topLosses, readEvery };
}

/** Milliseconds between two messages. */
const SEND_MS = 200;

/**
 * A run that is shown somewhere while it goes: {@link LivePage} serves it to browsers, {@link LiveMessages} posts it from an
 * engine to its page. It looks at what is on the host already, five times a second while somebody watches; without viewers it
 * costs two comparisons a batch.
 */
export abstract class LiveRun extends Callback {
  /** Place in line: last, so that what is shown is what the others left; see `ORDER`. */
  override readonly order: number = ORDER.last;
  /** A run of several processes is shown by the first one. */
  override readonly rank0Only: boolean = true;
  /** What it can't show costs no fit. */
  override readonly reportsOnly: boolean = true;

  readonly #title: string | undefined;
  readonly #mayControl: boolean;
  readonly #topLosses: number;
  readonly #readMs: number;
  #state: RunState | null = null;
  /** Whose run it is, for those who look after it too, when a callback of one fit has left its learner. */
  #shown: TrainLoop | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;

  // the fit under way
  #running = false;
  #startedAt = 0;
  #pausedMs = 0;
  #startPct = -1;
  #endedMs = 0;
  #outcome: FitOutcome | null = null;
  #readAt = 0;
  #readLosses = 0;
  #wantTop = false;

  // pause and stop
  #gate: PromiseWithResolvers<void> | null = null;
  #pausedAt = 0;
  #stopping = false;

  /**
   * Makes what all of them have.
   *
   * @param options See {@link LiveRunOptions}.
   * @throws ConfigError where a number is out of range.
   */
  constructor(options: LiveRunOptions = {}) {
    super();
    const { title, controls = true, topLosses = 12, readEvery = 2 } = checkOptions("show a run", options, LIVE_RUN);
    if (!Number.isInteger(topLosses) || topLosses < 0 || topLosses > 100) {
      throw new ConfigError(`Cannot show ${topLosses} pictures: the number must be whole, from 0 to 100`);
    }
    if (!(readEvery > 0)) {
      throw new ConfigError(`Cannot read losses every ${readEvery} seconds: the number must be above 0`);
    }
    this.#title = title;
    this.#mayControl = controls;
    this.#topLosses = topLosses;
    this.#readMs = readEvery * 1000;
  }

  /** How many look; 0 while nobody can. */
  abstract get viewers(): number;

  /** Tells those who look what is new. */
  protected abstract send(message: Message): void;

  /** Opens what shows the run, unless it is open. */
  protected abstract open(): Promise<void>;

  /** A fit is over, and nothing changes until the next one. */
  protected runEnded(): void {}

  /** Whether the run waits, or will at its next batch. */
  get paused(): boolean {
    return this.#gate !== null;
  }

  /** Makes the run wait before its next batch. Timers, signals and servers go on. */
  pause(): void {
    if (this.#running) this.#gate ??= Promise.withResolvers<void>();
    this.#send();
  }

  /** Lets a paused run go on. */
  resume(): void {
    this.#gate?.resolve();
    this.#gate = null;
    this.#send();
  }

  /**
   * Stops the fit under way. With a `Checkpoint` that is an interruption, as `learn.interrupt("stop")`: the fit is saved and
   * rejects, to go on with `resume: true`. Otherwise it ends before its next batch, as by a `CancelFit`, and the script goes on.
   */
  stop(): void {
    if (!this.#running) return;
    this.#stopping = true;
    if (this.learn.saver !== null) this.learn.interrupt("stop");
    this.resume();
  }

  /** Everything that is shown, for who looks from now on; null before the callback is in a learner. */
  protected everything(): Message | null {
    return this.#shown === null ? null : this.#state?.full(this.#shown, this.#status, this.#clock) ?? null;
  }

  /** Starts afresh: who looks takes it for another run. */
  protected async forget(): Promise<void> {
    const { RunState } = await import("./state.ts"), { learn } = this; // code that training does without
    this.#shown = learn;
    this.#state = new RunState({ title: this.#title ?? learn.model.constructor.name, controls: this.controls });
  }

  /** Somebody looks: messages go out while they do. */
  protected watch(): void {
    this.#timer ??= setInterval(() => this.#send(), SEND_MS);
  }

  /** Nobody does any more. */
  protected stopWatching(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Whether a fit is under way. */
  protected get busy(): boolean {
    return this.#running;
  }

  /** Whether commands do anything: of several processes, none may stop alone. */
  protected get controls(): boolean {
    return this.#mayControl && this.learn.peers === null;
  }

  // --- events

  /** See `Callback.afterCreate`. */
  override async afterCreate(): Promise<void> {
    await this.open();
  }

  /** See `Callback.beforeFit`. */
  override async beforeFit(): Promise<void> {
    await this.open();
    this.#shown = this.learn;
    this.#running = true;
    this.#stopping = this.#wantTop = false;
    this.#startedAt = this.#readAt = this.learn.clock();
    this.#pausedMs = this.#readLosses = 0;
    this.#startPct = -1;
    if (!this.#probing) this.#outcome = null;
    this.#state?.begin(this.learn);
    this.learn.defer(() => this.#end()); // also where an error ends the fit
    this.#send();
  }

  /** See `Callback.beforeTrain`. */
  override beforeTrain(): void {
    if (this.#startPct < 0) this.#startPct = this.learn.pctTrain;
  }

  /** See `Callback.beforeBatch`. */
  override beforeBatch(): Handled {
    if (this.#gate !== null || this.#stopping) return this.#hold();
    if (this.viewers === 0 || !this.#running || !this.learn.training) return;
    return this.#look();
  }

  /** See `Callback.afterEpoch`. */
  override async afterEpoch(): Promise<void> {
    if (this.#wantTop) await this.#findTop();
    this.#send();
  }

  /** Whether the learning-rate finder tries rates: that is shown, and is no fit that ends. */
  get #probing(): boolean {
    return this.learn.phase === "probe";
  }

  /** See `Callback.afterCancelFit`. */
  override afterCancelFit(): void {
    if (!this.#probing) this.#outcome = "stopped";
  }

  /** See `Callback.afterFit`. */
  override async afterFit(): Promise<void> {
    const { learn } = this;
    if (this.#probing) return;
    this.#outcome ??= "finished";
    if (this.viewers === 0 || this.#topLosses === 0) return;
    if (learn.peers !== null) return; // a pass over the set is something that all processes do together
    const { hasPictures } = await import("./top_losses.ts");
    if (await hasPictures(learn)) await this.#findTop();
  }

  /** Reads losses between two batches, where the progress bar or the recorder has not. */
  #look(): Handled {
    const now = this.learn.clock();
    if (now - this.#readAt < this.#readMs) return;
    this.#readAt = now;
    const had = this.#readLosses;
    this.#readLosses = this.#state?.nLosses ?? 0;
    if (this.#readLosses > had) return; // somebody did
    return this.learn.recorder.syncNow();
  }

  /** Waits while paused; ends the fit where that is asked for. */
  async #hold(): Promise<void> {
    if (this.#gate !== null) {
      this.#pausedAt = this.learn.clock();
      const stay = setInterval(() => {}, 1 << 30); // a promise alone does not keep the process
      const stopListening = this.learn.onInterrupt(() => this.resume()); // a pause keeps no run from that
      this.#send();
      try {
        while (this.#gate !== null) await this.#gate.promise;
      } finally {
        clearInterval(stay);
        stopListening();
        this.#pausedMs += this.learn.clock() - this.#pausedAt;
        this.#pausedAt = 0;
      }
    }
    const { phase, running } = this.learn;
    if (this.#stopping && this.learn.interruption === null && running && phase !== "predict" && phase !== "eval") {
      throw new CancelFit("stopped from the live page");
    }
  }

  async #findTop(): Promise<void> {
    this.#wantTop = false;
    const { topLosses } = await import("./top_losses.ts");
    if (this.#state !== null) this.#state.top = await topLosses(this.learn, Math.max(1, this.#topLosses));
  }

  /** The fit is over, whatever ended it. */
  #end(): void {
    this.#endedMs = this.#elapsed;
    if (this.learn.phase !== "probe") this.#outcome ??= this.learn.cutShort ? "stopped" : "failed"; // nothing else said how
    this.#running = this.#stopping = false;
    this.resume();
    this.runEnded();
  }

  // --- messages

  /** Tells those who look what is new. */
  #send(): void {
    const state = this.#state;
    if (state === null || this.#shown === null) return;
    if (this.viewers === 0) return this.stopWatching();
    this.send(state.more(this.#shown, this.#status, this.#clock));
  }

  /** Does what a button asks for; false where it cannot be done. */
  protected obey(command: Command): boolean {
    if (!this.#running || !this.controls) return false;
    if (command === "pause") this.pause();
    else if (command === "resume") this.resume();
    else if (command === "stop") this.stop();
    else this.#wantTop = true;
    return true;
  }

  get #status(): RunStatus {
    if (!this.#running) return "idle";
    if (this.#stopping) return "stopping";
    if (this.#gate !== null) return this.#pausedAt > 0 ? "paused" : "pausing";
    return this.learn.training ? "training" : "validating";
  }

  get #elapsed(): number {
    if (!this.#running) return this.#endedMs;
    const now = this.#pausedAt > 0 ? this.#pausedAt : this.learn.clock();
    return now - this.#startedAt - this.#pausedMs;
  }

  get #clock(): Clock {
    const outcome = this.#running ? null : this.#outcome;
    return { elapsedMs: this.#elapsed, startPct: Math.max(0, this.#startPct), outcome };
  }
}
