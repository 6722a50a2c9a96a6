/**
 * Runs in the browser: served as a page, or posted to one.
 *
 * @module
 */
export { LivePage, type LivePageOptions } from "./live_page.ts";
export { type LiveAsked, LiveMessages, type LivePort, type LivePosted } from "./live_messages.ts";
export type { LiveRun, LiveRunOptions } from "./live_run.ts";
export type {
  Command as LiveCommand,
  FitMessage as LiveFit,
  FitOutcome as LiveOutcome,
  HardItem as LiveHardItem,
  Message as LiveMessage,
  Points as LivePoints,
  RunMessage as LiveRunMessage,
  RunStatus as LiveStatus,
  TextMessage as LiveText,
  TopLossesMessage as LiveTopLosses,
} from "./messages.ts";
