/**
 * Plain fits: epochs at a constant learning rate, or whatever the callbacks make of it.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { abortSignal, checkOptions, flag, num, type OptionTable, orNull, other } from "../base/options.ts";
import { aHyper, type HyperValue } from "../optim/mod.ts";
import { type CallbackLike, checkSettings, refuseNested, tell, throwIfAborted, type TrainLoop } from "../train/mod.ts";
import { Checkpoint } from "./checkpoint.ts";
import type { CheckpointSession } from "./checkpoint_session.ts";
import type { Plan } from "./fingerprint.ts";

/** What every fit takes. */
export interface FitCommon {
  /** Weight decay; null or left out means the learner's, and where that has none, the optimizer's. */
  readonly wd?: HyperValue | null;
  /** Callbacks for this fit only. */
  readonly cbs?: CallbackLike | readonly CallbackLike[];
  /** Makes a new optimizer first; false by default: momenta and step counts go on. */
  readonly resetOpt?: boolean;
  /**
   * Goes on from the newest checkpoint of the fit's `Checkpoint`, in the middle of an epoch too; from the start where there
   * is none. A script with several fits gives it to each: those that were finished are passed over. False by default.
   */
  readonly resume?: boolean;
  /** First epoch to run, as if those before it were done; 0 by default. Schedules start at its place. */
  readonly startEpoch?: number;
  /**
   * Stops the fit after the batch under way once it is aborted: it is saved by its `Checkpoint`, if it has one, and rejects
   * with an `InterruptedError` whose `cause` is the signal's reason. One that is aborted already lets nothing begin.
   */
  readonly signal?: AbortSignal;
}

/** What the options of every fit may be. */
export const FIT_COMMON: OptionTable<FitCommon> = {
  wd: orNull(aHyper),
  cbs: other("a callback or several"),
  resetOpt: flag,
  resume: flag,
  startEpoch: num,
  signal: abortSignal,
};

/** Options of {@link fit}. */
export interface FitOptions extends FitCommon {
  /** Learning rate: one number, one a group, or a `slice`; null or left out means the learner's. */
  readonly lr?: HyperValue | null;
}

/**
 * Trains for `nEpoch` epochs, each followed by validation.
 *
 * @throws DataError where a loader is empty; ConfigError where an option makes no sense; what handlers, model or loss throw.
 * After any of them the learner can be used again.
 */
export async function fit(learn: TrainLoop, nEpoch: number, options: FitOptions = {}): Promise<void> {
  checkOptions("fit", options, { lr: orNull(aHyper), ...FIT_COMMON });
  const { wd, cbs, resetOpt, startEpoch, resume } = options;
  await runPolicy(learn, "fit", options, async () => {
    const lr = "lr" in options ? resolveLr(learn, options.lr, "lr") : learn.lr;
    await runPlan(learn, nEpoch, { lr, wd, cbs, resetOpt, startEpoch, resume }, {
      policy: "fit",
      options: { lr, wd, startEpoch },
    });
  });
}

/** Runs what a policy does, which has the learner to itself; with `resume`, as the call that was cut short before. */
export async function runPolicy(
  learn: TrainLoop,
  name: string,
  { resume = false, signal }: FitCommon,
  body: () => Promise<void>,
): Promise<void> {
  await learn.runs.take(name, async () => {
    refuseNested(learn);
    checkSettings(learn);
    const part = learn.runs.depth > 1;
    await interruptible(learn, name, signal, () => part ? body() : learn.fitCount.within(resume, body));
  });
}

/** Runs a call that has the learner to itself, and that `signal` interrupts. */
export async function interruptible<T>(
  learn: TrainLoop,
  name: string,
  signal: AbortSignal | undefined,
  body: () => Promise<T>,
): Promise<T> {
  throwIfAborted(signal, name);
  const whole = learn.runs.depth === 1;
  if (whole) learn.forgetInterruption();
  const onAbort = () => void learn.interrupt("abort", { cause: signal!.reason });
  signal?.addEventListener("abort", onAbort);
  try {
    return await body();
  } finally {
    signal?.removeEventListener("abort", onAbort);
    if (whole) learn.forgetInterruption();
  }
}

/** {@link fit} for policies: `plan` says what was asked of them, so that only the same fit goes on from a checkpoint. */
export async function runPlan(learn: TrainLoop, nEpoch: number, options: FitOptions, plan: Plan): Promise<void> {
  const { wd, cbs = [], resetOpt = false, startEpoch = 0, resume = false } = options;
  const lr = "lr" in options ? resolveLr(learn, options.lr, "lr") : learn.lr;
  const { phase } = learn;
  await learn.ready();
  await learn.addedCbs(cbs, async () => {
    if (resetOpt) learn.createOpt();
    const decay = wd ?? learn.wd;
    if (decay !== null) learn.opt.setHyper("wd", decay);
    learn.opt.setHyper("lr", lr);
    if (phase === "idle") learn.phase = "fit";
    let session: CheckpointSession | null = null;
    try {
      session = await openCheckpoints(learn, { ...plan, nEpoch, startEpoch }, resume);
      if (session?.done === true) return;
      if (startEpoch >= nEpoch && startEpoch > 0) {
        tell(learn.logger, `Nothing to train: startEpoch ${startEpoch} is not before the end, ${nEpoch} epochs`);
      }
      await learn.runEpochs(nEpoch, { startEpoch, from: session?.from ?? null });
    } catch (error) {
      await session?.failed(error);
      throw error;
    } finally {
      learn.phase = phase;
      await session?.close();
    }
  });
}

/**
 * Opens what the learner's {@link Checkpoint} writes, code that other fits do without; null where it has none.
 *
 * @throws ConfigError for `resume` without one.
 */
async function openCheckpoints(
  learn: TrainLoop,
  plan: Plan & { readonly nEpoch: number; readonly startEpoch: number },
  resume: boolean,
): Promise<CheckpointSession | null> {
  if (learn.phase === "probe") return null;
  const index = learn.fitCount.next();
  const checkpoint = learn.findCb(Checkpoint);
  if (checkpoint === null) {
    if (!resume) return null;
    throw new ConfigError("Cannot resume: this fit has no checkpoints, add new Checkpoint({ dir }) to its cbs");
  }
  const { CheckpointSession } = await import("./later.ts");
  return await CheckpointSession.begin(learn, checkpoint, { ...plan, index }, resume);
}

/**
 * A learning rate as users pass it: left out, the learner's. Null is what the learning-rate finder gives where it has no
 * suggestion: a {@link ConfigError} with the finder's reason.
 */
export function resolveLr(learn: TrainLoop, lr: HyperValue | null | undefined, name: string): HyperValue {
  if (lr === undefined) return learn.lr;
  if (lr !== null) return lr;
  const reasons = Object.entries(learn.recorder.lrFinder?.reasons ?? {}).map(([by, why]) => `${by}: ${why}`);
  const why = reasons.length > 0 ? `the learning-rate finder made no suggestion (${reasons.join("; ")})` : "it is null";
  throw new ConfigError(`Cannot fit with ${name} null: ${why}; pass a number`);
}

/**
 * Sets the learning rate and gives each group's number: slices and single numbers are spread over the groups. Makes the
 * optimizer anew first if asked to.
 */
export function spreadLr(learn: TrainLoop, lr: HyperValue, resetOpt: boolean = false): number[] {
  const opt = resetOpt ? learn.createOpt() : learn.opt;
  opt.setHyper("lr", lr);
  return opt.hypers.map((h) => h.lr);
}
