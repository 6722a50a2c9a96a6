/**
 * Metrics.
 *
 * @module
 */
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
} from "./functions.ts";
export {
  AveragedScore,
  BalancedAccuracy,
  ClassMetric,
  type ClassScoreOptions,
  CohenKappa,
  F1Score,
  FBeta,
  HammingLoss,
  Jaccard,
  type KappaOptions,
  MatthewsCorrCoef,
  Precision,
  Recall,
} from "./class_scores.ts";
export { smallerIsBetter } from "./direction.ts";
export type { Average, Confusion, Counts } from "./confusion.ts";
export {
  F1ScoreMulti,
  HammingLossMulti,
  JaccardMulti,
  MultiScore,
  type MultiScoreOptions,
  PrecisionMulti,
  RecallMulti,
} from "./multi_scores.ts";
export { APScoreBinary, RocAuc, RocAucBinary, RocAucMulti } from "./ranking.ts";
export { ExplainedVariance, PearsonCorrCoef, R2Score, RegressionScore, SpearmanCorrCoef } from "./regression.ts";
export {
  Dice,
  DiceMulti,
  foregroundAcc,
  type ForegroundOptions,
  JaccardCoeff,
  JaccardCoeffMulti,
  MaskScore,
} from "./segmentation.ts";
export { type Rows, WholeSet } from "./whole_set.ts";
