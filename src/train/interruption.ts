/**
 * Interruptions: stops that are to go on. A cancel ends a run, an interruption leaves it where it goes on another time.
 *
 * @module
 */
import { InterruptedError } from "../base/errors.ts";
import { CancelFit } from "./cancel.ts";
import type { TrainLoop } from "./train_loop.ts";

/** What interrupted a run, as the library itself says it; callbacks may give any other text. */
export type InterruptReason = "SIGINT" | "SIGTERM" | "abort" | "budget" | "stop";

/** Why a run stops before its end. */
export interface Interruption {
  /** An {@link InterruptReason} or a callback's own words. */
  readonly reason: string;
  /** What is behind it, such as the reason of an `AbortSignal`. */
  readonly cause?: unknown;
  /** Whether the fit rejects; otherwise it resolves, as after a `CancelFit`. */
  readonly rejects: boolean;
}

/** Options of `learn.interrupt`. */
export interface InterruptOptions {
  /** What is behind it; becomes the error's `cause`. */
  readonly cause?: unknown;
  /** Whether the fit rejects with an {@link InterruptedError}, as by default, or resolves. */
  readonly rejects?: boolean;
  /**
   * In a run of several processes: whether each of them calls it at the same place. Otherwise, as by default, all of them
   * hear of it at their next sync point.
   */
  readonly shared?: boolean;
}

/** Where the loop honours an interruption: before an epoch, after a batch, after an epoch; each behind the handlers there. */
export type InterruptPlace = "beforeEpoch" | "batch" | "afterEpoch";

/** Saves a run that is interrupted. */
export interface InterruptSaver {
  /** Saves what goes on from `place`; gives where that is, or null where nothing can go on from there: the run does. */
  saveInterrupted(place: InterruptPlace, interruption: Interruption): Promise<string | null>;
}

/** Ends the run where it is to be interrupted and what was done can be saved. */
export async function honourInterruption(learn: TrainLoop, place: InterruptPlace): Promise<void> {
  const { interruption, saver } = learn;
  if (interruption === null) return;
  const saved = saver === null ? undefined : await saver.saveInterrupted(place, interruption);
  if (saved === null) return;
  learn.cutShort = true;
  if (!interruption.rejects) throw new CancelFit(interruption.reason);
  throw interruptedError(interruption, saved);
}

/** The error of an interrupted run; `saved`: where it was saved. */
export function interruptedError({ reason, cause }: Interruption, saved?: string): InterruptedError {
  const rest = saved === undefined
    ? "nothing was saved, with a Checkpoint a fit goes on where it was"
    : `saved ${saved}; run the script again with resume: true to go on there`;
  const options = cause === undefined ? { reason } : { reason, cause };
  return new InterruptedError(`${interruptedBy(reason)}: ${rest}`, options);
}

/**
 * Throws an {@link InterruptedError} where a signal has been aborted.
 *
 * @param what What was under way, as in "validate".
 */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted !== true) return;
  throw new InterruptedError(`Cannot ${what}: its AbortSignal was aborted`, { reason: "abort", cause: signal.reason });
}

/** "Interrupted by …". */
export function interruptedBy(reason: string): string {
  const by: Readonly<Record<string, string>> = {
    SIGINT: "SIGINT",
    SIGTERM: "SIGTERM",
    abort: "its AbortSignal",
    budget: "its budget of time",
    stop: "Stop on the live page",
  } satisfies Record<InterruptReason, string>;
  return Object.hasOwn(by, reason) ? `Interrupted by ${by[reason]}` : `Interrupted (${reason})`;
}
