/**
 * Policies: how a learner is trained, evaluated and saved.
 *
 * @module
 */
export { Checkpoint, type CheckpointOptions } from "./checkpoint.ts";
export type { ExportHubOptions } from "./export_hub.ts";
export type { LearnerOnnxOptions } from "./export_onnx.ts";
export { fineTune, type FineTuneOptions } from "./fine_tune.ts";
export { fit, type FitCommon, type FitOptions } from "./fit.ts";
export { fitFlatCos, type FlatCosOptions } from "./flat_cos.ts";
export { freeze, freezeTo, unfreeze } from "./freeze.ts";
export { getPreds, type GetPredsOptions, type Preds } from "./get_preds.ts";
export { lrFind, type LrFindOptions, type LrFindResult, type SuggestFuncs } from "./lr_find.ts";
export { LrFinder, type LrFinderOptions, LrProbe } from "./lr_finder.ts";
export { fitOneCycle, type OneCycleOptions } from "./one_cycle.ts";
export { ParamScheduler, type ScheduleLike } from "./param_scheduler.ts";
export { predict, type PredictInput, type Prediction } from "./predict.ts";
export type { LoadOptions, ModelReport, SaveOptions } from "./save.ts";
export { modelPath } from "./model_path.ts";
export type { SavePredsOptions } from "./save_preds.ts";
export { exportHub, exportLearner, savePreds } from "./written.ts";
export { fitSgdr, type SgdrOptions } from "./sgdr.ts";
export { type Snapshot, takeSnapshot } from "./snapshot.ts";
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
} from "./suggest.ts";
export { validate, type ValidateOptions } from "./validate.ts";
export { hookOutputs, type HookOutputsOptions, Hooks, modelSizes } from "./hooks.ts";
