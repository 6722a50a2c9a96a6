/**
 * What is kept of one fit.
 *
 * @module
 */
import type { MetricValue } from "./metric.ts";
import type { Phase } from "./options.ts";

/** An epoch's numbers by name; null where there is none. */
export type Row = Readonly<Record<string, MetricValue>>;

/** A probe of the learning-rate finder: smoothed losses by learning rate. */
export interface LrCurve {
  /** Learning rates. */
  readonly lrs: readonly number[];
  /** Smoothed losses. */
  readonly losses: readonly number[];
  /** What is suggested, by the suggestion function's name. */
  readonly suggestions: Readonly<Record<string, number>>;
  /** The points of the curve that suggestions were read off, by name: that of `minimum` is ten times its suggestion. */
  readonly points: Readonly<Record<string, readonly [lr: number, loss: number]>>;
  /** Why there is no suggestion, by the suggestion function's name. */
  readonly reasons: Readonly<Record<string, string>>;
}

/** What the recorder keeps of one fit; see `Recorder` for the fields. */
export interface FitRecord {
  /** What kind of fit it was. */
  readonly phase: Phase;
  /** One row an epoch, by name. */
  readonly rows: Row[];
  /** The same by position. */
  readonly values: (readonly MetricValue[])[];
  /** Learning rates. */
  readonly lrs: number[];
  /** Smoothed losses. */
  readonly losses: number[];
  /** The batches' own losses. */
  readonly rawLosses: number[];
  /** Training batches up to the end of each epoch. */
  readonly iters: number[];
  /** Steps that `MixedPrecision` skipped. */
  skipped: number;
  /** Scheduled hyper-parameters, step by step. */
  hps: Readonly<Record<string, readonly number[]>>;
  /** Names of the columns. */
  metricNames: readonly string[];
}

/** An empty record. */
export function newFitRecord(phase: Phase): FitRecord {
  return {
    phase,
    rows: [],
    values: [],
    lrs: [],
    losses: [],
    rawLosses: [],
    iters: [],
    skipped: 0,
    hps: {},
    metricNames: [],
  };
}
