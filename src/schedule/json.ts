/**
 * Schedules from plain data.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { SchedCos, SchedExp, SchedLin, SchedNo, SchedPoly } from "./annealers.ts";
import { combineScheds } from "./combine.ts";
import type { Schedule, ScheduleJson, ScheduleValue } from "./types.ts";

const annealers = { lin: SchedLin, cos: SchedCos, no: SchedNo, exp: SchedExp } as const;

function isRecord(x: unknown): x is Record<string, unknown> {
  return typeof x === "object" && x !== null && !Array.isArray(x);
}

function isNumbers(x: unknown): x is readonly number[] {
  return Array.isArray(x) && x.every((entry) => typeof entry === "number");
}

function value(x: unknown, kind: string, name: "start" | "end"): ScheduleValue {
  if (typeof x === "number" || isNumbers(x)) return x;
  throw new ConfigError(
    `Cannot read a schedule of kind ${kind}: ${name} must be a number or an array of numbers, got ${JSON.stringify(x)}`,
  );
}

/**
 * The schedule that `JSON.stringify` wrote: `schedFromJson(JSON.parse(JSON.stringify(sched)))` gives the same values.
 *
 * @param json What `JSON.parse` gave.
 * @throws {ConfigError} If it is no schedule, naming the field.
 */
export function schedFromJson(json: ScheduleJson): Schedule;
/** From data whose form isn't known yet. */
export function schedFromJson(json: unknown): Schedule;
export function schedFromJson(json: unknown): Schedule {
  const kind = isRecord(json) ? json.kind : undefined;
  if (!isRecord(json) || typeof kind !== "string") {
    throw new ConfigError(`Cannot read a schedule: an object with a kind is needed, got ${JSON.stringify(json)}`);
  }
  if (kind === "combined") {
    const { pcts, scheds } = json;
    if (!isNumbers(pcts) || !Array.isArray(scheds)) {
      throw new ConfigError("Cannot read a schedule of kind combined: pcts and scheds must be arrays");
    }
    return combineScheds(pcts, scheds.map((sched) => schedFromJson(sched)));
  }
  if (kind === "poly") {
    const { power } = json;
    if (typeof power !== "number") throw new ConfigError("Cannot read a schedule of kind poly: power must be a number");
    return SchedPoly(value(json.start, kind, "start"), value(json.end, kind, "end"), power);
  }
  if (kind === "lin" || kind === "cos" || kind === "no" || kind === "exp") {
    return annealers[kind](value(json.start, kind, "start"), value(json.end, kind, "end"));
  }
  throw new ConfigError(
    `Cannot read a schedule of kind ${JSON.stringify(kind)}: it must be lin, cos, no, exp, poly or combined`,
  );
}
