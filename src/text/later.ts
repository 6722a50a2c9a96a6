/**
 * What learners of texts get with the first text or file, at once: each alone would have bundlers cut the rest into small files.
 *
 * @module
 */
export { readEncoder, writeEncoder } from "./encoder_files.ts";
export { generate } from "./generate.ts";
export { embedTexts, showLmResults, showTextResults } from "./show_results.ts";
