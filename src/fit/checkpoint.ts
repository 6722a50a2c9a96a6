/**
 * The callback that saves whole runs, so that a script that is run again goes on where it was killed.
 *
 * @module
 */
import { isAbsolute, join } from "../base/path.ts";
import { ConfigError } from "../base/errors.ts";
import { host as runtime } from "../base/host.ts";
import { checkOptions, num, oneOf, type OptionTable, orNull, pathText, text } from "../base/options.ts";
import type { SavedState, StateDict } from "../io/state_dict.ts";
import {
  Callback,
  type Handled,
  interruptedError,
  type Interruption,
  type InterruptPlace,
  type InterruptSaver,
  Metric,
  ORDER,
  Recorder,
  smallerIsBetter,
  tell,
} from "../train/mod.ts";
import type { HostState } from "./capture.ts";
import type { CheckpointSession } from "./checkpoint_session.ts";

/** Options of {@link Checkpoint}. Without `everySteps`, `everySeconds` and `everyEpochs`: every epoch, and every 60 s. */
export interface CheckpointOptions {
  /** Directory of this run's checkpoints, in the learner's `path` unless absolute. Each run, or learner, has its own. */
  readonly dir: string;
  /** Training batches between two checkpoints. */
  readonly everySteps?: number;
  /** Seconds between two checkpoints. */
  readonly everySeconds?: number;
  /** Epochs between two checkpoints. */
  readonly everyEpochs?: number;
  /** Newest checkpoints that are kept; 3 by default. The best one and the ends of fits are kept besides. */
  readonly keep?: number;
  /** The column of the rows whose best epoch is kept; `valid_loss` by default where there is one; null keeps none. */
  readonly best?: string | null;
  /**
   * What SIGINT and SIGTERM do, after the step is finished and saved: end the process with the signal's code ("exit", the
   * default), reject the fit with an `InterruptedError` ("throw"), or whatever they did before ("ignore"). Pages get none.
   */
  readonly onSignal?: "exit" | "throw" | "ignore";
}

const CHECKPOINT: OptionTable<CheckpointOptions> = {
  dir: pathText,
  everySteps: num,
  everySeconds: num,
  everyEpochs: num,
  keep: num,
  best: orNull(text),
  onSignal: oneOf("exit", "throw", "ignore"),
};

/**
 * Saves everything that a fit consists of: weights, buffers, optimizer, schedule position, random generators, loader order
 * and position, recorder, other callbacks' state. With `resume: true` the fit goes on from the newest checkpoint, in the
 * middle of an epoch too, with the same bits as if it had never stopped.
 *
 * A checkpoint is a directory, written in the background under another name, flushed and renamed; one that is torn is told
 * from its checksums, and the one before it used. Saves at the start and the end of each fit, besides the intervals,
 * and where `learn.interrupt` stops it.
 *
 * @example
 * ```ts ignore
 * await learn.fitOneCycle(5, { cbs: [new Checkpoint({ dir: "run1", everySeconds: 60 })], resume: true });
 * ```
 */
export class Checkpoint extends Callback implements InterruptSaver {
  /** Place in line: behind everything whose state it saves. */
  override readonly order: number = ORDER.checkpoint;
  /** Directory of the checkpoints. */
  readonly dir: string;
  /** Training batches between two checkpoints; Infinity for none. */
  readonly everySteps: number;
  /** Seconds between two checkpoints; Infinity for none. */
  readonly everySeconds: number;
  /** Epochs between two checkpoints; Infinity for none. */
  readonly everyEpochs: number;
  /** Newest checkpoints that are kept. */
  readonly keep: number;
  /** The column whose best epoch is kept; null for none. */
  readonly best: string | null;
  /** What signals do. */
  readonly onSignal: "exit" | "throw" | "ignore";
  #session: CheckpointSession | null = null;
  #bestValue = NaN;
  #savedAt = 0;
  /** Where the run stood when it was last saved and that waited for. */
  #sure: HostState | null = null;
  /** The host's state when the training part of the epoch was done, for interruptions of the validation. */
  #trained: { readonly host: HostState; readonly versions: readonly number[] } | null = null;

