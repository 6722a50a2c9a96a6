/**
 * Errors of handlers, told with the callback and the event they happened in.
 *
 * @module
 */
import {
  AnnealError,
  CheckpointError,
  ConfigError,
  DataError,
  DeviceError,
  DisposedError,
  DtypeError,
  ShapeError,
  StaleTensorError,
} from "../base/errors.ts";

/** Errors that were told already: an error that passes through two handlers is told once. */
const told = new WeakSet<Error>();

/**
 * An error of the same class that says where it was, as in "Recorder.afterBatch", with `error` as its `cause`. An error of
 * another class comes back itself, its message extended.
 */
export function explain(error: unknown, where: string): unknown {
  if (!(error instanceof Error)) return mark(new AnnealError(`${where} threw ${String(error)}`, { cause: error }));
  if (told.has(error)) return error;
  const message = `${error.message === "" ? error.name : error.message} (in ${where})`;
  if (PLAIN.has(error.constructor)) {
    const Type = error.constructor as new (message: string, options: ErrorOptions) => Error;
    return mark(new Type(message, { cause: error }));
  }
  // another class: its constructor may take anything, and `message` may be read-only (DOMException)
  Object.defineProperty(error, "message", { value: message, configurable: true, writable: true });
  return mark(error);
}

/** Classes whose constructor takes a message and options, and nothing else. */
const PLAIN: ReadonlySet<unknown> = new Set([
  ...[Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError],
  ...[
    AnnealError,
    CheckpointError,
    ConfigError,
    DataError,
    DeviceError,
    DisposedError,
    DtypeError,
    ShapeError,
    StaleTensorError,
  ],
]);

function mark(error: Error): Error {
  told.add(error);
  return error;
}
