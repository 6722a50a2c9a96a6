/**
 * What a recorder is told, and what it remembers.
 *
 * @module
 */
import type { FitRecord } from "./fit_record.ts";

/** Options of `Recorder`. */
export interface RecorderOptions {
  /** Whether rows have the epoch's time; true by default. */
  readonly addTime?: boolean;
  /** Whether metrics are computed on training batches too; false by default. */
  readonly trainMetrics?: boolean;
  /** Whether loss and metrics of the validation set are recorded; true by default. */
  readonly validMetrics?: boolean;
  /** Smoothing of the training loss; 0.98 by default. */
  readonly beta?: number;
}

/** Options of `Recorder.plotLoss`. */
export interface PlotLossOptions {
  /** Steps in front that are not shown; 5 by default, none where there are no more than 10. */
  readonly skipStart?: number;
  /** Whether validation losses are shown; true by default. */
  readonly withValid?: boolean;
  /** Whether both axes are logarithmic; false by default. */
  readonly log?: boolean;
  /** Whether a line stands at the end of each epoch; false by default. */
  readonly showEpochs?: boolean;
}

/** A recorder's memory, for going back to it. */
export interface RecorderState {
  /** The last fit. */
  readonly now: FitRecord;
  /** Fits before. */
  readonly history: readonly FitRecord[];
  /** State of the smoothing. */
  readonly smooth: { average: number; count: number };
}
