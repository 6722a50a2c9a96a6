/**
 * Training in a page: engines in workers of their own, and runs that are carried from a page to Deno and back.
 *
 * @module
 */
export {
  Engine,
  type EngineEvents,
  type EnginePage,
  type EngineRunOptions,
  type EngineTask,
  serveEngine,
  startEngine,
} from "../engine/mod.ts";
export { packFolder, unpackFolder } from "../io/folder_archive.ts";
