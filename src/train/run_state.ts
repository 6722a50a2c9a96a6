/**
 * The state of a run: where it is, and the batch under way.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkArgument, checkOptions, flag, instanceOf, listOf, type OptionTable, other } from "../base/options.ts";
import type { Batch, DataLoader } from "../data/mod.ts";
import { Tensor } from "../tensor/mod.ts";
import { BatchState } from "./batch_state.ts";
import type { Callback } from "./callback.ts";
import { CapturedSteps } from "./captured_steps.ts";
import { FitCount } from "./fit_count.ts";
import type { Interruption, InterruptOptions, InterruptSaver } from "./interruption.ts";
import type { Phase } from "./options.ts";
import type { GradAverager, Peers } from "./peers.ts";
import { Runs } from "./runs.ts";

const INTERRUPT: OptionTable<InterruptOptions> = { cause: other("anything"), rejects: flag, shared: flag };

const TENSOR = instanceOf<Tensor>(Tensor, "a tensor"), TENSORS = listOf(TENSOR, "tensors");

/** What callbacks see of a run and its batch under way, and may change. */
export abstract class RunState {
  /** Epoch under way, from 0. */
  epoch: number = 0;
  /** Epochs of the run. */
  nEpoch: number = 1;
  /** Batch under way within its epoch, from 0. */
  iter: number = 0;
  /** Batches of the loader under way. */
  nIter: number = 0;
  /** Training batches done in this run. */
  trainIter: number = 0;
  /** Fraction of the run's training done, in [0, 1]. */
  pctTrain: number = 0;
  /** Whether batches are for training. */
  training: boolean = false;
  /** What the learner is doing. */
  phase: Phase = "idle";
  /** Whether a fit is under way. */
  running: boolean = false;
  /** The other processes of a run on several; null where this is the only one. Set by `DistributedTrainer`. */
  peers: Peers | null = null;
  /**
   * What averages gradients over the processes of a run.
   *
   * @internal
   */
  averager: (Callback & GradAverager) | null = null;
  /** Milliseconds of a clock that only goes forward: what takes time by it, tests can make as long as they like. */
  clock: () => number = () => performance.now();
  /**
   * What saves the run under way where it is interrupted; null where nothing does.
   *
   * @internal
   */
  saver: InterruptSaver | null = null;
  /**
   * Whether the fit under way is saved in a way that needs its data to stay what they are.
   *
   * @internal
   */
  keepsData: boolean = false;
  /**
   * Whether an interruption stopped the call under way: what else belongs to it does not begin.
   *
   * @internal
   */
  cutShort: boolean = false;
  /** Whether the events are those in front of the place where a fit goes on: what is on disk from before still counts. */
  resuming: boolean = false;
  /**
   * Numbers of the fits: scripts with several tell them apart by it when they are run again.
   *
   * @internal
   */
  readonly fitCount: FitCount = new FitCount();
  /**
   * The calls under way that use the learner.
   *
   * @internal
   */
  readonly runs: Runs = new Runs();
  /**
   * The batch under way, for the library itself: callbacks use `xb`, `yb`, `pred` and `loss`.
   *
   * @internal
   */
  batch: BatchState = new BatchState();
  /**
   * Steps that were captured, to be replayed instead of built.
   *
   * @internal
   */
  readonly steps: CapturedSteps = new CapturedSteps();
  #dl: DataLoader<Batch> | null = null;
  #interruption: Interruption | null = null;
  readonly #onInterrupt: Set<() => void> = new Set();

  // --- interruptions