  /**
   * Makes a Checkpoint.
   *
   * @param options See {@link CheckpointOptions}.
   */
  constructor(options: CheckpointOptions) {
    super();
    checkOptions("make Checkpoint", options, CHECKPOINT);
    const { dir, everySteps, everySeconds, everyEpochs, keep = 3, best = "valid_loss", onSignal = "exit" } = options;
    const none = everySteps === undefined && everySeconds === undefined && everyEpochs === undefined;
    if (typeof dir !== "string" || dir === "") throw new ConfigError("Cannot save checkpoints: dir names no directory");
    for (const [name, n] of Object.entries({ everySteps, everyEpochs, keep })) {
      if (n !== undefined && !(Number.isInteger(n) && n >= 1)) {
        throw new ConfigError(`Cannot save checkpoints with ${name} ${n}: it must be a whole number from 1`);
      }
    }
    if (runtime.kind === "browser" && options.onSignal !== undefined && onSignal !== "ignore") {
      throw new ConfigError(
        `Cannot make Checkpoint with onSignal "${onSignal}": a page gets no signals; leave it out there, and stop the fit by ` +
          "the { signal } of an AbortController or learn.interrupt()",
      );
    }
    if (everySeconds !== undefined && !(everySeconds > 0)) {
      throw new ConfigError(`Cannot save checkpoints every ${everySeconds} seconds: it must be a number above 0`);
    }
    this.dir = dir;
    this.everySteps = everySteps ?? Infinity;
    this.everySeconds = everySeconds ?? (none ? 60 : Infinity);
    this.everyEpochs = everyEpochs ?? (none ? 1 : Infinity);
    this.keep = keep;
    this.best = best;
    this.onSignal = onSignal;
  }

  /** Where the checkpoints are. */
  get path(): string {
    return isAbsolute(this.dir) ? this.dir : join(this.learn.path, this.dir);
  }

  /** Path of the newest checkpoint that this fit wrote or went on from; null before the first. */
  get lastPath(): string | null {
    return this.#session?.last ?? this.#last;
  }
  #last: string | null = null;

  /**
   * Takes part in a fit; policies call it.
   *
   * @internal
   */
  join(session: CheckpointSession | null): void {
    this.#last = this.#session?.last ?? this.#last;
    this.#session = session;
    if (session === null && this.attached && this.learn.saver === this) this.learn.saver = null;
  }

  /** The best value so far. */
  override stateDict(): StateDict {
    return { best: this.#bestValue };
  }

  /** See `Callback.loadStateDict`. */
  override loadStateDict(state: SavedState): void {
    this.#bestValue = state.number("best");
  }

  /** See `Callback.beforeFit`. */
  override beforeFit(): Handled {
    const { learn } = this;
    this.run = this.#session !== null; // a probe, or epochs without a policy
    if (!this.run) return;
    this.#bestValue = NaN;
    learn.saver = this;
    this.#sure = this.#trained = null;
    this.#savedAt = learn.clock();
    if (!learn.resuming) return this.#saveNow({ epoch: this.#session!.startEpoch, iter: null });
  }

  /** See `Callback.afterBatch`. */
  override afterBatch(): Handled {
    const session = this.#session;
    const { learn } = this;
    if (session === null || learn.phase === "eval" || learn.phase === "predict") return;
    if (!learn.training) return;
    const { iter, nIter, trainIter, epoch, interruption } = learn;
    const save = interruption === null && (trainIter % this.everySteps === 0 || this.#late); // one saves it itself
    const last = iter + 1 === nIter && learn.dls.valid.length > 0;
    if (!save && !last || !this.#whole) return;
    return this.#atBatch({ epoch, iter: iter + 1 }, { save, last });
  }

  get #late(): boolean {
    const { clock } = this.learn;
    return clock() - this.#savedAt >= this.everySeconds * 1000 && !this.#session!.store.writing;
  }

  /** Whether everything that goes on in the middle of an epoch can be saved. */
  get #whole(): boolean {
    const recorder = this.learn.findCb(Recorder);
    if (recorder === null || !recorder.trainMetrics) return true;
    return this.learn.metrics.every((m) => m.stateDict !== Metric.prototype.stateDict);
  }

  async #atBatch(
    at: { epoch: number; iter: number },
    { save, last }: { save: boolean; last: boolean },
  ): Promise<void> {
    const { learn } = this;
    learn.flush(); // the step's own program, not part of the copies'
    const host = await this.#session!.capture(at);
    if (save) await this.#save(host, { wait: false });
    if (last) this.#trained = { host, versions: this.#versions() };
  }

