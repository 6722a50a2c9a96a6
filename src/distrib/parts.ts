/**
 * What a process needs to train with others.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
export { compare } from "./agreement.ts";
export { hashVariables, shareState, shareVariables, spreadStreams } from "./share_state.ts";
export { SyncMoments } from "./sync_moments.ts";
export { cancelOf, vote, voteExit } from "./sync_point.ts";
export { World } from "./world.ts";
