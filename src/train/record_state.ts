/**
 * What was recorded of fits, as plain data.
 *
 * @module
 */
import { CheckpointError } from "../base/errors.ts";
import { isDict, type SavedState, type StateDict, type StateValue } from "../io/state_dict.ts";
import type { FitRecord, LrCurve, Row } from "./fit_record.ts";
import type { MetricValue } from "./metric.ts";
import type { Phase } from "./options.ts";

const PHASES: readonly Phase[] = ["idle", "fit", "frozen", "unfrozen", "probe", "eval", "predict"];

/** One fit's record as plain data. */
export function saveRecord(record: FitRecord): StateDict {
  const { phase, rows, values, lrs, losses, rawLosses, iters, skipped, hps, metricNames } = record;
  return {
    phase,
    rows: rows.map((row) => ({ names: Object.keys(row), values: Object.values(row) })),
    values,
    lrs,
    losses,
    rawLosses,
    iters,
    skipped,
    hps: hps,
    metricNames,
  };
}

/** What {@link saveRecord} gave, as a record. */
export function loadRecord(state: SavedState): FitRecord {
  const phase = PHASES.find((p) => p === state.string("phase"));
  if (phase === undefined) throw new CheckpointError(`Cannot restore a record of a fit: it has no phase`);
  const hps = state.state("hps");
  return {
    phase,
    rows: state.states("rows").map(rowOf),
    values: state.values("values").map((v) => metricValues(v)),
    lrs: state.numbers("lrs"),
    losses: state.numbers("losses"),
    rawLosses: state.numbers("rawLosses"),
    iters: state.numbers("iters"),
    skipped: state.has("skipped") ? state.count("skipped") : 0,
    hps: named(hps.names.map((name) => [name, hps.numbers(name)])),
    metricNames: state.strings("metricNames"),
  };
}

/** The learning-rate finder's curve as plain data. */
export function saveCurve({ lrs, losses, suggestions, points, reasons }: LrCurve): StateDict {
  return { lrs, losses, suggestions, points, reasons };
}

/** What {@link saveCurve} gave, as a curve. */
export function loadCurve(state: SavedState): LrCurve {
  const points = state.state("points"), reasons = state.state("reasons"), found = state.state("suggestions");
  return {
    suggestions: named(found.names.map((name) => [name, found.number(name)])),
    lrs: state.numbers("lrs"),
    losses: state.numbers("losses"),
    points: named(points.names.map((name) => {
      const [lr, loss] = points.numbers(name);
      return [name, [lr, loss] as const];
    })),
    reasons: named(reasons.names.map((name) => [name, reasons.string(name)])),
  };
}

/** Names and values apart: a metric may have any name. */
function rowOf(state: SavedState): Row {
  const values = metricValues(state.values("values"));
  return named(state.strings("names").map((name, i) => [name, values[i] ?? null]));
}

function metricValues(value: StateValue): MetricValue[] {
  const list: readonly StateValue[] = value instanceof Float64Array ? [...value] : Array.isArray(value) ? value : [];
  return list.map((v) => {
    if (v === null || typeof v === "number") return v;
    throw new CheckpointError(`Cannot restore a row of a fit: it holds ${isDict(v) ? "a state" : typeof v}`);
  });
}

/** A record whose names are its own, whatever they are. */
function named<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  return Object.fromEntries(entries);
}
