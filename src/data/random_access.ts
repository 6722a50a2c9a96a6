/**
 * Files that are read in parts, as readers of other formats want them.
 *
 * @module
 */
import { AnnealError, DataError } from "../base/errors.ts";
import { type FileRanges, openRanges } from "../base/file_ranges.ts";

/** A file to read from. */
export interface RandomAccess {
  /** Its size in bytes. */
  readonly byteLength: number;
  /** The bytes from `start` up to `end`; less where the file ends before. */
  slice(start: number, end?: number): Promise<ArrayBuffer>;
}

/** Opens a file; what the runtime says of one that cannot be read comes with its name. */
export async function randomAccess(file: string): Promise<RandomAccess> {
  const told = <T>(cause: unknown): T => {
    if (cause instanceof AnnealError) throw cause;
    throw new DataError(`Cannot read ${file}: ${(cause as Error).message}`, { cause });
  };
  const { size, range } = await openRanges(file).catch(told<FileRanges>);
  return {
    byteLength: size,
    slice: async (start, end = size) => {
      const bytes = await range(start, Math.max(start, Math.min(end, size))).catch(told<Uint8Array>);
      return bytes.buffer as ArrayBuffer;
    },
  };
}

/** The first bytes of a file, at most `n`. */
export async function firstBytes(file: string, n: number): Promise<Uint8Array> {
  return new Uint8Array(await (await randomAccess(file)).slice(0, n));
}
