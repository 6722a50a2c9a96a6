/**
 * What data of images get with their first files or picture, at once.
 *
 * @module
 */
import "../../entry/core.ts";
import "../../entry/vision.ts"; // there by now: bundlers are told, and leave it whole
export { showResults } from "./draw_results.ts";
export { imageParts } from "./image_parts.ts";
export { showBatch } from "./show_batch.ts";
