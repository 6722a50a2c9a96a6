/**
 * Files that several fits of a script write to, when the script is run again: how much is in them of the fits that were
 * finished, and are passed over. What a later fit wrote stays until that fit goes on, or begins anew.
 *
 * @module
 */
import type { TrainLoop } from "../train/mod.ts";

const ends = new WeakMap<TrainLoop, Map<string, number>>();

/** Notes where a fit that is passed over had ended in the file. */
export function rememberOffset(learn: TrainLoop, path: string, end: number): void {
  const paths = ends.get(learn) ?? new Map<string, number>();
  ends.set(learn, paths.set(path, end));
}

/** Where the last fit that was passed over had ended; null where none was. A second call gives null. */
export function takeOffset(learn: TrainLoop, path: string): number | null {
  const end = ends.get(learn)?.get(path) ?? null;
  ends.get(learn)?.delete(path);
  return end;
}
