/**
 * Callbacks: objects that are called at every event of a run and may read and change anything.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { refuseArguments } from "../base/options.ts";
import type { SavedState, StateDict } from "../io/state_dict.ts";
import { BATCH_EVENTS, type EventName, type Handled } from "./events.ts";
import type { TrainLoop } from "./train_loop.ts";

/**
 * Base class of callbacks. Every event is a method that does nothing; a subclass overrides those it wants, as methods or
 * as instance fields. Handlers may be async.
 *
 * @example
 * ```ts
 * import { Callback, CancelFit } from "@anneal/anneal";
 *
 * class StopAt extends Callback {
 *   override readonly order = 65;
 *   override afterEpoch() {
 *     if (this.learn.epoch === 3) throw new CancelFit("far enough");
 *   }
 * }
 * ```
 */
export class Callback {
  /** Place in line: lower numbers are called first; see `ORDER`. */
  readonly order: number = 0;
  /** False: no handler is called, until the run ends; set back to true after every fit. */
  run: boolean = true;
  /** Whether events of training batches are handled. */
  runTrain: boolean = true;
  /** Whether events of validation batches are handled. */
  runValid: boolean = true;
  /** Whether events of the learning-rate finder's probe are handled. */
  readonly runProbe: boolean = true;
  /** Whether, in a run of several processes, only the first calls it: for what writes files or shows something. */
  readonly rank0Only: boolean = false;
  /**
   * Whether it only shows or writes what happens. An error in one of its handlers is then told in a line, once, and the fit
   * goes on without the callback; cancels, and errors of the device, pass.
   */
  readonly reportsOnly: boolean = false;

  #learn: TrainLoop | null = null;

  /** Takes no arguments: a class whose constructor does has one of its own, which gives none of them on. */
  constructor(...none: never[]) {
    refuseArguments(this, none);
  }

  /** The learner that this callback was added to. Throws a {@link ConfigError} before that. */
  get learn(): TrainLoop {
    if (this.#learn === null) {
      throw new ConfigError(
        `Cannot use the learner of ${this.name}: the callback belongs to none, add it with addCb()`,
      );
    }
    return this.#learn;
  }

  /** Whether this callback belongs to a learner. */
  get attached(): boolean {
    return this.#learn !== null;
  }

  /** Called by the learner when it takes or drops the callback. */
  attach(learn: TrainLoop | null): void {
    this.#learn = learn;
  }

  /** Name in messages: the class's. */
  get name(): string {
    return this.constructor.name;
  }

  /**
   * Called for every event. This implementation applies `run`, `runProbe`, and in batch events `runTrain` and `runValid`,
   * and calls the event's handler. Override it to see every event, ungated.
   */
  handle(event: EventName): Handled {
    if (!this.run || !this.runProbe && this.learn.phase === "probe") return;
    if (BATCH_EVENTS.has(event) && !(this.learn.training ? this.runTrain : this.runValid)) return;
    return this[event]();
  }

  /** Whether `event` is handled at all. While nobody handles events inside of a step, learners do less at each. */
  handles(event: EventName): boolean {
    return this[event] !== Callback.prototype[event] || this.handle !== Callback.prototype.handle;
  }

  /**
   * Options that decide the numbers of a run, by name: a checkpoint refuses to go on with others. Null, the default, for
   * callbacks that change no number, or whose options may change in the middle.
   */
  settings(): Readonly<Record<string, unknown>> | null {
    return null;
  }

  /** Texts that the live page shows of the callback, the oldest first: a heading and a text each; none by default. */
  shown(): readonly { readonly title: string; readonly text: string }[] {
    return [];
  }

  /**
   * What the callback would lose if the process ended between two batches or two epochs: plain data, typed arrays, tensors;
   * null for nothing. Checkpoints keep it, and give it back to {@link Callback.loadStateDict}.
   */
  stateDict(): StateDict | null | Promise<StateDict | null> {
    return null;
  }

  /**
   * Takes back what {@link Callback.stateDict} gave, in a run that goes on: `beforeFit` was called before, and in the middle
   * of an epoch `beforeEpoch` and `beforeTrain`, too; meanwhile `learn.resuming` was true.
   */
  loadStateDict(_state: SavedState): Handled {}

  /** The learner was made and its callbacks are in place. */
  afterCreate(): Handled {}
  /** A run begins. */
  beforeFit(): Handled {}
  /** An epoch begins; `learn.epoch` counts from 0. */
  beforeEpoch(): Handled {}
  /** The training part of an epoch begins. */
  beforeTrain(): Handled {}
  /** A batch was taken: `learn.xb` and `learn.yb` may be replaced. */
  beforeBatch(): Handled {}
  /** The model ran: `learn.pred` may be replaced. */
  afterPred(): Handled {}
  /** The loss is there (if the batch has targets): `learn.loss` may be replaced. */
  afterLoss(): Handled {}
  /** The gradients are about to be computed. */
  beforeBackward(): Handled {}
  /** A {@link CancelBackward} was caught. */
  afterCancelBackward(): Handled {}
  /** The gradients are in `grad` of the parameters, and may be replaced. */
  afterBackward(): Handled {}
  /** The optimizer is about to step. */
  beforeStep(): Handled {}
  /** A {@link CancelStep} was caught. */
  afterCancelStep(): Handled {}
  /** The optimizer stepped; the gradients are still there. */
  afterStep(): Handled {}
  /** A {@link CancelBatch} was caught. */
  afterCancelBatch(): Handled {}
  /** The batch is done. */
  afterBatch(): Handled {}
  /** A {@link CancelTrain} was caught. */
  afterCancelTrain(): Handled {}
  /** The training part of an epoch is done. */
  afterTrain(): Handled {}
  /** Validation begins. */
  beforeValidate(): Handled {}
  /** A {@link CancelValid} was caught. */
  afterCancelValidate(): Handled {}
  /** Validation is done. */
  afterValidate(): Handled {}
  /** A {@link CancelEpoch} was caught. */
  afterCancelEpoch(): Handled {}
  /** The epoch is done. */
  afterEpoch(): Handled {}
  /** A {@link CancelFit} was caught. */
  afterCancelFit(): Handled {}
  /** The run is done. */
  afterFit(): Handled {}
}

/** A callback, or a class of callbacks. */
export type CallbackKind = Callback | (abstract new (...args: never[]) => Callback);

/** A callback, or the class of one that needs no arguments. */
export type CallbackLike = Callback | (new () => Callback);
