/**
 * Formulas of numbers applied to numbers or to arrays of them, one entry per param group.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { shown } from "../base/options.ts";
import type { SchedFormula, ScheduleJson, ScheduleValue } from "./types.ts";

/** A formula of numbers, and what must hold of each pair of start and end. */
export interface Formula {
  /** The name users know it by, for errors. */
  readonly name: string;
  /** The value at `pos`. */
  readonly at: (start: number, end: number, pos: number) => number;
  /** Throws `ConfigError` when the formula has no value for this pair. */
  readonly check?: (start: number, end: number) => void;
}

function fmt(value: ScheduleValue): string {
  return Array.isArray(value) ? `[${value.join(", ")}]` : shown(value);
}

/** `name(start, end)` for errors. */
export function fmtSchedule(name: string, start: ScheduleValue, end: ScheduleValue): string {
  return `${name}(${fmt(start)}, ${fmt(end)})`;
}

function checkNumbers(what: string, side: "start" | "end", value: ScheduleValue): void {
  const numbers = typeof value === "number" ? [value] : value;
  if (!Array.isArray(numbers)) {
    throw new ConfigError(`Cannot make ${what}: ${side} must be a number or an array of numbers, got ${typeof value}`);
  }
  if (numbers.length === 0) throw new ConfigError(`Cannot make ${what}: ${side} must not be empty`);
  const bad = numbers.find((x) => !Number.isFinite(x));
  if (bad !== undefined) throw new ConfigError(`Cannot make ${what}: ${side} must be finite, got ${bad}`);
}

/** The number of param groups that `start` and `end` are for, null for plain numbers; throws `ConfigError` if they don't fit. */
export function checkEnds(formula: Formula, start: ScheduleValue, end: ScheduleValue): number | null {
  const what = fmtSchedule(formula.name, start, end);
  checkNumbers(what, "start", start);
  checkNumbers(what, "end", end);
  const a = typeof start === "number" ? null : start.length, b = typeof end === "number" ? null : end.length;
  if (a !== null && b !== null && a !== b) {
    throw new ConfigError(`Cannot make ${what}: start and end must have one length, got ${a} and ${b}`);
  }
  const n = a ?? b;
  for (let i = 0; i < (n ?? 1); i++) formula.check?.(pick(start, i), pick(end, i));
  return n;
}

function pick(value: ScheduleValue, i: number): number {
  return typeof value === "number" ? value : value[i];
}

/** The formula at `pos`, entry by entry when there are `n` param groups. */
export function evaluate(
  formula: Formula,
  start: ScheduleValue,
  end: ScheduleValue,
  n: number | null,
  pos: number,
): number | number[] {
  if (n === null) return formula.at(pick(start, 0), pick(end, 0), pos);
  return Array.from({ length: n }, (_, i) => formula.at(pick(start, i), pick(end, i), pos));
}

/** The three-argument function of users over a formula of numbers. */
export function broadcast(formula: Formula): SchedFormula {
  function at(start: number, end: number, pos: number): number;
  function at(start: readonly number[], end: ScheduleValue, pos: number): number[];
  function at(start: ScheduleValue, end: readonly number[], pos: number): number[];
  function at(start: ScheduleValue, end: ScheduleValue, pos: number): number | number[];
  function at(start: ScheduleValue, end: ScheduleValue, pos: number): number | number[] {
    return evaluate(formula, start, end, checkEnds(formula, start, end), pos);
  }
  return at;
}

/** Own copy of a value, so that a caller's later edits change nothing. */
export function copyValue(value: ScheduleValue): ScheduleValue {
  return typeof value === "number" ? value : [...value];
}

/** Adds `toJSON` to a function of the position. */
export function withJson<F extends (pos: number) => ScheduleValue>(
  at: F,
  toJSON: () => ScheduleJson,
): F & { toJSON(): ScheduleJson } {
  return Object.assign(at, { toJSON });
}
