/**
 * Random generators in states.
 *
 * @module
 */
import { CheckpointError } from "../base/errors.ts";
import type { Rng, RngState } from "../tensor/mod.ts";
import type { SavedState, StateDict } from "./state_dict.ts";

/** Where a generator stands, as plain data. */
export function rngState({ state }: { readonly state: Rng["state"] }): StateDict {
  return { key: [...state.key], streams: state.streams, blocks: state.blocks };
}

/** What {@link rngState} gave, checked. */
export function savedRng(state: SavedState): RngState {
  const [k0, k1, ...more] = state.numbers("key");
  if (more.length > 0 || !isWord(k0) || !isWord(k1)) {
    throw new CheckpointError("Cannot restore a random generator: its key is two whole numbers below 2^32");
  }
  return { key: [k0, k1], streams: state.count("streams"), blocks: state.count("blocks") };
}

function isWord(x: number | undefined): boolean {
  return x !== undefined && Number.isInteger(x) && x >= 0 && x < 2 ** 32;
}
