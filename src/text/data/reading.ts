/**
 * What loaders get with the first texts.
 *
 * @module
 */
export { columnSplitter, loadTexts, names, partSplitter } from "./load_texts.ts";
export { StreamSource } from "./stream_source.ts";
export { readText } from "./text_files.ts";
export { encodeAll } from "./token_lists.ts";
