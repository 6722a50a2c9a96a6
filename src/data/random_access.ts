/**
 * Files that are read in parts, wherever these lie.
 *
 * @module
 */
import { DataError } from "../base/errors.ts";
import { fileFault, files, type HostFile, isMissing } from "../base/host_files.ts";

/** A file that is open. */
export interface RandomAccess {
  /** Its size in bytes. */
  readonly byteLength: number;
  /** The bytes from `start` up to `end`. */
  slice(start: number, end?: number): Promise<ArrayBuffer>;
}

/** The error for a file that cannot be read at all. */
export function unreadable(file: string, cause: unknown): DataError {
  const why = isMissing(cause)
    ? "there is no such file"
    : fileFault(cause) === "folder"
    ? "it is a folder"
    : (cause as Error).message;
  return new DataError(`Cannot read ${file}: ${why}`, { cause });
}

/** Lets `body` read a file. */
export async function withFile<T>(file: string, body: (open: RandomAccess) => Promise<T>): Promise<T> {
  let open: HostFile, size: number;
  try {
    const info = await files.stat(file);
    if (info.isDirectory) throw new DataError(`Cannot read ${file}: it is a folder`);
    size = info.size;
    open = await files.open(file);
  } catch (cause) {
    throw cause instanceof DataError ? cause : unreadable(file, cause);
  }
  try {
    let last: Promise<unknown> = Promise.resolve(); // a handle has one position
    const read = async (start: number, end: number): Promise<ArrayBuffer> => {
      const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - start));
      await open.seek(start, 0);
      for (let done = 0; done < bytes.byteLength;) {
        const n = await open.read(bytes.subarray(done));
        if (n === null) throw new DataError(`Cannot read ${file}: it ended at byte ${start + done} while being read`);
        done += n;
      }
      return bytes.buffer;
    };
    return await body({
      byteLength: size,
      slice: (start, end = size) => {
        const next = last.catch(() => {}).then(() => read(start, end));
        last = next;
        return next;
      },
    });
  } finally {
    await open.close();
  }
}

/** The first bytes of a file, at most `n`. */
export async function firstBytes(file: string, n: number): Promise<Uint8Array> {
  return await withFile(file, async (open) => new Uint8Array(await open.slice(0, n)));
}
