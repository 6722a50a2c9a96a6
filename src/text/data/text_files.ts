/**
 * Files of text.
 *
 * @module
 */
import { extname } from "../../base/path.ts";
import { DataError } from "../../base/errors.ts";
import { files, isMissing } from "../../base/host_files.ts";
import { checkOptions, flag, texts } from "../../base/options.ts";
import { byMark, decoderOf, refuseZeros } from "../../data/csv_bytes.ts";
import { folderPath, walkFiles } from "../../data/walk.ts";

/** Options of {@link getTextFiles}. */
export interface GetTextFilesOptions {
  /** Whether to look into folders inside; true by default. */
  readonly recurse?: boolean;
  /** Folders directly inside that are looked into; all by default. `"."` stands for the files of `path` itself. */
  readonly folders?: readonly string[];
  /** Endings of files of text; `[".txt"]` by default. */
  readonly extensions?: readonly string[];
}

/**
 * Files of text in a folder, sorted by path. Links are followed, each folder is looked into once; names that start with a
 * dot are left out.
 *
 * @throws {DataError} If a folder is missing or can't be read, or there is no such file at all.
 */
export async function getTextFiles(path: string | URL, options: GetTextFilesOptions = {}): Promise<string[]> {
  const { recurse = true, folders = [], extensions = [".txt"] } = checkOptions("look for texts", options, {
    recurse: flag,
    folders: texts,
    extensions: texts,
  });
  const root = folderPath(path), endings = new Set(extensions.map((e) => e.toLowerCase()));
  const all = await walkFiles(root, { recurse, folders, what: "texts" });
  const found = all.filter((file) => endings.has(extname(file).toLowerCase()));
  if (found.length > 0) return found;
  const where = folders.length === 0 ? "" : ` (in the folders ${folders.join(", ")})`;
  throw new DataError(
    `Cannot find texts in ${root}${where}: no file ends with ${extensions.join(", ")}` +
      (all.length === 0 ? "" : `; there are ${all.length} others such as ${all[0]}, { extensions } names theirs`),
  );
}

/**
 * What a file says.
 *
 * @param encoding A label of `TextDecoder`, such as "windows-1252"; by default UTF-8, or UTF-16 where its mark is.
 * @throws DataError Where it cannot be read, or is no text of its encoding; it says where.
 */
export async function readText(file: string | URL, encoding?: string): Promise<string> {
  const given = encoding === undefined ? null : decoderOf(encoding);
  let bytes: Uint8Array;
  try {
    bytes = await files.readFile(file);
  } catch (cause) {
    const reason = isMissing(cause) ? "there is no such file" : (cause as Error).message;
    throw new DataError(`Cannot read ${file}: ${reason}`, { cause });
  }
  const decoder = given ?? byMark(bytes);
  refuseZeros(file, bytes, decoder);
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new DataError(
      `Cannot read ${file} as ${decoder.encoding}: byte ${
        firstBad(bytes, decoder.encoding)
      }, counted from 0, belongs to no character; ` +
        'encoding: "windows-1252" reads texts of Western Europe that are no UTF-8',
      { cause },
    );
  }
}

/** Where decoding fails: behind the longest beginning that is text, found by halving. */
function firstBad(bytes: Uint8Array, encoding: string): number {
  const good = (n: number): boolean => {
    try {
      new TextDecoder(encoding, { fatal: true }).decode(bytes.subarray(0, n), { stream: true }); // an end may be cut
      return true;
    } catch {
      return false;
    }
  };
  let low = 0, high = bytes.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (good(middle)) low = middle;
    else high = middle - 1;
  }
  const text = new TextDecoder(encoding).decode(bytes.subarray(0, low), { stream: true });
  return /^utf-?8$/i.test(encoding) ? new TextEncoder().encode(text).length : low; // without the start of a cut character
}
