/**
 * What a table's columns mean as numbers, learned from its training rows, and kept with the model.
 *
 * @module
 */
import { EventLoopYielder, inBlocks } from "../base/event_loop_yielder.ts";
import type { CsvOptions } from "./csv_form.ts";
import { codedColumn, type TableColumn, type TextColumn } from "./table.ts";
import { type CellFormat, type CellReader, isCode } from "./table_cells.ts";
import type { Preparation } from "./table_procs.ts";

/** A column of numbers: `(x - mean) / std`, missing cells filled. */
export interface NumericColumn {
  /** Name in the header. */
  readonly name: string;
  /** Of the training rows, missing cells filled; 0 where numbers are not scaled. */
  readonly mean: number;
  /** Of the training rows, missing cells filled; 1 where all are equal, or numbers are not scaled. */
  readonly std: number;
  /** What missing cells are filled with: the median of the training rows that have a number, unless `FillMissing` says other. */
  readonly median: number;
  /** Whether training rows miss some: then a categorical column that `marks` this one says which, unless that is not wanted. */
  readonly hasMissing: boolean;
  /** False where missing cells are not filled: a row with one is refused. */
  readonly filled?: false;
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
  /** Whether the file of training said which column has which type: `NA` was a word there; false by default. */
  readonly typed?: boolean;
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
  if (std < Infinity) return { mean: first + shift, std: std > 0 ? std : 1 };
  // squares are beyond f64: those of the numbers divided by the largest are not
  const most = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0), part = moments(values.map((v) => v / most));
  return { mean: part.mean * most, std: part.std * most };
}

/** What a column of numbers is, by these training rows of its values; null where none of them has a number. */
export async function numericColumn(
  name: string,
  values: Float64Array,
  rows: Int32Array,
  { fill, normalize }: Preparation,
): Promise<NumericColumn | null> {
  const all = new Float64Array(rows.length), known = new Float64Array(rows.length);
  let n = 0;
  await inBlocks(rows.length, (from, to) => {
    for (let i = from; i < to; i++) {
      const value = all[i] = values[rows[i]];
      if (!Number.isNaN(value)) known[n++] = value;
    }
  });
  if (n === 0) return null;
  const strategy = fill?.fillStrategy ?? "median";
  const median = strategy === "constant"
    ? fill!.constantOf(name)
    : await (strategy === "mode" ? modeOf : medianOf)(known.subarray(0, n));
  for (let i = 0; i < all.length; i++) if (Number.isNaN(all[i])) all[i] = median;
  const scale = normalize ? moments(all) : { mean: 0, std: 1 };
  return { name, ...scale, median, hasMissing: n < rows.length, ...(fill === null ? { filled: false } : {}) };
}

/** The most frequent of some numbers; of several the one that comes first. */
async function modeOf(values: Float64Array): Promise<number> {
  const counts = new Map<number, number>();
  await inBlocks(values.length, (from, to) => {
    for (let i = from; i < to; i++) counts.set(values[i], (counts.get(values[i]) ?? 0) + 1);
  });
  let [best, most] = [NaN, 0];
  for (const [value, n] of counts) if (n > most) [best, most] = [value, n];
  return best;
}

/** The median of numbers, which it puts into another order (Hoare's selection). */
async function medianOf(values: Float64Array): Promise<number> {
  const half = values.length >> 1, upper = await select(values, half);
  if (values.length % 2 === 1) return upper;
  let lower = -Infinity; // the largest of those below
  await inBlocks(half, (from, to) => {
    for (let i = from; i < to; i++) if (values[i] > lower) lower = values[i];
  });
  return (lower + upper) / 2;
}

/** The number at place `k` of the sorted order; those in front of it are not larger then. */
async function select(values: Float64Array, k: number): Promise<number> {
  const yielder = new EventLoopYielder();
  let from = 0, to = values.length - 1;
  while (from < to) {
    const pivot = middle(values[from], values[(from + to) >> 1], values[to]);
    let i = from, j = to;
    while (i <= j) {
      while (values[i] < pivot) i++;
      while (values[j] > pivot) j--;
      if (i > j) break;
      const value = values[i];
      values[i++] = values[j];
      values[j--] = value;
    }
    if (k <= j) to = j;
    else if (k >= i) from = i;
    else break;
    if (yielder.due) await yielder.yield();
  }
  return values[k];
}

function middle(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

/** Whether all words of a column are numbers, as the cells of pandas' columns with gaps are. */
export function wordsAreNumbers(column: TableColumn, name: string, cells: CellReader): boolean {
  if (column.kind === "number") return true;
  if (column.type !== "cells") return false;
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

/** For each text of a column the word that it is; null where it is missing. */
export function wordsByText(
  column: TableColumn,
  { texts }: TextColumn,
  name: string,
  numbers: boolean | undefined,
  cells: CellReader,
): (string | null)[] {
  if (column.kind === "number") {
    return texts.map((text) => text === "" || cells.isMissingNumber(Number(text), name) ? null : text);
  }
  return texts.map((text) => cells.isMissing(text, name) ? null : wordOf(text.trim(), name, numbers, cells));
}

/** The words of a column in these training rows, sorted. */
export async function wordsOf(
  column: TableColumn,
  name: string,
  rows: Int32Array,
  numbers: boolean,
  cells: CellReader,
): Promise<string[]> {
  const coded = await codedColumn(column), { texts, codes } = coded, seen = new Uint8Array(texts.length);
  for (const r of rows) seen[codes[r]] = 1;
  const words = new Set<string>();
  wordsByText(column, coded, name, numbers, cells).forEach((word, i) => {
    if (seen[i] === 1 && word !== null) words.add(word);
  });
  return [...words].sort(numbers ? (a, b) => Number(a) - Number(b) : (a, b) => a < b ? -1 : a > b ? 1 : 0);
}
