/**
 * Tables and arrays out of files; the code of a format comes with its first file.
 *
 * @module
 */
import type { CsvOptions } from "./csv_form.ts";
import type { TextTable } from "./csv.ts";
import type { IdxArray } from "./idx.ts";
import type { ReadJsonLinesOptions } from "./json_lines.ts";
import type { FileArray } from "./npy.ts";
import type { ReadTableOptions, Table } from "./table.ts";

/**
 * Reads a file of separated cells, row by row: memory holds each distinct text once, and four bytes a cell. White space
 * around cells, lines without anything in them, and a delimiter at the end of lines are no part of the table.
 *
 * @throws DataError Where the file is missing, empty or no text of its encoding, a name stands twice in the header, or a
 * row has too many or too few cells, with file and line.
 */
export async function readCsv(file: string, options: CsvOptions & ReadTableOptions = {}): Promise<TextTable> {
  const { readCsv } = await import("./csv.ts");
  return await readCsv(file, options);
}

/**
 * Reads a Parquet file, or some of its columns: the others are not read from the disk. Numbers become f64; whole numbers
 * beyond 2^53 texts with all their digits; decimals the nearest f64, or texts where they have no fraction and are beyond
 * 2^53; dates and times texts as ISO 8601 writes them.
 *
 * @throws DataError Where the file is missing, torn or empty, or a column holds lists, structures or bytes, with its name;
 * where a cell is no text of UTF-8, with its row.
 * @throws ConfigError Where there is no column of a name.
 */
export async function readParquet(file: string, options: ReadTableOptions = {}): Promise<Table> {
  const { readParquet } = await import("./parquet.ts");
  return await readParquet(file, options);
}

/**
 * Reads an Arrow file, as `to_feather` of pandas writes it (version 2, also packed by LZ4 or Zstandard), or a stream.
 * Cells become what {@link readParquet} makes of them. The file is read whole; only columns that are wanted are decoded.
 *
 * @throws DataError Where the file is missing, torn or empty, or a column holds lists, structures or bytes, with its name.
 * @throws ConfigError Where there is no column of a name.
 */
export async function readArrow(file: string, options: ReadTableOptions = {}): Promise<Table> {
  const { readArrow } = await import("./arrow.ts");
  return await readArrow(file, options);
}

/**
 * Reads a file of JSON lines, also one that gzip packed. Keys are columns; one that a line does not have, or null, is
 * missing. Whole numbers beyond 2^53 become texts with all their digits.
 *
 * @throws DataError Where the file is missing or empty, a line is no object, or a cell is a list, an object, or another kind
 * of value than those above, with line and column.
 * @throws ConfigError Where there is no column of a name.
 */
export async function readJsonLines(file: string, options: ReadJsonLinesOptions = {}): Promise<Table> {
  const { readJsonLines } = await import("./json_lines.ts");
  return await readJsonLines(file, options);
}

/**
 * Reads a `.npy` file, as `np.save` writes it: f64 and f16 become f32, whole numbers i32 (u8 stays u8), `bool` stays `bool`.
 *
 * @throws DataError Where the file is missing or torn, holds texts, objects or structures, or a number does not fit, with
 * its place.
 */
export async function readNpy(file: string): Promise<FileArray> {
  const { readNpy } = await import("./npy.ts");
  return await readNpy(file);
}

/**
 * Reads the arrays of an `.npz` file, as `np.savez` and `np.savez_compressed` write them, by name.
 *
 * @param options `names`: the arrays to read; all of them by default. Others are not read from the disk.
 * @throws DataError As {@link readNpy}.
 * @throws ConfigError Where there is no array of a name.
 *
 * @example Arrays to learn from
 * ```ts ignore
 * const { x, y } = await readNpz("digits.npz"); // np.savez("digits.npz", x=x, y=y)
 * const dls = DataLoaders.fromArrays({ x, y });
 * ```
 */
export async function readNpz(
  file: string,
  options: { readonly names?: readonly string[] } = {},
): Promise<Record<string, FileArray>> {
  const { readNpz } = await import("./npy.ts");
  return await readNpz(file, options);
}

/**
 * Loads an IDX file, gzipped or not.
 *
 * @param path Path or `file:` URL; what has another address is fetched.
 * @throws {DataError} If the file is missing, torn, or as {@link readIdx}.
 */
export async function loadIdx(path: string | URL): Promise<IdxArray> {
  const { loadIdx } = await import("./idx.ts");
  return await loadIdx(path);
}
