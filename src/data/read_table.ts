/**
 * Tables, wherever they come from.
 *
 * @module
 */
import { checkOptions, oneOf, type OptionTable, texts } from "../base/options.ts";
import { CSV_OPTIONS, type CsvOptions } from "./csv_form.ts";
import type { ReadTableOptions, Table } from "./table.ts";
import type { TableCell, TableRow } from "./table_encode.ts";

/** The kinds of files that hold tables. */
export type TableFormat = "csv" | "parquet" | "arrow" | "jsonLines";

/** The kinds of files, as an option. */
export const TABLE_FORMAT = oneOf("csv", "parquet", "arrow", "jsonLines");

/** Options of {@link readTable}: of all formats, and of CSV. */
export interface ReadAnyTableOptions extends ReadTableOptions, CsvOptions {
  /** What kind of file it is; by default the file itself tells. */
  readonly format?: TableFormat;
}

/** What each option may be. */
export const READ_TABLE: OptionTable<ReadAnyTableOptions> = { ...CSV_OPTIONS, columns: texts, format: TABLE_FORMAT };

/**
 * A table: a file by its path, rows as objects, columns as arrays of one length, or a table that was read before.
 *
 * @example
 * ```ts
 * import { readTable } from "@anneal/anneal";
 * const table = await readTable([{ size: 1.5, town: "Jena" }, { size: null, town: "Ulm" }]);
 * console.log(table.rows, table.names); // 2 [ "size", "town" ]
 * ```
 */
export type TableSource = string | Table | readonly TableRow[] | Readonly<Record<string, ArrayLike<TableCell>>>;

/**
 * Reads a table. A file is CSV (or separated by something else), JSON lines, either also packed by gzip, Parquet, or
 * Arrow: its first bytes tell, whatever its name.
 *
 * @throws DataError Where the file is missing, damaged or empty, or cells of a column are not alike, with the place.
 * @throws ConfigError Where there is no column of a name, or an option does not go with the file.
 */
export async function readTable(source: TableSource, options: ReadAnyTableOptions = {}): Promise<Table> {
  checkOptions("read a table", options, READ_TABLE);
  const { columns, ...form } = options;
  const { tableOf } = await import("./table_of.ts");
  return await tableOf(source, form, columns);
}

/** Whether a value is a table as read. */
export function isTable(source: unknown): source is Table {
  return typeof source === "object" && source !== null && "columns" in source && source.columns instanceof Map &&
    "rows" in source && typeof source.rows === "number";
}
