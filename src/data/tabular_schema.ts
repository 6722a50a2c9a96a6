/**
 * What a table's columns mean as numbers, learned from its training rows, and kept with the model.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { nearestName } from "../base/options.ts";
import type { TextColumn, TextTable } from "./csv.ts";
import { type CsvOptions, headerHint } from "./csv_form.ts";
import { type CellFormat, type CellReader, isCode } from "./table_cells.ts";

/** A column of numbers: scaled to mean 0 and deviation 1, missing cells filled with the median. */
export interface NumericColumn {
  /** Name in the header. */
  readonly name: string;
  /** Of the training rows, missing cells filled. */
  readonly mean: number;
  /** Of the training rows, missing cells filled; 1 where all are equal. */
  readonly std: number;
  /** Of the training rows that have a number. */
  readonly median: number;
  /** Whether training rows miss some: then a categorical column that `marks` this one says which. */
  readonly hasMissing: boolean;
}

/** A column of words. Number 0 stands for missing and for words that training has not seen. */
export interface CategoricalColumn {
  /** Name in the header; of a column that marks missing numbers, one that the header does not have, `<name>_na`. */
  readonly name: string;
  /** Words, sorted; word `i` is number `i + 1`. */
  readonly words: readonly string[];
  /** Whether the words are numbers, so that `1`, `1.0` and `01e0` are one; false by default. */
  readonly numbers?: boolean;
  /** The column of numbers whose missing cells this one marks: its words are `no` and `yes`. */
  readonly marks?: string;
}

/** What is to be predicted. */
export type TargetColumn =
  | {
    readonly kind: "classify";
    readonly name: string;
    readonly classes: readonly string[];
    /** Whether the classes are numbers, as with columns of words; false by default. */
    readonly numbers?: boolean;
  }
  | {
    readonly kind: "regress";
    readonly name: string;
    /** Subtracted from targets: their mean in the training rows, or 0 where they are not scaled. */
    readonly mean: number;
    /** Divided out of targets: their deviation in the training rows, or 1 where they are not scaled. */
    readonly std: number;
  };

/** The whole table. Plain data: `JSON.stringify` keeps it, {@link schemaFromJson} reads it back. */
export interface TabularSchema {
  /** Version of this form. */
  readonly version: 1;
  /** Columns of numbers, in the order of the inputs. */
  readonly numeric: readonly NumericColumn[];
  /** Columns of words, in the order of the inputs. */
  readonly categorical: readonly CategoricalColumn[];
  /** What is to be predicted. */
  readonly target: TargetColumn;
  /** How cells are written. */
  readonly cells: CellFormat;
  /** How the file was said to be written; other rows are read alike. */
  readonly form: Omit<CsvOptions, "badRows">;
  /** Columns of the file that are neither inputs nor the target. */
  readonly unused: readonly string[];
}

/** The column of this name. */
export function columnOf(table: TextTable, name: string): TextColumn {
  const column = table.columns.get(name);
  if (column === undefined) {
    const names = [...table.columns.keys()];
    const shown = names.length > 40 ? [...names.slice(0, 40), `${names.length - 40} more`] : names;
    throw new ConfigError(
      `Cannot use column "${name}" of ${table.file}: its columns are ${shown.join(", ")} ` +
        `(separated by ${JSON.stringify(table.delimiter)}); did you mean ${nearestName(name, names)}?${
          headerHint(names)
        }`,
    );
  }
  return column;
}

/** A count as text. */
export function count(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** The number of each text of a column; NaN where missing. */
export function numbersOf(table: TextTable, name: string, cells: CellReader): Float64Array {
  const column = columnOf(table, name), { texts } = column, values = new Float64Array(texts.length);
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i], value = cells.number(text, name);
    if (value === undefined) {
      const bad = new Uint8Array(column.texts.length);
      column.texts.forEach((t, k) => bad[k] = cells.number(t, name) === undefined ? 1 : 0);
      const good = column.codes.reduce((sum, code) => sum + 1 - bad[code], 0);
      throw new DataError(
        `Cannot read ${table.file}:${column.lines[i]}, column "${name}": a number is needed, got ${
          JSON.stringify(text)
        }; ` +
          `${count(good)} of ${count(table.rows)} cells are numbers or missing; naValues: [${
            JSON.stringify(text)
          }] takes it for missing, decimal, thousands and strip say how numbers are written`,
      );
    }
    values[i] = value;
  }
  return values;
}

/** Mean and deviation of numbers; the deviation is 1 where all are equal. */
export function moments(values: Float64Array): { mean: number; std: number } {
  if (values.length === 0) return { mean: 0, std: 1 };
  // about the first value: equal numbers differ from it by nothing
  const [first] = values;
  let sum = 0, squares = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] - first;
  const shift = sum / values.length;
  for (let i = 0; i < values.length; i++) squares += (values[i] - first - shift) ** 2;
  const std = Math.sqrt(squares / values.length);
  return { mean: first + shift, std: std > 0 && Number.isFinite(std) ? std : 1 };
}

/** What a column of numbers is, by these training rows; null where none of them has a number. */
export function numericColumn(
  name: string,
  byText: Float64Array,
  codes: Int32Array,
  rows: Int32Array,
): NumericColumn | null {
  const values = new Float64Array(rows.length);
  let n = 0;
  for (let i = 0; i < rows.length; i++) {
    values[i] = byText[codes[rows[i]]];
    if (!Number.isNaN(values[i])) n++;
  }
  if (n === 0) return null;
  const known = values.slice().sort().subarray(0, n); // NaN is sorted to the end
  const half = known.length >> 1;
  const median = known.length % 2 === 1 ? known[half] : (known[half - 1] + known[half]) / 2;
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) values[i] = median;
  return { name, ...moments(values), median, hasMissing: n < rows.length };
}

/** Whether all words of a column are numbers, as the cells of pandas' columns with gaps are. */
export function wordsAreNumbers(column: TextColumn, name: string, cells: CellReader): boolean {
  let some = false;
  for (const text of column.texts) {
    const value = cells.number(text, name);
    if (value === undefined || isCode(text) || Math.abs(value) > Number.MAX_SAFE_INTEGER) return false;
    some ||= !Number.isNaN(value);
  }
  return some;
}

/** A cell as the word that it is among a column's words. */
export function wordOf(text: string, name: string, numbers: boolean | undefined, cells: CellReader): string {
  const value = numbers === true ? cells.number(text, name) : undefined;
  return value === undefined || Number.isNaN(value) ? text : String(value + 0);
}

/** The words of a column in these training rows, sorted. */
export function wordsOf(
  column: TextColumn,
  name: string,
  rows: Int32Array,
  numbers: boolean,
  cells: CellReader,
): string[] {
  const seen = new Uint8Array(column.texts.length);
  for (const r of rows) seen[column.codes[r]] = 1;
  const words = new Set<string>();
  column.texts.forEach((text, i) => {
    if (seen[i] === 1 && !cells.isMissing(text, name)) words.add(wordOf(text, name, numbers, cells));
  });
  return [...words].sort(numbers ? (a, b) => Number(a) - Number(b) : (a, b) => a < b ? -1 : a > b ? 1 : 0);
}
