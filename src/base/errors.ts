/**
 * The errors that Anneal throws. Each says what could not be done, with which values, by which rule, and the fix where
 * it is known: `Cannot <do what> <values>: <rule>, got <facts>`.
 *
 * @module
 */

/** Base class of every error that Anneal throws on purpose. */
export class AnnealError extends Error {
  /** The class's name. */
  override readonly name: string;

  /**
   * Makes an error.
   *
   * @param message What could not be done, why, and the fix.
   * @param options The error that caused this one, if any.
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Shapes that do not fit together, or an axis or index outside its range. */
export class ShapeError extends AnnealError {}

/** An element type that an operation does not take. */
export class DtypeError extends AnnealError {}

/** The device is missing, lost, out of memory, or mixed with another one. */
export class DeviceError extends AnnealError {}

/** An adapter that failed the self-test at its opening; the message names it and the numbers that it gets wrong. */
export class WrongNumbersError extends DeviceError {}

/** A tensor was used after `dispose()`. */
export class DisposedError extends AnnealError {}

/** A lazy tensor was realized after a parameter or buffer that it reads had been changed. */
export class StaleTensorError extends AnnealError {}

/** A checkpoint that is missing, torn, or made for something else. */
export class CheckpointError extends AnnealError {}

/** What an {@link InterruptedError} says besides its message. */
export interface InterruptedErrorInit extends ErrorOptions {
  /** What interrupted the run. */
  readonly reason?: string;
}

/**
 * A run that was stopped before its end, to go on another time; what a fit with a `Checkpoint` had done is saved. The
 * `cause` of one that an `AbortSignal` stopped is the signal's reason.
 */
export class InterruptedError extends AnnealError {
  /** What interrupted it: `"SIGINT"`, `"SIGTERM"`, `"abort"`, `"budget"`, `"stop"` (the live page), or a callback's words. */
  readonly reason: string;

  /**
   * Makes an InterruptedError.
   *
   * @param message What was interrupted, and how it goes on.
   * @param options The reason, and the error that caused this one, if any.
   */
  constructor(message: string, options: InterruptedErrorInit = {}) {
    const { reason = "", ...rest } = options;
    super(message, rest);
    this.reason = reason;
  }
}

/** Input data that is empty, malformed or out of range. */
export class DataError extends AnnealError {}

/** An option or argument that makes no sense. */
export class ConfigError extends AnnealError {}

/** Another process of a run on several died or failed, or the processes do not agree. */
export class DistributedError extends AnnealError {}

// by name in messages and from worker to page, whatever a bundler calls the classes
const CLASSES = {
  AnnealError,
  ShapeError,
  DtypeError,
  DeviceError,
  WrongNumbersError,
  DisposedError,
  StaleTensorError,
  CheckpointError,
  InterruptedError,
  DataError,
  ConfigError,
  DistributedError,
};
for (const [value, Class] of Object.entries(CLASSES)) Object.defineProperty(Class, "name", { value });
