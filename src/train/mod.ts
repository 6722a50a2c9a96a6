/**
 * The training loop: events, callbacks, the recorder and metrics.
 *
 * @module
 */
export { AccumMetric, type AccumMetricOptions } from "./accum_metric.ts";
export { AvgLoss, AvgMetric, AvgSmoothLoss, batchSize, GatheredMetric, Perplexity, perplexity } from "./avg_metric.ts";
export { barText } from "./bar.ts";
export { Callback, type CallbackKind, type CallbackLike } from "./callback.ts";
export {
  Cancel,
  CancelBackward,
  CancelBatch,
  CancelEpoch,
  CancelFit,
  CancelStep,
  CancelTrain,
  CancelValid,
} from "./cancel.ts";
export {
  interruptedBy,
  interruptedError,
  type Interruption,
  type InterruptOptions,
  type InterruptPlace,
  type InterruptReason,
  type InterruptSaver,
  throwIfAborted,
} from "./interruption.ts";
export { type EventName, EVENTS, type Handled } from "./events.ts";
export type { FitRecord, LrCurve, Row } from "./fit_record.ts";
export { gatherRows, joinRows } from "./join_rows.ts";
export { lateParts } from "./late_parts.ts";
export { type Logger, setDefaultLogger, silentLogger, stdoutLogger, type TableView } from "./logger.ts";
export { computeLoss, itemLosses, type LossFunc, type LossObject, tellsItems } from "./loss_func.ts";
export { Metric, type MetricFunc, type MetricLike, type MetricValue } from "./metric.ts";
export {
  accuracy,
  accuracyMulti,
  APScoreBinary,
  type Average,
  AveragedScore,
  BalancedAccuracy,
  type ClassAxisOptions,
  ClassMetric,
  type ClassScoreOptions,
  CohenKappa,
  type Confusion,
  type Counts,
  Dice,
  DiceMulti,
  errorRate,
  ExplainedVariance,
  ExpRmspe,
  expRmspe,
  F1Score,
  F1ScoreMulti,
  FBeta,
  foregroundAcc,
  type ForegroundOptions,
  HammingLoss,
  HammingLossMulti,
  Jaccard,
  JaccardCoeff,
  JaccardCoeffMulti,
  JaccardMulti,
  type KappaOptions,
  mae,
  MaskScore,
  MatthewsCorrCoef,
  mse,
  msle,
  type MultiOptions,
  MultiScore,
  type MultiScoreOptions,
  PearsonCorrCoef,
  Precision,
  PrecisionMulti,
  R2Score,
  Recall,
  RecallMulti,
  RegressionScore,
  Rmse,
  rmse,
  RocAuc,
  RocAucBinary,
  RocAucMulti,
  type Rows,
  smallerIsBetter,
  SpearmanCorrCoef,
  toMetrics,
  topKAccuracy,
  type TopKOptions,
  WholeSet,
} from "./metrics/mod.ts";
export { refuseNested, type Resumption } from "./run.ts";
export { snakeCase } from "./names.ts";
export { ORDER } from "./order.ts";
export type { MetricSource } from "./metric_source.ts";
export type { GradAverager, Peers, SharedLearner } from "./peers.ts";
export { Progress } from "./progress.ts";
export { Recorder } from "./recorder.ts";
export type { PlotLossOptions, RecorderOptions, RecorderState } from "./recorder_options.ts";
export { costsTheReport, leaveOut, reasonOf, tell } from "./reporting.ts";
export { Output } from "./output.ts";
export { ScalarHistory } from "./scalar_history.ts";
export { Smooth } from "./smooth.ts";
export { formatTime } from "./table.ts";
export { inDataUnit, lossInDataUnit, type TargetUnit } from "./target_scale.ts";
export { TrainEval } from "./train_eval.ts";
export {
  checkData,
  checkSettings,
  learnerOptions,
  type Model,
  type ParamGroups,
  type Phase,
  type Splitter,
  trainableParams,
  type TrainLoopOptions,
} from "./options.ts";
export type { RunState } from "./run_state.ts";
export { TrainLoop } from "./train_loop.ts";
