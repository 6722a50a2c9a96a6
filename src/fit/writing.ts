/**
 * What a learner gets with the first thing that is made of it: a file for others, a folder, a table.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
export { exportLearner } from "./export.ts";
export { exportHub } from "./export_hub.ts";
export { savePreds } from "./save_preds.ts";
