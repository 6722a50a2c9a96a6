/**
 * What learners of texts get with the first text or file, at once: each alone would have bundlers cut the rest into small files.
 *
 * @module
 */
import "../entry/core.ts";
import "../entry/text.ts"; // there by now: bundlers are told, and leave it whole
export { readEncoder, writeEncoder } from "./encoder_files.ts";
export { generate } from "./generate.ts";
export { embedTexts, inEval, showLmResults, showTextResults } from "./show_results.ts";
