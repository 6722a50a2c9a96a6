/**
 * The training loop: events, callbacks, the recorder and metrics.
 *
 * @module
 */
export { AccumMetric, type AccumMetricOptions } from "./accum_metric.ts";
export { AvgLoss, AvgMetric, AvgSmoothLoss, batchSize, GatheredMetric, Perplexity } from "./avg_metric.ts";
export { Callback, type CallbackKind, type CallbackLike, type Handled } from "./callback.ts";
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
export { type EventName, EVENTS } from "./events.ts";
export type { FitRecord, LrCurve, Row } from "./fit_record.ts";
export { joinRows } from "./join_rows.ts";
export { type Logger, silentLogger, stdoutLogger } from "./logger.ts";
export { computeLoss, type LossFunc, type LossObject } from "./loss_func.ts";
export { Metric, type MetricFunc, type MetricLike, type MetricValue } from "./metric.ts";
export {
  accuracy,
  accuracyMulti,
  type ClassAxisOptions,
  errorRate,
  ExpRmspe,
  expRmspe,
  mae,
  mse,
  msle,
  type MultiOptions,
  Rmse,
  rmse,
  toMetrics,
  topKAccuracy,
  type TopKOptions,
} from "./metrics.ts";
export { refuseNested } from "./run.ts";
export { snakeCase } from "./names.ts";
export { ORDER } from "./order.ts";
export { Progress } from "./progress.ts";
export { type PlotLossOptions, Recorder, type RecorderOptions, type RecorderState } from "./recorder.ts";
export { ScalarHistory } from "./scalar_history.ts";
export { Smooth } from "./smooth.ts";
export { formatTime } from "./table.ts";
export { TrainEval } from "./train_eval.ts";
export {
  type Model,
  type ParamGroups,
  type Phase,
  type Splitter,
  trainableParams,
  TrainLoop,
  type TrainLoopOptions,
} from "./train_loop.ts";
