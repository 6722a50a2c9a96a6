/**
 * Tables in memory, whatever file they came from: columns of numbers, and columns of texts.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { EventLoopYielder, inBlocks } from "../base/event_loop_yielder.ts";
import { didYouMean } from "../base/options.ts";
import { headerHint } from "./csv_form.ts";
import type { CellReader } from "./table_cells.ts";

/**
 * What the texts of a column are. `cells`: as a file of text has them, so that what they mean is found out; otherwise what
 * the file says: `text`, `bool` (`true` and `false`), `date` and `time` (ISO 8601), `integer` (beyond 2^53, all digits).
 */
export type TextType = "cells" | "text" | "bool" | "date" | "time" | "integer";

/** A column of texts: each distinct text once, and for each row the number of its text. A missing cell is an empty text. */
export interface TextColumn {
  /** Which form of column it is. */
  readonly kind: "text";
  /** What the texts are. */
  readonly type: TextType;
  /** Distinct texts, in the order in which they first appear. */
  readonly texts: readonly string[];
  /** For each row, an index into `texts`. */
  readonly codes: Int32Array;
  /** For each text, where it first appears: the line of a file of text, or else the row, from 1. */
  readonly places: readonly number[];
}

/** A column of numbers. */
export interface NumberColumn {
  /** Which form of column it is. */
  readonly kind: "number";
  /** A number for each row; NaN where it is missing. */
  readonly values: Float64Array;
}

/** A column of a table. */
export type TableColumn = TextColumn | NumberColumn;

/** A table as read. */
export interface Table {
  /** Name of the file. */
  readonly file: string;
  /** Number of rows. */
  readonly rows: number;
  /** Names of all columns of the file, those that were not read included. */
  readonly names: readonly string[];
  /** The columns that were read, by name, in the order of the file. */
  readonly columns: ReadonlyMap<string, TableColumn>;
  /** Columns that the file gives no name: they are called `column 1` and so on, by their places. */
  readonly unnamed: ReadonlySet<string>;
  /** What places of texts count: lines of the file, or rows. */
  readonly counts: "lines" | "rows";
  /** What separates cells; none where the file says which column has which type. */
  readonly delimiter?: string;
  /** What was found out or left out, sentence by sentence. */
  readonly notes: readonly string[];
}

/** Which columns to read. */
export interface ReadTableOptions {
  /** Names of the columns to read; all of them by default. */
  readonly columns?: readonly string[];
}

/** A place in a table, for messages. */
export function placeIn(table: Pick<Table, "file" | "counts">, place: number): string {
  return table.counts === "lines" ? `${table.file}:${place}` : `${table.file}, row ${place}`;
}

/** The place of a row: where its text first appeared, or the row itself. */
export function placeOfRow(table: Table, column: TableColumn, row: number): string {
  return column.kind === "text"
    ? placeIn(table, column.places[column.codes[row]])
    : placeIn({ file: table.file, counts: "rows" }, row + 1);
}

/** The column of this name. */
export function columnOf(table: Table, name: string): TableColumn {
  const column = table.columns.get(name);
  if (column === undefined) throw noColumn(table, name);
  return column;
}

/** The error for a column that a table does not have. */
export function noColumn({ file, names, delimiter }: Pick<Table, "file" | "names" | "delimiter">, name: string): Error {
  const shown = names.length > 40 ? [...names.slice(0, 40), `${names.length - 40} more`] : names;
  const separated = delimiter === undefined ? "" : ` (separated by ${JSON.stringify(delimiter)})`;
  const near = didYouMean(name, names);
  const header = delimiter === undefined ? "" : headerHint(names);
  return new ConfigError(
    `Cannot use column "${name}" of ${file}: its columns are ${shown.join(", ")}${separated}${near}${header}`,
  );
}

/** Columns to read: all, those of these names, which must be there, or whatever there is that a function takes. */
export type Wanted = readonly string[] | ((name: string) => boolean) | undefined;

/** The names to read of a file that has `names`, in its order. */
export function chosen(file: string, names: readonly string[], wanted: Wanted): string[] {
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new DataError(`Cannot read ${file}: two columns are named "${twice}"`);
  if (typeof wanted === "function") return names.filter(wanted);
  for (const name of wanted ?? []) if (!names.includes(name)) throw noColumn({ file, names }, name);
  if (wanted === undefined) return [...names];
  if (wanted.length === 0) throw new ConfigError(`Cannot read ${file}: columns names no column`);
  return names.filter((name) => wanted.includes(name));
}

