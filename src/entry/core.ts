/**
 * What training takes, and nothing else, for pages that load no more than they need: tensors, layers, arrays as data,
 * optimizers, schedules, learners with their policies, callbacks and checkpoints, engines. Tables, texts, images, figures of
 * several kinds, ONNX and MPI are in the main entry and in their own.
 *
 * @module
 */

// tensors
export {
  arange,
  autocast,
  backward,
  cat,
  defaultRng,
  type DeviceInfo,
  deviceStats,
  full,
  grad,
  init,
  type InitOptions,
  type Nested,
  type NestedArray,
  noGrad,
  oneHot,
  ones,
  Parameter,
  rand,
  randn,
  readAll,
  Rng,
  type RngState,
  setSeed,
  stack,
  stepInput,
  type StepInputOptions,
  Tensor,
  tensor,
  type TensorData,
  type TensorHandle,
  type TypedArray,
  type WebgpuProvider,
  where,
  zeros,
} from "../tensor/mod.ts";
export type {
  ArangeOptions,
  ArgOptions,
  AvgPoolOptions,
  AxisOptions,
  Buffer,
  ClampOptions,
  ConvOptions,
  ConvTransposeOptions,
  DtypeOptions,
  GeluOptions,
  GradOptions,
  GridSampleOptions,
  InterpolateOptions,
  JoinOptions,
  MaxPoolOptions,
  PadOptions,
  PerAxis,
  PoolOptions,
  RandomOptions,
  ReduceOptions,
  SliceRange,
  SoftplusOptions,
  TensorOptions,
  Variable,
  VarOptions,
} from "../tensor/mod.ts";
export type { DeviceStats } from "../device/contract.ts";
export type { Dtype, HostArray } from "../base/dtype.ts";
export type { Json, LayerJson } from "../base/json.ts";
export type { Shape } from "../base/shape.ts";
export * as ops from "../tensor/ops.ts";
export type {
  AnyModule,
  LoadOptions as LoadStateOptions,
  LoadReport,
  Module,
  Sequential,
  WeightInit,
} from "../nn/mod.ts";
export * as nn from "../nn/mod.ts";

// data
export type { ArrayData, BatchSource, Dataset, DatasetFacts, ItemPart, SourceEpoch } from "../data/dataset.ts";
export { DataLoader } from "../data/loader.ts";
export type { Batch, BatchTfm, Column, DataLoaderOptions, LoaderState, Shard } from "../data/loader_options.ts";
export {
  ArrayDataLoaders,
  type ArrayInputs,
  type Arrays,
  type ArraySetup,
  DataLoaders,
  type DataLoadersOptions,
  type FromArraysOptions,
  type InputsJson,
  type TestArraysOptions,
} from "../data/loaders.ts";
export type { OddNumber } from "../data/odd_numbers.ts";
export type { TargetScale } from "../data/loaders.ts";
export type { IdxArray } from "../data/idx.ts";
export { loadIdx } from "../data/readers.ts";
export { loadMnist, type Mnist, type MnistOptions } from "../data/mnist.ts";

// optimizers
export {
  Adam,
  adamStep,
  averageGrad,
  averageSqrGrad,
  type Hypers,
  type HyperValue,
  l2Reg,
  Lamb,
  Larc,
  Lookahead,
  type LookaheadOptions,
  momentumStep,
  type NumberKind,
  type OptFunc,
  Optimizer,
  type OptimizerState,
  type OptOptions,
  type ParamsLike,
  type ParamState,
  QHAdam,
  RAdam,
  ranger,
  RMSProp,
  SGD,
  sgdStep,
  type Slice,
  slice,
  type StatKind,
  type StepInfo,
  type Stepper,
  stepStat,
  type Update,
  weightDecay,
} from "../optim/mod.ts";

// schedules
export * from "./schedules.ts";

