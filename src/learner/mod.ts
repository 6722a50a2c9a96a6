/**
 * The learner: the training loop with a method for each policy.
 *
 * @module
 */
export {
  type ColumnImportance,
  FeatureImportance,
  featureImportance,
  type FeatureImportanceOptions,
} from "./feature_importance.ts";
export { Interpretation, type JudgedItem, type Judgement, type PlotJudgedOptions } from "./interpretation.ts";
export type { MostConfused } from "./judged.ts";
export { Learner } from "./learner.ts";
export { chooseThresholds, type ThresholdOptions, Thresholds } from "./thresholds.ts";
export {
  collabLearner,
  type CollabLearnerOptions,
  tabularLearner,
  type TabularLearnerOptions,
} from "./table_learners.ts";
