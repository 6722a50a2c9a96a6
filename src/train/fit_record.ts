/**
 * What is kept of one fit.
 *
 * @module
 */
import type { MetricValue } from "./metric.ts";
import type { Phase } from "./train_loop.ts";

/** An epoch's numbers by name; null where there is none. */
export type Row = Readonly<Record<string, MetricValue>>;

/** A probe of the learning-rate finder: smoothed losses by learning rate. */
export interface LrCurve {
  readonly lrs: readonly number[];
  readonly losses: readonly number[];
  /** Suggestions as points of the curve, by the suggestion function's name. */
  readonly points: Readonly<Record<string, readonly [lr: number, loss: number]>>;
  /** Why there is no suggestion, by the suggestion function's name. */
  readonly reasons: Readonly<Record<string, string>>;
}

/** What the recorder keeps of one fit; see `Recorder` for the fields. */
export interface FitRecord {
  readonly phase: Phase;
  readonly rows: Row[];
  readonly values: (readonly MetricValue[])[];
  readonly lrs: number[];
  readonly losses: number[];
  readonly rawLosses: number[];
  readonly iters: number[];
  hps: Readonly<Record<string, readonly number[]>>;
  metricNames: readonly string[];
}

/** An empty record. */
export function newFitRecord(phase: Phase): FitRecord {
  return { phase, rows: [], values: [], lrs: [], losses: [], rawLosses: [], iters: [], hps: {}, metricNames: [] };
}
