/**
 * Reading tables, wherever they come from.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { inBlocks } from "../base/event_loop_yielder.ts";
import { ConfigError, DataError } from "../base/errors.ts";
import { shown } from "../base/options.ts";
import { arrowTable } from "./arrow.ts";
import { csvTable } from "./csv.ts";
import { textOf } from "./csv_bytes.ts";
import { givenForm } from "./csv_form.ts";
import { jsonLinesTable } from "./json_lines.ts";
import { parquetTable } from "./parquet.ts";
import { firstBytes } from "./random_access.ts";
import { chosen, type Table, type TableColumn, type Wanted } from "./table.ts";
import { ColumnBuilder } from "./table_builder.ts";
import type { TableCell, TableRow } from "./table_encode.ts";
import { isTable, type ReadAnyTableOptions, type TableFormat, type TableSource } from "./read_table.ts";

/** {@link readTable}, of columns that may be told by a function. */
export async function tableOf(
  source: TableSource,
  { format, ...csv }: Omit<ReadAnyTableOptions, "columns">,
  wanted: Wanted,
): Promise<Table> {
  if (typeof source === "string") {
    const kind = format ?? await formatOfFile(source, csv.encoding);
    if (kind === "csv") return await csvTable(source, csv, wanted);
    const { encoding, ...others } = csv, [foreign] = Object.entries(others).filter(([, v]) => v !== undefined);
    const name = foreign?.[0] ?? (kind !== "jsonLines" && encoding !== undefined ? "encoding" : undefined);
    if (name !== undefined) {
      throw new ConfigError(
        `Cannot read ${source} with ${name}: it is of separated values, this is ${NAMES[kind]}; leave it out`,
      );
    }
    if (kind === "parquet") return await parquetTable(source, wanted);
    if (kind === "arrow") return await arrowTable(source, wanted);
    return await jsonLinesTable(source, encoding, wanted);
  }
  const given = format ?? Object.keys(givenForm(csv))[0];
  if (given !== undefined) throw new ConfigError(`Cannot take a table with ${given}: it is read already`);
  if (isTable(source)) return wanted === undefined ? source : selected(source, wanted);
  if (Array.isArray(source)) return await ofRows(source, wanted);
  if (typeof source === "object" && source !== null) {
    return await ofColumns(source as Readonly<Record<string, ArrayLike<TableCell>>>, wanted);
  }
  throw new ConfigError(
    `Cannot read a table from ${shown(source)}: it takes a path, rows as in [{ a: 1 }], or columns as in { a: [1] }`,
  );
}

const NAMES = { parquet: "Parquet", arrow: "Arrow", jsonLines: "JSON lines" } as const;

/** The kind of a file, by its first bytes and then its name. */
export async function formatOfFile(file: string, encoding: string | undefined): Promise<TableFormat> {
  const start = String.fromCharCode(...await firstBytes(file, 6));
  if (/^PAR[1E]/.test(start)) return "parquet";
  if (start === "ARROW1" || start.startsWith("FEA1") || start.startsWith("\xff\xff\xff\xff")) return "arrow";
  if (/\.(?:jsonl|ndjson|json)(?:\.gz)?$/i.test(file)) return "jsonLines";
  for await (const text of textOf(file, encoding)) return /^\s*\{\s*["}]/.test(text) ? "jsonLines" : "csv";
  return "csv";
}

function selected(table: Table, wanted: Wanted): Table {
  const names = chosen(table.file, [...table.columns.keys()], wanted);
  return { ...table, columns: new Map(names.map((name) => [name, table.columns.get(name)!])) };
}

async function ofRows(rows: readonly TableRow[], wanted: Wanted): Promise<Table> {
  const names = new Set<string>();
  rows.forEach((row, r) => {
    if (typeof row !== "object" || row === null || Array.isArray(row)) {
      throw new DataError(
        `Cannot read row ${r + 1} of the rows: a row is an object, as in { a: 1 }, got ${shown(row)}`,
      );
    }
    for (const name in row) names.add(name);
  });
  return await made(
    "the rows",
    rows.length,
    [...names],
    (name, r) => Object.hasOwn(rows[r], name) ? rows[r][name] : null,
    wanted,
  );
}

async function ofColumns(
  columns: Readonly<Record<string, ArrayLike<TableCell>>>,
  wanted: Wanted,
): Promise<Table> {
  const names = Object.keys(columns);
  for (const name of names) {
    const column: unknown = columns[name];
    if (!Array.isArray(column) && !ArrayBuffer.isView(column)) {
      throw new ConfigError(`Cannot read column "${name}": it takes an array of its cells, got ${shown(column)}`);
    }
    if (columns[name].length !== columns[names[0]].length) {
      throw new DataError(
        `Cannot read the columns: they are of one length, "${names[0]}" has ${columns[names[0]].length} cells and ` +
          `"${name}" ${columns[name].length}`,
      );
    }
  }
  return await made("the columns", columns[names[0]]?.length ?? 0, names, (name, r) => columns[name][r], wanted);
}

async function made(
  file: string,
  rows: number,
  names: readonly string[],
  cellOf: (name: string, row: number) => unknown,
  wanted: Wanted,
): Promise<Table> {
  if (rows === 0 || names.length === 0) throw new DataError(`Cannot read ${file}: there are none`);
  const columns = new Map<string, TableColumn>();
  for (const name of chosen(file, names, wanted)) {
    const column = new ColumnBuilder((place) => `${file}, row ${place}, column "${name}"`);
    await inBlocks(rows, (from, to) => {
      for (let r = from; r < to; r++) {
        put(column, cellOf(name, r), r + 1, () => `${file}, row ${r + 1}, column "${name}"`);
      }
    }, 4096);
    columns.set(name, column.done());
  }
  return { file, rows, names, columns, unnamed: new Set(), counts: "rows", notes: [] };
}

function put(column: ColumnBuilder, cell: unknown, place: number, where: () => string): void {
  if (cell === undefined || cell === null) column.missing(place);
  else if (typeof cell === "number") column.number(cell, place);
  else if (typeof cell === "bigint") column.integer(cell, place);
  else if (typeof cell === "string") column.text(cell, "text", place);
  else if (typeof cell === "boolean") column.text(String(cell), "bool", place);
  else {
    throw new DataError(
      `Cannot read ${where()}: a cell is a text, a number, true, false or null, got ${shown(cell)}`,
    );
  }
}