  /**
   * Stops the fit under way, to go on another time: after the handlers of the batch or epoch under way it is saved by its
   * `Checkpoint`, if it has one, and rejects with an `InterruptedError` of this reason. Of several calls the first counts.
   * A fit whose last epoch is over by then is finished. From anywhere: callbacks, timers, servers.
   *
   * @param reason Why, for whoever reads the error.
   * @returns Whether there was a fit to stop.
   */
  interrupt(reason: string, options: InterruptOptions = {}): boolean {
    const { rejects = true, shared = false, ...rest } = checkOptions("interrupt", options, INTERRUPT);
    if (typeof reason !== "string" || reason === "") {
      throw new ConfigError("Cannot interrupt without a reason: say why");
    }
    if (this.runs.depth === 0 || !this.running && (this.phase === "eval" || this.phase === "predict")) return false;
    const { starting } = this.runs;
    if (starting !== null) { // what begins forgets interruptions from before it
      void starting.then(() => this.interrupt(reason, options));
      return true;
    }
    if (this.#interruption === null) {
      this.#interruption = { reason, rejects, ...rest };
      this.#shared = shared;
      if (!shared) this.peers?.raise(reason);
    }
    for (const f of [...this.#onInterrupt]) f();
    return true;
  }
  #shared = false;

  /** Why the fit under way stops before its end; null where it does not. */
  get interruption(): Interruption | null {
    const { peers } = this;
    if (peers === null || this.#shared) return this.#interruption;
    const { raised } = peers; // known to all processes in the same batch
    if (raised === null) return null;
    const own = this.#interruption;
    return own?.reason === raised || own !== null && raised === "interrupt" ? own : { reason: raised, rejects: true };
  }

  /** Calls `f` at every {@link interrupt}, for what waits in the middle of a batch; the function given back ends that. */
  onInterrupt(f: () => void): () => void {
    this.#onInterrupt.add(f);
    return () => void this.#onInterrupt.delete(f);
  }

  /**
   * Forgets an interruption: another call begins.
   *
   * @internal
   */
  forgetInterruption(): void {
    this.#interruption = null;
    this.#shared = this.cutShort = false;
  }

  // --- the batch under way

  /** The loader under way. */
  get dl(): DataLoader<Batch> {
    return this.#dl ?? this.#outOfPhase("dl", "training or validating");
  }

  set dl(dl: DataLoader<Batch> | null) {
    this.#dl = dl;
  }

  /** Inputs of the batch under way. */
  get xb(): readonly Tensor[] {
    this.batch.seenInput = true;
    return this.batch.xb ?? this.#outOfPhase("xb", "in a batch");
  }

  set xb(xb: readonly Tensor[]) {
    checkArgument("go on with this batch", "xb", xb, TENSORS);
    this.batch.xb = xb;
  }

  /** Targets of the batch under way; empty where it has none. */
  get yb(): readonly Tensor[] {
    this.batch.seenInput = true;
    return this.batch.yb ?? this.#outOfPhase("yb", "in a batch");
  }

  set yb(yb: readonly Tensor[]) {
    checkArgument("go on with this batch", "yb", yb, TENSORS);
    this.batch.yb = yb;
  }

  /** What the model made of `xb`; lazy. */
  get pred(): Tensor {
    this.batch.seenOutput = true;
    return this.batch.pred ?? this.#outOfPhase("pred", "in a batch, from afterPred on");
  }

  set pred(pred: Tensor) {
    checkArgument("go on with this batch", "pred", pred, TENSOR);
    this.batch.seenOutput = true;
    this.batch.pred = pred;
  }

  /** The batch's loss, one number; lazy: `await learn.loss.item()` pays for the read. Setting it replaces what is minimised. */
  get loss(): Tensor {
    this.batch.seenOutput = true;
    return this.batch.loss ?? this.#outOfPhase("loss", "in a batch with targets, from afterLoss on");
  }

  set loss(loss: Tensor) {
    checkArgument("go on with this batch", "loss", loss, TENSOR);
    this.batch.seenOutput = true;
    this.batch.loss = this.batch.lossGrad = loss;
  }

  /** Whether the batch under way has a loss. */
  get hasLoss(): boolean {
    return this.batch.loss !== null;
  }

  /** What is differentiated: the loss, unless a callback scaled it. Setting it leaves the recorded `loss` alone. */
  get lossGrad(): Tensor {
    this.batch.seenOutput = true;
    return this.batch.lossGrad ?? this.#outOfPhase("lossGrad", "in a batch with targets, from afterLoss on");
  }

  set lossGrad(loss: Tensor) {
    checkArgument("go on with this batch", "lossGrad", loss, TENSOR);
    this.batch.lossGrad = loss;
  }

  /** Remembers where a run stands; the function given back returns there. */
  saveBatch(): () => void {
    const { batch, iter, nIter, training } = this;
    const dl = this.#dl;
    return () => {
      this.#dl = dl;
      Object.assign(this, { batch, iter, nIter, training });
    };
  }

  #outOfPhase(field: string, when: string): never {
    throw new ConfigError(`Cannot read learn.${field}: there is one only while ${when}`);
  }
}
