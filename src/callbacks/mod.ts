/**
 * Callbacks.
 *
 * @module
 */
export { BnFreeze } from "./bn_freeze.ts";
export { CollectData, type CollectedBatch } from "./collect_data.ts";
export { CSVLogger, type CsvLoggerOptions } from "./csv_logger.ts";
export { CutMix } from "./cutmix.ts";
export { EarlyStopping, type EarlyStoppingOptions } from "./early_stopping.ts";
export { FetchPreds } from "./fetch_preds.ts";
export { GradientAccumulation } from "./gradient_accumulation.ts";
export { GradientClip, type GradientClipOptions } from "./gradient_clip.ts";
export { InterruptCallback } from "./interrupt.ts";
export { JsonLines, type JsonLinesOptions } from "./json_lines.ts";
export { MCDropout, type MCDropoutOptions } from "./mc_dropout.ts";
export { MixedPrecision, type MixedPrecisionOptions } from "./mixed_precision.ts";
export { MixHandler, type MixOptions } from "./mix_handler.ts";
export { MixUp } from "./mixup.ts";
export { type ProjectorOptions, writeProjector } from "./projector.ts";
export { ReduceLROnPlateau, type ReduceLrOptions } from "./reduce_lr.ts";
export { SaveModel, type SaveModelOptions } from "./save_model.ts";
export { ShortEpoch, type ShortEpochOptions } from "./short_epoch.ts";
export { ShowGraph, type ShowGraphOptions } from "./show_graph.ts";
export { StopAfter, type StopAfterOptions } from "./stop_after.ts";
export { TensorBoard, type TensorBoardOptions } from "./tensor_board.ts";
export { TerminateOnNaN } from "./terminate_on_nan.ts";
export { type PlateauOptions, PlateauTracker } from "./plateau.ts";
export { Tracker, type TrackerOptions } from "./tracker.ts";
export { VerboseCallback } from "./verbose.ts";
export { ActivationStats, type ActivationStatsOptions, type LayerStats } from "./activation_stats.ts";
