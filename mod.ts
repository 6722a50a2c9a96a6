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
 * Parts that not every script needs have entry points of their own: `@anneal/anneal/vision`, `/plot`, `/metrics`,
 * `/schedules`, `/distrib`, `/interop`, `/live`, `/testing` and `/cli`. Until the next minor version this one has their names, too.
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
} from "./src/tensor/mod.ts";
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
} from "./src/tensor/mod.ts";
export type { DeviceStats } from "./src/device/contract.ts";
export type { Dtype, HostArray } from "./src/base/dtype.ts";
export type { Json, LayerJson } from "./src/base/json.ts";
export type { Shape } from "./src/base/shape.ts";
export * as ops from "./src/tensor/ops.ts";
export type {
  AnyModule,
  LoadOptions as LoadStateOptions,
  LoadReport,
  Module,
  Sequential,
  WeightInit,
} from "./src/nn/mod.ts";
export * as nn from "./src/nn/mod.ts";

// data
export {
  type ArrayData,
  ArrayDataLoaders,
  type ArrayInputs,
  type Arrays,
  type ArraySetup,
  type Batch,
  type BatchSource,
  type BatchTfm,
  CollabDataLoaders,
  type CollabOptions,
  type Column,
  DataLoader,
  type DataLoaderOptions,
  DataLoaders,
  type DataLoadersOptions,
  type Dataset,
  type DatasetFacts,
  type FromArraysOptions,
  type InputsJson,
  type ItemPart,
  type LoaderState,
  type OddNumber,
  type Shard,
  type SourceEpoch,
  type TestArraysOptions,
} from "./src/data/mod.ts";
export {
  type CategoricalColumn,
  type CellFormat,
  type CellOptions,
  type ColumnKind,
  type CsvOptions,
  encodeRow,
  encodeRows,
  type FromCsvOptions,
  type FromTableOptions,
  type NumericColumn,
  schemaFromJson,
  type TableCell,
  type TableRow,
  type TabularBatch,
  TabularDataLoaders,
  type TabularSchema,
  type TargetColumn,
  type TargetScale,
  type TestTableOptions,
  type WrittenColumn,
  type WrittenTable,
} from "./src/data/mod.ts";
export {
  type FileArray,
  type IdxArray,
  loadIdx,
  type NumberColumn,
  type ReadAnyTableOptions,
  readArrow,
  readCsv,
  readJsonLines,
  type ReadJsonLinesOptions,
  readNpy,
  readNpz,
  readParquet,
  readTable,
  type ReadTableOptions,
  type Table,
  type TableColumn,
  type TableFormat,
  type TableSource,
  type TextColumn,
  type TextTable,
  type TextType,
} from "./src/data/mod.ts";
export { loadMnist, type Mnist, type MnistOptions } from "./src/data/mnist.ts";

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
} from "./src/optim/mod.ts";

// schedules
export * from "./src/entry/schedules.ts";

// learners and policies
export {
  Checkpoint,
  type CheckpointOptions,
  exportHub,
  type ExportHubOptions,
  exportLearner,
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
  hookOutputs,
  type HookOutputsOptions,
  Hooks,
  type LearnerOnnxOptions,
  type LoadOptions,
  lrFind,
  LrFinder,
  type LrFinderOptions,
  type LrFindOptions,
  type LrFindResult,
  LrProbe,
  minimum,
  type ModelReport,
  modelSizes,
  type OneCycleOptions,
  ParamScheduler,
  predict,
  type PredictInput,
  type Prediction,
  type Preds,
  type SaveOptions,
  savePreds,
  type SavePredsOptions,
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
  collabLearner,
  type CollabLearnerOptions,
  Learner,
  tabularLearner,
  type TabularLearnerOptions,
} from "./src/learner/mod.ts";
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
} from "./src/train/mod.ts";

// checkpoints
export { SavedState, type StateDict, type StateValue } from "./src/io/state_dict.ts";

// callbacks
export {
  ActivationStats,
  type ActivationStatsOptions,
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
  type LayerStats,
  MCDropout,
  type MCDropoutOptions,
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
} from "./src/callbacks/mod.ts";
export { fetchCached, type FetchOptions } from "./src/io/fetch_cached.ts";
export { downloadHub, type DownloadHubOptions } from "./src/io/hub.ts";
export type { RepoType } from "./src/io/hub_cache.ts";
export { type HostTensor, openSafetensors, type SafetensorsFile } from "./src/io/safetensors.ts";

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
} from "./src/base/errors.ts";

// parts that have entry points of their own, and stay here until the next minor version
export * from "./src/entry/browser.ts"; // @anneal/anneal/browser
export * from "./src/entry/distrib.ts"; // @anneal/anneal/distrib
export * from "./src/entry/interop.ts"; // @anneal/anneal/interop
export * from "./src/entry/live.ts"; // @anneal/anneal/live
export * from "./src/entry/metrics.ts"; // @anneal/anneal/metrics
export * from "./src/entry/plot.ts"; // @anneal/anneal/plot
export * from "./src/entry/text.ts"; // @anneal/anneal/text
export * from "./src/entry/vision.ts"; // @anneal/anneal/vision
