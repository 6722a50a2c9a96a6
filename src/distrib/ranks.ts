/**
 * Which process this is, for scripts.
 *
 * @module
 */
import { openWorld } from "./launched.ts";

/** Number of this process, from 0; 0 in a process started alone. Joins the others, which must do so too. */
export function rankDistrib(): number {
  return openWorld()?.rank ?? 0;
}

/** Number of processes; 1 for a process started alone. Joins the others, which must do so too. */
export function numDistrib(): number {
  return openWorld()?.size ?? 1;
}

/**
 * Runs `body` in rank 0 first and, once that is done, in the others: the first downloads or prepares files, the others
 * find them there. Every process calls it.
 */
export async function rank0First<T>(body: () => T | Promise<T>): Promise<T> {
  const world = openWorld();
  if (world === null) return await body();
  if (world.rank > 0) await world.barrier();
  try {
    return await body();
  } finally {
    if (world.rank === 0) await world.barrier();
  }
}
