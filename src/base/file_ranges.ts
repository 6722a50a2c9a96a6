/**
 * Files of which only parts are read.
 *
 * @module
 */
import { files, isMissing } from "./host_files.ts";
import { DataError } from "./errors.ts";
import { checkPath } from "./options.ts";

/** Reads bytes from `start` up to, not including, `end`, into a buffer of their own. */
export type ReadRange = (start: number, end: number) => Promise<Uint8Array>;

/** A file to read from. */
export interface FileRanges {
  /** Its size in bytes. */
  readonly size: number;
  readonly range: ReadRange;
  /** What it is called in errors. */
  readonly what: string;
}

/**
 * A file on the disk; it is open only while it is read.
 *
 * @throws DataError Where there is no such file (`isMissing` knows that error, too), or it is a folder.
 */
export async function openRanges(path: string): Promise<FileRanges> {
  checkPath("read a file", path);
  const { size, isDirectory } = await files.stat(path).catch((cause) => {
    if (!isMissing(cause)) throw cause;
    throw Object.assign(new DataError(`Cannot read ${path}: there is no such file`, { cause }), { code: "ENOENT" });
  });
  if (isDirectory) throw new DataError(`Cannot read ${path}: it is a folder`);
  const range = async (start: number, end: number): Promise<Uint8Array> => {
    const file = await files.open(path);
    try {
      await file.seek(start, 0);
      const bytes = new Uint8Array(end - start);
      for (let done = 0; done < bytes.byteLength;) {
        const n = await file.read(bytes.subarray(done));
        if (n === null) throw new DataError(`Cannot read ${path}: it ended at byte ${start + done} while being read`);
        done += n;
      }
      return bytes;
    } finally {
      await file.close();
    }
  };
  return { size, range, what: path };
}
