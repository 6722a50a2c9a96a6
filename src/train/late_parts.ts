/**
 * Parts of a learner that their own module puts in when it is loaded: scripts, and pages above all, that do not load it do
 * without its code.
 *
 * @module
 */
import type { Callback } from "./callback.ts";

/** What {@link lateParts} holds. */
export interface LateParts {
  /** Makes a `DistributedTrainer`; `src/distrib/mod.ts` puts it in. */
  distributed: ((options: object) => Callback) | null;
}

/** The parts that have been loaded. */
export const lateParts: LateParts = { distributed: null };
