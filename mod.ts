/**
 * Anneal trains neural networks with fastai's policies, on any GPU that WebGPU reaches and on the CPU.
 *
 * @example A training run
 * ```ts
 * import { accuracy, DataLoaders, Learner, nn, randn, Rng } from "@anneal/anneal";
 *
 * const x = randn([512, 8], { rng: new Rng(1) }), xValid = randn([128, 8], { rng: new Rng(2) });
 * const label = (t: typeof x) => t.sum({ axis: 1 }).gt(0).cast("i32"); // 1 where the numbers add up to more than 0
 * const dls = DataLoaders.fromArrays({ x, y: label(x), xValid, yValid: label(xValid) }, { bs: 64, seed: 42 });
 *
 * const model = new nn.Sequential(new nn.Linear(8, 32), new nn.ReLU(), new nn.Linear(32, 2));
 * const learn = new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss(), metrics: [accuracy] });
 *
 * const { valley } = await learn.lrFind();
 * await learn.fitOneCycle(3, { lrMax: valley });
 * console.log(learn.recorder.rows.at(-1)); // { epoch: 2, train_loss: …, valid_loss: …, accuracy: …, time: … }
 * ```
 *
 * @module
 */

// tensors
export {
  arange,
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
  Tensor,
  tensor,
  type TensorData,
  type TypedArray,
  where,
  zeros,
} from "./src/tensor/mod.ts";
export type {
  ArangeOptions,
  ArgOptions,
  AxisOptions,
  Buffer,
  ClampOptions,
  DtypeOptions,
  GeluOptions,
  GradOptions,
  GridSampleOptions,
  InterpolateOptions,
  JoinOptions,
  PadOptions,
  RandomOptions,
  ReduceOptions,
  SliceRange,
  SoftplusOptions,
  TensorOptions,
  Variable,
  VarOptions,
} from "./src/tensor/mod.ts";
export type { DeviceStats } from "./src/device/contract.ts";
export type { Dtype } from "./src/base/dtype.ts";
export type { Shape } from "./src/base/shape.ts";
export * as ops from "./src/tensor/ops.ts";
export type { AnyModule, LoadOptions as LoadStateOptions, LoadReport, Module } from "./src/nn/mod.ts";
export * as nn from "./src/nn/mod.ts";

// data
export {
  type ArrayData,
  type Arrays,
  type Batch,
  type Column,
  DataLoader,
  type DataLoaderOptions,
  DataLoaders,
  type DataLoadersOptions,
  type Dataset,
  type FromArraysOptions,
  type ItemPart,
  type LoaderState,
} from "./src/data/mod.ts";
export { loadMnist, type Mnist } from "./src/data/mnist.ts";

// optimizers
export {
  Adam,
  type Hypers,
  type HyperValue,
  Lamb,
  Larc,
  Lookahead,
  type LookaheadOptions,
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
  type Slice,
  slice,
  type Stepper,
  type Update,
} from "./src/optim/mod.ts";

// schedules
export {
  type Annealer,
  annealer,
  combinedCos,
  combineScheds,
  SchedCos,
  schedCos,
  SchedExp,
  schedExp,
  type SchedFormula,
  schedFromJson,
  SchedLin,
  schedLin,
  SchedNo,
  schedNo,
  SchedPoly,
  type Schedule,
  type ScheduleFunc,
  type ScheduleJson,
  type ScheduleValue,
} from "./src/schedule/mod.ts";

// learners and policies
export {
  fineTune,
  type FineTuneOptions,
  fit,
  type FitCommon,
  fitFlatCos,
  fitOneCycle,
  type FitOptions,
  fitSgdr,
  type FlatCosOptions,
  freeze,
  freezeTo,
  getPreds,
  type GetPredsOptions,
  Learner,
  type LoadOptions,
  lrFind,
  LrFinder,
  type LrFinderOptions,
  type LrFindOptions,
  type LrFindResult,
  LrProbe,
  minimum,
  type OneCycleOptions,
  ParamScheduler,
  predict,
  type Prediction,
  type Preds,
  type SaveOptions,
  type ScheduleLike,
  type SgdrOptions,
  slide,
  type SlideOptions,
  slideWith,
  steep,
  type SuggestFunc,
  type SuggestFuncs,
  type Suggestion,
  trimCurve,
  type TrimmedCurve,
  unfreeze,
  validate,
  type ValidateOptions,
  valley,
} from "./src/fit/mod.ts";
export {
  AccumMetric,
  type AccumMetricOptions,
  accuracy,
  accuracyMulti,
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
  type ClassAxisOptions,
  errorRate,
  type EventName,
  EVENTS,
  ExpRmspe,
  expRmspe,
  type FitRecord,
  type GatheredMetric,
  type Handled,
  type Logger,
  type LossFunc,
  type LossObject,
  type LrCurve,
  mae,
  Metric,
  type MetricFunc,
  type MetricLike,
  type MetricValue,
  type Model,
  mse,
  msle,
  type MultiOptions,
  ORDER,
  type ParamGroups,
  Perplexity,
  type Phase,
  type PlotLossOptions,
  Progress,
  Recorder,
  type RecorderOptions,
  type RecorderState,
  Rmse,
  rmse,
  type Row,
  type ScalarHistory,
  silentLogger,
  type Splitter,
  stdoutLogger,
  topKAccuracy,
  type TopKOptions,
  trainableParams,
  TrainEval,
  TrainLoop,
  type TrainLoopOptions,
} from "./src/train/mod.ts";

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
  MixHandler,
  type MixOptions,
  MixUp,
  ReduceLROnPlateau,
  type ReduceLrOptions,
  SaveModel,
  type SaveModelOptions,
  ShortEpoch,
  type ShortEpochOptions,
  ShowGraph,
  type ShowGraphOptions,
  TerminateOnNaN,
  Tracker,
  type TrackerOptions,
} from "./src/callbacks/mod.ts";

// plots
export {
  Figure,
  type ImagePanel,
  type Line,
  type LinePanel,
  type Marker,
  type Panel,
  type PixelImage,
  plotImages,
  type PlotImagesOptions,
  plotLines,
  type PlotLinesOptions,
  plotSchedules,
  type SeriesData,
  sideBySide,
  type SideBySideOptions,
} from "./src/plot/mod.ts";

// errors
export {
  AnnealError,
  CheckpointError,
  ConfigError,
  DataError,
  DeviceError,
  DisposedError,
  DtypeError,
  ShapeError,
  StaleTensorError,
} from "./src/base/errors.ts";
