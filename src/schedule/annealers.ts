/**
 * Annealers: how a hyper-parameter goes from a start to an end while `pos`, the fraction of training done, goes from 0
 * to 1. The lower-case functions are the formulas; the capitalised ones give schedules, functions of `pos` alone.
 *
 * Positions are not clamped: outside [0, 1] the formulas go on.
 *
 * @example
 * ```ts
 * import { SchedCos, schedCos } from "@anneal/anneal";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(SchedCos(0, 2)(1), 2);
 * assertEquals(schedCos([0, 1], [2, 1], 1), [2, 1]); // one entry per param group
 * ```
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { broadcast, checkEnds, copyValue, evaluate, fmtSchedule, type Formula, withJson } from "./broadcast.ts";
import type { Annealer, SchedFormula, Schedule, ScheduleJson, ScheduleValue } from "./types.ts";

const lin: Formula = { name: "SchedLin", at: (s, e, p) => s + p * (e - s) };
const cos: Formula = { name: "SchedCos", at: (s, e, p) => s + (1 + Math.cos(Math.PI * (1 - p))) * (e - s) / 2 };
const no: Formula = { name: "SchedNo", at: (s) => s };
const exp: Formula = {
  name: "SchedExp",
  at: (s, e, p) => s * (e / s) ** p,
  check(start, end) {
    if (start * end > 0 || (Math.sign(start) * Math.sign(end) > 0)) return; // the product alone may underflow
    throw new ConfigError(
      `Cannot make ${fmtSchedule("SchedExp", start, end)}: start and end must have one sign and not be 0`,
    );
  },
};

/** `start + pos (end - start)`. Throws `ConfigError` on unequal lengths or values that aren't finite. */
export const schedLin: SchedFormula = broadcast(lin);

/** `start + (1 + cos(pi (1 - pos))) (end - start) / 2`: flat at both ends. Errors as {@link schedLin}. */
export const schedCos: SchedFormula = broadcast(cos);

/** `start`, always. `end` is there so that it can stand where the others do. Errors as {@link schedLin}. */
export const schedNo: SchedFormula = broadcast(no);

/** `start (end / start)^pos`. Throws `ConfigError` when start or end is 0 or their signs differ, and as {@link schedLin}. */
export const schedExp: SchedFormula = broadcast(exp);

function makeAnnealer(formula: Formula, json: (start: ScheduleValue, end: ScheduleValue) => ScheduleJson): Annealer {
  function make(start: number, end: number): Schedule<number>;
  function make(start: readonly number[], end: ScheduleValue): Schedule<number[]>;
  function make(start: ScheduleValue, end: readonly number[]): Schedule<number[]>;
  function make(start: ScheduleValue, end: ScheduleValue): Schedule;
  function make(start: ScheduleValue, end: ScheduleValue): Schedule {
    const n = checkEnds(formula, start, end);
    const s = copyValue(start), e = copyValue(end);
    return withJson((pos: number) => evaluate(formula, s, e, n, pos), () => json(copyValue(s), copyValue(e)));
  }
  return make;
}

/**
 * Straight line from `start` (at pos 0) to `end` (at pos 1), in the unit of the hyper-parameter.
 *
 * Start and end are numbers or arrays with one entry per param group; a number next to an array counts for each group.
 * Throws `ConfigError` on unequal lengths, empty arrays, or values that aren't finite.
 */
export const SchedLin: Annealer = makeAnnealer(lin, (start, end) => ({ kind: "lin", start, end }));

/**
 * Cosine curve from `start` (at pos 0) to `end` (at pos 1); flat at both ends. Arguments and errors as {@link SchedLin}.
 *
 * @see Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5
 */
export const SchedCos: Annealer = makeAnnealer(cos, (start, end) => ({ kind: "cos", start, end }));

/** Constant `start`; `end` is ignored. Arguments and errors as {@link SchedLin}. */
export const SchedNo: Annealer = makeAnnealer(no, (start, end) => ({ kind: "no", start, end }));

/**
 * Geometric curve from `start` (at pos 0) to `end` (at pos 1): equal steps of pos multiply by equal factors.
 * Arguments and errors as {@link SchedLin}; also a `ConfigError` when start or end is 0 or their signs differ.
 */
export const SchedExp: Annealer = makeAnnealer(exp, (start, end) => ({ kind: "exp", start, end }));

/**
 * `start + (end - start) pos^power`: a polynomial curve from `start` (at pos 0) to `end` (at pos 1).
 *
 * @param start Value at pos 0: a number, or one entry per param group.
 * @param end Value at pos 1.
 * @param power Exponent, at least 0; 1 is a straight line, and 0 jumps to `end` at once (0^0 = 1).
 * @throws {ConfigError} As {@link SchedLin}; also when `power` is negative or not finite.
 */
export function SchedPoly(start: number, end: number, power: number): Schedule<number>;
/** With arrays for start or end: one value per param group. */
export function SchedPoly(start: readonly number[], end: ScheduleValue, power: number): Schedule<number[]>;
/** With arrays for start or end: one value per param group. */
export function SchedPoly(start: ScheduleValue, end: readonly number[], power: number): Schedule<number[]>;
/** With start and end known at run time only. */
export function SchedPoly(start: ScheduleValue, end: ScheduleValue, power: number): Schedule;
export function SchedPoly(start: ScheduleValue, end: ScheduleValue, power: number): Schedule {
  if (!(power >= 0 && Number.isFinite(power))) {
    const what = fmtSchedule("SchedPoly", start, end);
    throw new ConfigError(`Cannot make ${what}: power must be a finite number of at least 0, got ${power}`);
  }
  const formula: Formula = { name: "SchedPoly", at: (s, e, p) => s + (e - s) * p ** power };
  return makeAnnealer(formula, (s, e) => ({ kind: "poly", start: s, end: e, power }))(start, end);
}

/**
 * Makes an annealer of your own formula: `annealer(f)(start, end)(pos)` is `f(start, end, pos)`, entry by entry for
 * arrays. Such schedules have no JSON: their `toJSON` throws `ConfigError`.
 *
 * @param f A formula of numbers.
 */
export function annealer(f: (start: number, end: number, pos: number) => number): Annealer {
  if (typeof f !== "function") {
    throw new ConfigError(`Cannot make an annealer: a function (start, end, pos) is needed, got ${typeof f}`);
  }
  const name = f.name === "" ? "annealer" : f.name;
  return makeAnnealer({ name, at: f }, () => {
    throw new ConfigError(
      `Cannot write the schedule ${name} as JSON: it is a function of your own, made by annealer()`,
    );
  });
}
