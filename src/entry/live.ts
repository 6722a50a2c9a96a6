/**
 * Runs in the browser: served as a page, or posted by an engine to its page.
 *
 * @module
 */
export {
  type LiveAsked,
  type LiveCommand,
  type LiveFit,
  type LiveHardItem,
  type LiveMessage,
  LiveMessages,
  type LiveOutcome,
  LivePage,
  type LivePageOptions,
  type LivePoints,
  type LivePort,
  type LivePosted,
  type LiveRun,
  type LiveRunMessage,
  type LiveRunOptions,
  type LiveStatus,
  type LiveText,
  type LiveTopLosses,
} from "../live/mod.ts";
