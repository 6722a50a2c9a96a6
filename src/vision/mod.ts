/**
 * Images: data, architectures, learners.
 *
 * @module
 */
export { type ImagePrediction, VisionLearner, visionLearner, type VisionLearnerOptions } from "./learner.ts";
export {
  ClassificationInterpretation,
  type ConfusedPair,
  type JudgedImage,
  type PlotConfusionOptions,
} from "./interpret.ts";
export { type ClassOverlap, type JudgedMask, SegmentationInterpretation } from "./segmentation_interpretation.ts";
export { unetLearner, type UnetLearnerOptions } from "./unet_learner.ts";
export { type ActivationMap, activationMap, type ActivationMapOptions } from "./activation_map.ts";
export { tta, type TtaOptions, type TtaPreds } from "./tta.ts";