// learners and policies
export { Checkpoint, type CheckpointOptions } from "../fit/checkpoint.ts";
export { fineTune, type FineTuneOptions } from "../fit/fine_tune.ts";
export { fit, type FitCommon, type FitOptions } from "../fit/fit.ts";
export { fitFlatCos, type FlatCosOptions } from "../fit/flat_cos.ts";
export { freeze, freezeTo, unfreeze } from "../fit/freeze.ts";
export { getPreds, type GetPredsOptions, type Preds } from "../fit/get_preds.ts";
export { lrFind, type LrFindOptions, type LrFindResult, type SuggestFuncs } from "../fit/lr_find.ts";
export { LrFinder, type LrFinderOptions, LrProbe } from "../fit/lr_finder.ts";
export { fitOneCycle, type OneCycleOptions } from "../fit/one_cycle.ts";
export { ParamScheduler, type ScheduleLike } from "../fit/param_scheduler.ts";
export { predict, type PredictInput, type Prediction } from "../fit/predict.ts";
export type { LoadOptions, ModelReport, SaveOptions } from "../fit/save.ts";
export { fitSgdr, type SgdrOptions } from "../fit/sgdr.ts";
export {
  minimum,
  slide,
  type SlideOptions,
  slideWith,
  steep,
  type SuggestFunc,
  type Suggestion,
  trimCurve,
  type TrimmedCurve,
  valley,
} from "../fit/suggest.ts";
export { validate, type ValidateOptions } from "../fit/validate.ts";
export { Learner } from "../learner/learner.ts";
export {
  AccumMetric,
  type AccumMetricOptions,
  AvgLoss,
  AvgMetric,
  AvgSmoothLoss,
  batchSize,
  Callback,
  type CallbackKind,
  type CallbackLike,
  Cancel,
  CancelBackward,
  CancelBatch,
  CancelEpoch,
  CancelFit,
  CancelStep,
  CancelTrain,
  CancelValid,
  type EventName,
  EVENTS,
  type FitRecord,
  type GatheredMetric,
  type Handled,
  inDataUnit,
  type Interruption,
  type InterruptOptions,
  type InterruptPlace,
  type InterruptReason,
  type InterruptSaver,
  type Logger,
  type LossFunc,
  type LossObject,
  type LrCurve,
  Metric,
  type MetricFunc,
  type MetricLike,
  type MetricSource,
  type MetricValue,
  type Model,
  ORDER,
  type ParamGroups,
  type Peers,
  Perplexity,
  type Phase,
  type PlotLossOptions,
  Progress,
  Recorder,
  type RecorderOptions,
  type RecorderState,
  type Resumption,
  type Row,
  type RunState,
  type ScalarHistory,
  type SharedLearner,
  silentLogger,
  type Splitter,
  stdoutLogger,
  type TableView,
  type TargetUnit,
  trainableParams,
  TrainEval,
  TrainLoop,
  type TrainLoopOptions,
} from "../train/mod.ts";

// checkpoints
export { SavedState, type StateDict, type StateValue } from "../io/state_dict.ts";

// callbacks
export {
  BnFreeze,
  CollectData,
  type CollectedBatch,
  CSVLogger,
  type CsvLoggerOptions,
  CutMix,
  EarlyStopping,
  type EarlyStoppingOptions,
  FetchPreds,
  GradientAccumulation,
  GradientClip,
  type GradientClipOptions,
  InterruptCallback,
  JsonLines,
  type JsonLinesOptions,
  MixedPrecision,
  type MixedPrecisionOptions,
  MixHandler,
  type MixOptions,
  MixUp,
  type PlateauOptions,
  PlateauTracker,
  type ProjectorOptions,
  ReduceLROnPlateau,
  type ReduceLrOptions,
  SaveModel,
  type SaveModelOptions,
  ShortEpoch,
  type ShortEpochOptions,
  ShowGraph,
  type ShowGraphOptions,
  StopAfter,
  type StopAfterOptions,
  TensorBoard,
  type TensorBoardOptions,
  TerminateOnNaN,
  Tracker,
  type TrackerOptions,
  writeProjector,
} from "../callbacks/mod.ts";
export { fetchCached, type FetchOptions } from "../io/fetch_cached.ts";
export { downloadHub, type DownloadHubOptions } from "../io/hub.ts";
export type { RepoType } from "../io/hub_cache.ts";
export { type HostTensor, openSafetensors, type SafetensorsFile } from "../io/open_safetensors.ts";

// errors
export {
  AnnealError,
  CheckpointError,
  ConfigError,
  DataError,
  DeviceError,
  DisposedError,
  DistributedError,
  DtypeError,
  InterruptedError,
  type InterruptedErrorInit,
  ShapeError,
  StaleTensorError,
  WrongNumbersError,
} from "../base/errors.ts";

export {
  accuracy,
  accuracyMulti,
  errorRate,
  expRmspe,
  mae,
  mse,
  msle,
  rmse,
  topKAccuracy,
} from "../train/metrics/functions.ts";
export * from "./browser.ts";
