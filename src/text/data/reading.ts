/**
 * What loaders get with the first texts.
 *
 * @module
 */
import "../../entry/core.ts";
import "../../entry/text.ts"; // there by now: bundlers are told, and leave it whole
export { loadTexts, names, partSplitter } from "./load_texts.ts";
export { showTextBatch } from "./show_text.ts";
export { StreamSource } from "./stream_source.ts";
export { readText } from "./text_files.ts";
export { partsOfTable } from "./read_columns.ts";
export { encodeAll } from "./token_lists.ts";
