/**
 * Resume offsets: where the records of finished fits end in a log that several fits of a script append to. When the script
 * is run again, finished fits are skipped, and the next one truncates the log at the offset or goes on from it.
 *
 * @module
 */
import type { TrainLoop } from "../train/mod.ts";

const offsets = new WeakMap<TrainLoop, Map<string, number>>();

/** Remembers the offset in `path` at which a skipped fit ended, in whatever the log is counted in: bytes, steps. */
export function rememberOffset(learn: TrainLoop, path: string, offset: number): void {
  const byPath = offsets.get(learn) ?? new Map<string, number>();
  offsets.set(learn, byPath.set(path, offset));
}

/** Removes and returns the offset at which the last skipped fit ended; null where none was skipped. */
export function takeOffset(learn: TrainLoop, path: string): number | null {
  const offset = offsets.get(learn)?.get(path) ?? null;
  offsets.get(learn)?.delete(path);
  return offset;
}
