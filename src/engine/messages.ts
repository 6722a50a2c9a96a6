/**
 * What a page and its engine tell each other; all of it can be cloned.
 *
 * @module
 */
import * as errors from "../base/errors.ts";
import type { TableView } from "../train/mod.ts";

/** From the page. */
export type ToEngine =
  | { readonly kind: "run"; readonly id: number; readonly task: string; readonly argument: unknown }
  | { readonly kind: "abort"; readonly id: number; readonly reason: unknown }
  | { readonly kind: "message"; readonly data: unknown };

/** From the engine. */
export type FromEngine =
  | { readonly kind: "ready"; readonly tasks: readonly string[] }
  | { readonly kind: "done"; readonly id: number; readonly result: unknown }
  | { readonly kind: "failed"; readonly id: number; readonly error: ErrorText }
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "status"; readonly text: string }
  | { readonly kind: "table"; readonly view: TableView }
  | { readonly kind: "message"; readonly data: unknown };

/** An error as text: a clone would lose its class. */
export interface ErrorText {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** Of an `InterruptedError`: what interrupted the run. */
  readonly reason?: string;
}

/** Takes an error apart. */
export function textOfError(error: unknown): ErrorText {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), stack: "" };
  const { name, message, stack = "" } = error;
  return { name, message, stack, ...(error instanceof errors.InterruptedError ? { reason: error.reason } : {}) };
}

/** Puts it together again, of the class that it had, if it is the package's own. */
export function errorOfText({ name, message, stack, reason }: ErrorText): Error {
  const Class = Object.entries(errors).find(([key]) => key === name)?.[1] as
    | (new (message: string, init?: { reason: string }) => Error)
    | undefined;
  const error = Class === undefined
    ? new Error(message)
    : reason === undefined
    ? new Class(message)
    : new Class(message, { reason });
  if (Class === undefined) error.name = name;
  error.stack = `${stack}\n  in the engine, called by\n${error.stack ?? ""}`;
  return error;
}
