/**
 * What tells of a learner that was trained, at once: each alone would have bundlers cut the rest into small files.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
export { chooseThresholds } from "./choose_thresholds.ts";
export { judge } from "./judge.ts";
export { featureImportance } from "./measure_importance.ts";