  /** Assignments to weights so far: validation that changes them cannot be cut short. */
  #versions(): number[] {
    const { model } = this.learn;
    return [...model.namedParameters().values(), ...model.namedBuffers().values()].map((v) => v.storage.version);
  }

  /**
   * See `InterruptSaver`.
   *
   * @internal
   */
  async saveInterrupted(place: InterruptPlace, interruption: Interruption): Promise<string | null> {
    const session = this.#session!;
    if (!this.learn.resuming) { // otherwise nothing happened since the checkpoint that the fit goes on from
      const host = await this.#hostAt(place);
      if (host === null) return null;
      const sure = this.#sure;
      if (sure === null || sure.epoch !== host.epoch || sure.iter !== host.iter) await this.#save(host, { wait: true });
    }
    const path = session.last ?? this.path;
    await this.#stop(interruption, path);
    session.leaveOpen();
    return path;
  }

  /** What to save at a place; null where nothing can go on from there. */
  async #hostAt(place: InterruptPlace): Promise<HostState | null> {
    const { learn } = this, session = this.#session!;
    const { epoch, iter } = learn;
    if (place === "beforeEpoch") return await session.capture({ epoch, iter: null });
    if (place === "afterEpoch") return await session.capture({ epoch: epoch + 1, iter: null });
    if (learn.training) return this.#whole ? await session.capture({ epoch, iter: iter + 1 }) : null;
    if (this.#trained === null) return null;
    const { host, versions } = this.#trained, now = this.#versions();
    return versions.some((v, i) => v !== now[i]) ? null : host; // the end of the epoch is near
  }

  /** See `Callback.afterEpoch`. */
  override async afterEpoch(): Promise<void> {
    const { learn } = this;
    const session = this.#session!;
    this.#trained = null;
    const at = { epoch: learn.epoch + 1, iter: null };
    const value = this.best === null ? undefined : learn.findCb(Recorder)?.rows.at(-1)?.[this.best];
    const better = typeof value === "number" &&
      (Number.isNaN(this.#bestValue)
        ? !Number.isNaN(value)
        : smallerIsBetter(this.best!)
        ? value < this.#bestValue
        : value > this.#bestValue);
    if (better) this.#bestValue = value;
    const due = (learn.epoch + 1 - session.startEpoch) % this.everyEpochs === 0;
    if (!due && !this.#late && !better) return;
    await this.#save(await session.capture(at), { wait: learn.interruption !== null, best: better });
  }

  /** See `Callback.afterFit`. */
  override async afterFit(): Promise<void> {
    const session = this.#session!;
    if (!session.open) {
      const host = await session.capture({ epoch: this.learn.nEpoch, iter: null });
      await session.write(host, { done: true }, { wait: true });
    }
    const { interruption } = this.learn;
    if (interruption === null || session.open || !isSignal(interruption.reason)) return;
    const path = session.last ?? this.path; // a signal that came too late for the last step
    await this.#stop(interruption, path);
    throw interruptedError(interruption, path);
  }

  async #saveNow(at: { epoch: number; iter: null }): Promise<void> {
    const session = this.#session!;
    await session.write(await session.capture(at), {}, { wait: true });
    this.#savedAt = this.learn.clock();
  }

  async #save(host: HostState, { wait, best = false }: { wait: boolean; best?: boolean }): Promise<void> {
    this.#savedAt = this.learn.clock();
    await this.#session!.write(host, { best }, { wait });
    if (wait) this.#sure = host;
  }

  /** Everything is saved: after a signal, ends the process, unless the fit is to reject. */
  async #stop(interruption: Interruption, path: string): Promise<void> {
    const { peers, logger } = this.learn;
    if (peers !== null) await peers.sum(new Float64Array(0)); // rank 0 has saved: now all may end
    logger.status?.("");
    if (!isSignal(interruption.reason) || this.onSignal !== "exit") return;
    tell(logger, interruptedError(interruption, path).message);
    await this.#session!.close();
    runtime.exit(interruption.reason === "SIGINT" ? 130 : 143);
  }
}

function isSignal(reason: string): boolean {
  return reason === "SIGINT" || reason === "SIGTERM";
}
