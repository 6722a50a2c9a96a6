/**
 * Schedules one after the other.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { SchedCos } from "./annealers.ts";
import { checkArgument, other } from "../base/options.ts";
import { withJson } from "./broadcast.ts";
import type { Schedule, ScheduleFunc, ScheduleJson, ScheduleValue } from "./types.ts";

const TOLERANCE = 1e-9; // of the sum of pcts, and of a position that counts as on a boundary

/** Boundaries `[0, ..., 1]` of segments with these lengths. */
function boundaries(pcts: readonly number[], nScheds: number): number[] {
  checkArgument("combine schedules", "pcts", pcts, other("an array of numbers", Array.isArray));
  const what = `Cannot combine schedules over [${pcts.join(", ")}]`;
  if (pcts.length === 0) throw new ConfigError("Cannot combine schedules: at least one is needed, got none");
  if (pcts.length !== nScheds) {
    throw new ConfigError(`${what}: one pct per schedule is needed, got ${pcts.length} pcts and ${nScheds} schedules`);
  }
  const bad = pcts.find((pct) => !(pct >= 0));
  if (bad !== undefined) throw new ConfigError(`${what}: each pct must be at least 0, got ${bad}`);
  const total = pcts.reduce((sum, pct) => sum + pct, 0);
  if (!(Math.abs(total - 1) <= TOLERANCE)) throw new ConfigError(`${what}: pcts must add up to 1, got ${total}`);
  const bounds = [0];
  let sum = 0;
  for (const pct of pcts) bounds.push((sum += pct) / total);
  bounds[pcts.length] = 1;
  return bounds;
}

/** The segment that holds `pos`, and the position inside it. A boundary belongs to the later segment. */
function locate(bounds: readonly number[], pos: number): { index: number; local: number } {
  if (!(pos >= -TOLERANCE && pos <= 1 + TOLERANCE)) {
    throw new ConfigError(`Cannot evaluate a combined schedule at ${pos}: the position must be in [0, 1]`);
  }
  let index = bounds.length - 2;
  while (index > 0 && pos < bounds[index] - TOLERANCE) index--;
  const from = bounds[index], to = bounds[index + 1];
  if (pos >= 1 - TOLERANCE) return { index, local: 1 }; // also where the last segment has no length
  return { index, local: Math.abs(pos - from) <= TOLERANCE ? 0 : (pos - from) / (to - from) };
}

/**
 * Joins schedules: the i-th is run, over its whole [0, 1], in the i-th part of training.
 *
 * A position on a boundary (within 1e-9) belongs to the later part; parts without length are skipped, but at position 1
 * the last schedule always answers, with its end.
 *
 * @param pcts Length of each part, at least 0; they add up to 1 within 1e-9 and are scaled to do so exactly.
 * @param scheds As many schedules, or functions of the position.
 * @throws {ConfigError} On unequal lengths, a negative pct, a wrong sum; later, when called outside [0, 1] or with NaN.
 *
 * @example
 * ```ts
 * import { combineScheds, SchedCos } from "@anneal/anneal";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const sched = combineScheds([0.3, 0.7], [SchedCos(0.3, 0.6), SchedCos(0.6, 0.2)]);
 * assertAlmostEquals(sched(0.3), 0.6);
 * ```
 */
export function combineScheds<V extends ScheduleValue>(
  pcts: readonly number[],
  scheds: readonly ScheduleFunc<V>[],
): Schedule<V>;
/** With numbers and arrays mixed. */
export function combineScheds(pcts: readonly number[], scheds: readonly ScheduleFunc[]): Schedule;
export function combineScheds(pcts: readonly number[], scheds: readonly ScheduleFunc[]): Schedule {
  const bounds = boundaries(pcts, scheds.length), lengths = [...pcts], parts = [...scheds];
  return withJson(
    (pos: number) => {
      const { index, local } = locate(bounds, pos);
      return parts[index](local);
    },
    (): ScheduleJson => ({ kind: "combined", pcts: [...lengths], scheds: parts.map(toJson) }),
  );
}

function toJson(sched: ScheduleFunc | Schedule): ScheduleJson {
  if ("toJSON" in sched) return sched.toJSON();
  throw new ConfigError("Cannot write a combined schedule as JSON: one of its parts is a function of your own");
}

/**
 * Cosine from `start` to `middle` over the first `pct` of training, then cosine from `middle` to `end`.
 *
 * @param pct Length of the first part, in [0, 1].
 * @param start Value at pos 0; like the others a number, or one entry per param group.
 * @param middle Value at pos `pct`.
 * @param end Value at pos 1.
 * @throws {ConfigError} When `pct` is outside [0, 1], and as {@link SchedCos} and {@link combineScheds}.
 */
export function combinedCos(pct: number, start: number, middle: number, end: number): Schedule<number>;
/** With arrays: one value per param group. */
export function combinedCos(
  pct: number,
  start: readonly number[],
  middle: readonly number[],
  end: readonly number[],
): Schedule<number[]>;
/** With numbers and arrays mixed. */
export function combinedCos(pct: number, start: ScheduleValue, middle: ScheduleValue, end: ScheduleValue): Schedule;
export function combinedCos(pct: number, start: ScheduleValue, middle: ScheduleValue, end: ScheduleValue): Schedule {
  if (!(pct >= 0 && pct <= 1)) {
    throw new ConfigError(`Cannot combine two cosines: pct must be in [0, 1], got ${pct}`);
  }
  const n = groupsOf([start, middle, end]);
  const [s, m, e] = [start, middle, end].map((v) => n === null || typeof v !== "number" ? v : Array(n).fill(v));
  return combineScheds([pct, 1 - pct], [SchedCos(s, m), SchedCos(m, e)]);
}

/** Length of the first array, null if all are numbers: both halves must give as many values. */
function groupsOf(values: readonly ScheduleValue[]): number | null {
  for (const value of values) if (typeof value !== "number") return value.length;
  return null;
}
