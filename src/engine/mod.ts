/**
 * Training beside a page, in a worker of its own.
 *
 * @module
 */
export { Engine, type EngineEvents, type EngineRunOptions, startEngine } from "./start.ts";
export { type EnginePage, type EngineTask, serveEngine } from "./serve.ts";
