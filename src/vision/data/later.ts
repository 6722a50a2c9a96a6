/**
 * What data of images get with their first picture, at once.
 *
 * @module
 */
import "../../entry/core.ts";
import "../../entry/vision.ts"; // there by now: bundlers are told, and leave it whole
export { showResults } from "./draw_results.ts";
export { showBatch } from "./show_batch.ts";
