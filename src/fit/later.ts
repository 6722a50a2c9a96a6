/**
 * What a learner gets with its first checkpoint, file, prediction or summary, all at once: each alone would have bundlers cut
 * the rest into many small files.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
export { CheckpointSession } from "./checkpoint_session.ts";
export { gatherPreds } from "./gather_preds.ts";
export { predictItem } from "./predict_item.ts";
export { load, save, trySave } from "./save.ts";
export { summary } from "./summary.ts";
