/**
 * What a table's columns mean as numbers, learned from its training rows, and kept with the model.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import type { TextColumn, TextTable } from "./csv.ts";

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
  /** Whether training rows miss some: then a categorical column `<name>_na` says which. */
  readonly hasMissing: boolean;
}

/** A column of words. Number 0 stands for missing and for words that training has not seen. */
export interface CategoricalColumn {
  /** Name in the header, or `<name>_na`. */
  readonly name: string;
  /** Words, sorted; word `i` is number `i + 1`. */
  readonly words: readonly string[];
}

/** What is to be predicted. */
export type TargetColumn =
  | { readonly kind: "classify"; readonly name: string; readonly classes: readonly string[] }
  | { readonly kind: "regress"; readonly name: string };

/** The whole table. Plain data: `JSON.stringify` keeps it. */
export interface TabularSchema {
  /** Columns of numbers, in the order of the inputs. */
  readonly numeric: readonly NumericColumn[];
  /** Columns of words, in the order of the inputs. */
  readonly categorical: readonly CategoricalColumn[];
  /** What is to be predicted. */
  readonly target: TargetColumn;
}

/** Cells that say nothing. */
const MISSING: ReadonlySet<string> = new Set(["", "na", "n/a", "nan", "null", "none", "?"]);

/** Whether a cell says nothing. */
export function isMissing(text: string): boolean {
  return MISSING.has(text.toLowerCase());
}

/** A cell as a number; NaN where it is missing, undefined where it is something else. */
export function numberOf(text: string): number | undefined {
  if (isMissing(text)) return NaN;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** A column with no more distinct whole numbers than this holds categories, unless it is said to be numeric. */
const FEW_WHOLE_NUMBERS = 20;

/** Whether a column holds numbers that measure something, rather than name something. */
export function measures(column: TextColumn): boolean {
  const numbers = column.texts.map(numberOf);
  if (numbers.some((n) => n === undefined) || numbers.every(Number.isNaN)) return false;
  return numbers.length > FEW_WHOLE_NUMBERS || numbers.some((n) => !Number.isNaN(n) && !Number.isInteger(n));
}

/** The column of this name. */
export function columnOf(table: TextTable, name: string): TextColumn {
  const column = table.columns.get(name);
  if (column === undefined) {
    throw new ConfigError(
      `Cannot use column "${name}" of ${table.file}: its columns are ${[...table.columns.keys()].join(", ")}`,
    );
  }
  return column;
}

/** All cells of a column as numbers; NaN where missing. */
export function numbersOf(table: TextTable, name: string): Float64Array {
  const column = columnOf(table, name);
  const values = column.texts.map((text, i) => {
    const value = numberOf(text);
    if (value === undefined) {
      throw new DataError(
        `Cannot read ${table.file}:${column.lines[i]}, column "${name}": a number is needed, got "${text}"`,
      );
    }
    return value;
  });
  return Float64Array.from(column.codes, (code) => values[code]);
}

/** What a column of numbers is, by these training rows. */
export function numericColumn(name: string, values: Float64Array, rows: Int32Array): NumericColumn {
  const known = Float64Array.from(rows, (r) => values[r]).filter((v) => !Number.isNaN(v)).sort();
  if (known.length === 0) throw new DataError(`Cannot learn from column "${name}": no training row has a number in it`);
  const half = known.length >> 1;
  const median = known.length % 2 === 1 ? known[half] : (known[half - 1] + known[half]) / 2;
  let sum = 0, squares = 0;
  for (const r of rows) sum += Number.isNaN(values[r]) ? median : values[r];
  const mean = sum / rows.length;
  for (const r of rows) squares += ((Number.isNaN(values[r]) ? median : values[r]) - mean) ** 2;
  const std = Math.sqrt(squares / rows.length);
  return { name, mean, std: std > 0 ? std : 1, median, hasMissing: known.length < rows.length };
}

/** The words of a column in these training rows. */
export function wordsOf(column: TextColumn, rows: Int32Array): string[] {
  const seen = new Set<number>();
  for (const r of rows) seen.add(column.codes[r]);
  const words = [...seen].map((code) => column.texts[code]).filter((text) => !isMissing(text));
  const numbers = words.every((w) => numberOf(w) !== undefined);
  return words.sort((a, b) => numbers ? Number(a) - Number(b) : a < b ? -1 : 1);
}
