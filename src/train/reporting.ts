/**
 * Callbacks that only report: what goes wrong in one costs its report, never the run.
 *
 * @module
 */
import { AnnealError, CheckpointError, DeviceError } from "../base/errors.ts";
import type { Callback } from "./callback.ts";
import { Cancel } from "./cancel.ts";
import type { Logger } from "./logger.ts";
import { complain } from "./output.ts";

/** Callbacks that failed, and are left out until the next fit begins. */
const failed = new WeakSet<Callback>();

/** Whether `cb` is left out of the fit under way. */
export function leftOut(cb: Callback): boolean {
  return failed.has(cb);
}

/** A fit begins: `cb` gets another chance. */
export function takeIn(cb: Callback): void {
  failed.delete(cb);
}

/**
 * Whether an error in `cb` is no more than a report that is missing. Cancels are decisions, faults of the device are the
 * run's own, and a checkpoint that can't be read is for whoever resumes.
 */
export function costsTheReport(cb: Callback, error: unknown): boolean {
  return cb.reportsOnly &&
    !(error instanceof Cancel || error instanceof DeviceError || error instanceof CheckpointError);
}

/** Says what is missing from now on, and leaves `cb` out until the next fit begins. */
export function leaveOut(cb: Callback, where: string, error: unknown, logger: Logger): void {
  if (failed.has(cb)) return; // several of its handlers were under way
  failed.add(cb);
  tell(logger, `${cb.name} stopped in ${where}, and the run goes on without it: ${reasonOf(error)}`);
}

/** Writes a line to a logger; where that fails, to standard error. */
export function tell(logger: Logger, text: string): void {
  try {
    logger.line(text);
  } catch {
    complain(text);
  }
}

/** Why something failed, in a line. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [first] = error.message.split("\n");
  if (first === "") return error.name;
  return error instanceof AnnealError || error.name === "Error" ? first : `${error.name}: ${first}`;
}
