/**
 * The live page: a run in the browser.
 *
 * @module
 */
export { LivePage, type LivePageOptions } from "../live/mod.ts";
