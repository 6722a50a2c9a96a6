/**
 * What learners of images can do beside training, at once: each alone would have bundlers cut the rest into small files.
 *
 * @module
 */
import "../entry/vision.ts";
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
export { judgeMasks, plotMasks } from "./judge_masks.ts";
export { activationMap } from "./map_activations.ts";
export { tta } from "./tta_preds.ts";