/** Columns without a name, which pandas gives to those of row numbers. */
export function unnamedOf(names: readonly string[]): Set<string> {
  return new Set(names.filter((name) => /^(?:|__index_level_\d+__)$/.test(name)));
}

/** A count as text. */
export function count(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

const codings = new WeakMap<NumberColumn, TextColumn>();

/** A column as texts; of numbers, the shortest that say them. */
export async function codedColumn(column: TableColumn): Promise<TextColumn> {
  if (column.kind === "text") return column;
  let coded = codings.get(column);
  if (coded === undefined) {
    const known = new Map<number, number>(), places: number[] = [], texts: string[] = [];
    const { values } = column, codes = new Int32Array(values.length), yielder = new EventLoopYielder();
    for (let r = 0; r < values.length; r++) {
      let code = known.get(values[r]);
      if (code === undefined) {
        code = texts.push(Number.isNaN(values[r]) ? "" : String(values[r])) - 1;
        places.push(r + 1);
        known.set(values[r], code);
      }
      codes[r] = code;
      if (r % 4096 === 4095 && yielder.due) await yielder.yield();
    }
    coded = { kind: "text", type: "text", texts, codes, places };
    codings.set(column, coded);
  }
  return coded;
}

/**
 * The number of each row of a column; NaN where it is missing.
 *
 * @throws DataError Where a cell is no number, with its place.
 */
export async function numbersOf(table: Table, name: string, cells: CellReader): Promise<Float64Array> {
  const column = columnOf(table, name), { rows } = table;
  if (column.kind === "number") return await finite(table, name, column.values, cells);
  const { texts, codes } = column, byText = new Float64Array(texts.length), values = new Float64Array(rows);
  await inBlocks(texts.length, (from, to) => {
    for (let i = from; i < to; i++) {
      const value = cells.number(texts[i], name);
      if (value === undefined) throw noNumber(table, name, column, i, cells);
      byText[i] = value;
    }
  }, 4096);
  await inBlocks(rows, (from, to) => {
    for (let r = from; r < to; r++) values[r] = byText[codes[r]];
  });
  return values;
}

/** Numbers of a file, those that stand for a missing one left out. */
async function finite(table: Table, name: string, values: Float64Array, cells: CellReader): Promise<Float64Array> {
  const out = new Float64Array(values.length);
  await inBlocks(values.length, (from, to) => {
    for (let r = from; r < to; r++) {
      const value = values[r];
      if (Math.abs(value) !== Infinity) {
        out[r] = cells.isMissingNumber(value, name) ? NaN : value;
        continue;
      }
      const word = value > 0 ? "inf" : "-inf";
      if (!cells.isMissing(word, name)) {
        throw new DataError(
          `Cannot read ${table.file}, row ${r + 1}, column "${name}": a number is needed, got ${value}; ` +
            `naValues: ["${word}"] takes it for missing`,
        );
      }
      out[r] = NaN;
    }
  });
  return out;
}

function noNumber(table: Table, name: string, column: TextColumn, i: number, cells: CellReader): DataError {
  const { texts, codes, places, type } = column;
  const bad = Uint8Array.from(texts, (text) => cells.number(text, name) === undefined ? 1 : 0);
  const good = codes.reduce((sum, code) => sum + 1 - bad[code], 0), text = JSON.stringify(texts[i]);
  const way = type === "date" || type === "time" || type === "bool"
    ? `the file says that it holds ${
      { date: "dates", time: "times", bool: "true and false" }[type]
    }: write numbers, or take it for words by categorical or kinds`
    : `naValues: [${text}] takes it for missing, decimal, thousands and strip say how numbers are written`;
  return new DataError(
    `Cannot read ${placeIn(table, places[i])}, column "${name}": a number is needed, got ${text}; ` +
      `${count(good)} of ${count(table.rows)} cells are numbers or missing; ${way}`,
  );
}

/** Which rows of a column are missing, each 1 or 0. */
export async function missingRows(column: TableColumn, name: string, cells: CellReader): Promise<Uint8Array> {
  const texts = column.kind === "number" ? [] : column.texts.map((text) => cells.isMissing(text, name) ? 1 : 0);
  const out = new Uint8Array(column.kind === "number" ? column.values.length : column.codes.length);
  await inBlocks(out.length, (from, to) => {
    if (column.kind === "text") { for (let r = from; r < to; r++) out[r] = texts[column.codes[r]]; }
    else for (let r = from; r < to; r++) out[r] = cells.isMissingNumber(column.values[r], name) ? 1 : 0;
  });
  return out;
}
