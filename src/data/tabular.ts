/**
 * Tables as data: columns of numbers and of words, one of them to be predicted.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, num, oneOf, type OptionTable, text, texts } from "../base/options.ts";
import { Rng, type Tensor, tensor } from "../tensor/mod.ts";
import {
  columnOf,
  isMissing,
  measures,
  numberOf,
  numbersOf,
  numericColumn,
  type TabularSchema,
  wordsOf,
} from "./tabular_schema.ts";
import { readCsv, type TextTable } from "./csv.ts";
import type { Dataset } from "./dataset.ts";
import { type Batch, DataLoader } from "./loader.ts";
import { DataLoaders, type InputsJson } from "./loaders.ts";

/** Options of `DataLoaders.fromCsv`. */
export interface FromCsvOptions {
  /** Column to predict. */
  readonly target: string;
  /** Whether the target names classes or is a number; by default the column itself tells. */
  readonly task?: "classify" | "regress";
  /** Columns of numbers. By default those whose cells are all numbers, and not just a few whole ones. */
  readonly numeric?: readonly string[];
  /** Columns of words. By default all others. */
  readonly categorical?: readonly string[];
  /** Fraction of rows to measure on, drawn at random; 0.2 by default. */
  readonly validPct?: number;
  /** Column whose `1`, `true`, `yes` or `valid` marks the rows to measure on, in place of `validPct`. */
  readonly validColumn?: string;
  /** Rows a batch; 64 by default. */
  readonly bs?: number;
  /** Seed of the split and of the order. */
  readonly seed?: number;
  /** What separates cells; a comma by default. */
  readonly delimiter?: string;
}

const FROM_CSV: OptionTable<FromCsvOptions> = {
  target: text,
  task: oneOf("classify", "regress"),
  numeric: texts,
  categorical: texts,
  validPct: num,
  validColumn: text,
  bs: num,
  seed: num,
  delimiter: text,
};

/** A batch: numbers of words, i32 `[n, words]`; numbers, f32 `[n, numbers]`; targets, i32 or f32 `[n]`. */
export type TabularBatch = [Tensor, Tensor, Tensor];

/** Loaders over a table. */
export class TabularDataLoaders extends DataLoaders<TabularBatch> {
  /** What the columns mean; for `encodeRow` and for files. */
  readonly schema: TabularSchema;

  /** Puts two loaders and their schema together. */
  constructor(train: DataLoader<TabularBatch>, valid: DataLoader<TabularBatch>, schema: TabularSchema) {
    super(train, valid, { nInp: 2 });
    this.schema = schema;
  }

  /** Classes of the target; none where it is a number. */
  get vocab(): readonly string[] {
    const { target } = this.schema;
    return target.kind === "classify" ? target.classes : [];
  }

  /** Loaders without rows, whose {@link TabularDataLoaders.testDl} reads rows by a schema that was kept. */
  static forRows(schema: TabularSchema): TabularDataLoaders {
    const none = () => new DataLoader<TabularBatch>({ dataset: NO_ROWS, seed: 0 });
    return new TabularDataLoaders(none(), none(), schema);
  }

  /** A loader of other rows, in order; its batches have inputs only. */
  testDl(rows: readonly TableRow[], options: { readonly bs?: number } = {}): DataLoader<Batch> {
    checkOptions("make a loader", options, { bs: num });
    const { bs = this.valid.bs } = options;
    if (rows.length === 0) throw new DataError("Cannot make a loader: there are no rows");
    const [words, numbers] = encodeRows(this.schema, rows);
    return new DataLoader<Batch>({ columns: [{ tensor: words }, { tensor: numbers }], bs, seed: 0 });
  }

  /** See `DataLoaders.inputsJson`. */
  override inputsJson(): InputsJson {
    return { kind: "table", schema: this.schema };
  }

  /** A row by column name, or the tensors that `encodeRow` makes of it. */
  override itemInputs(item: readonly unknown[]): readonly Tensor[] | Promise<readonly Tensor[]> {
    const [row] = item;
    const plain = typeof row === "object" && row !== null && Object.getPrototypeOf(row) === Object.prototype;
    return item.length === 1 && plain ? encodeRow(this.schema, row as TableRow) : super.itemInputs(item);
  }
}

const NO_ROWS: Dataset = {
  length: 0,
  get: () => {
    throw new DataError("Cannot get a row: there are none");
  },
};

/** Reads a table; see `DataLoaders.fromCsv`. */
export async function fromCsv(file: string, options: FromCsvOptions): Promise<TabularDataLoaders> {
  checkOptions("load a table", options, FROM_CSV);
  const table = await readCsv(file, options.delimiter);
  const { bs = 64, seed = 0 } = options;
  const { train, valid } = splitRows(table, options);
  const schema = learnSchema(table, train, options);
  const encoded = encode(table, schema);
  const part = (rows: Int32Array, shuffle: boolean) =>
    new DataLoader<TabularBatch>({
      columns: [
        { tensor: take(encoded.words, rows, schema.categorical.length) },
        { tensor: take(encoded.numbers, rows, schema.numeric.length) },
        { tensor: pick(encoded.target, rows) },
      ],
      bs,
      shuffle,
      seed,
    });
  return new TabularDataLoaders(part(train, true), part(valid, false), schema);
}

function pick(data: Float32Array | Int32Array, rows: Int32Array): Tensor {
  return tensor(data instanceof Int32Array ? rows.map((r) => data[r]) : Float32Array.from(rows, (r) => data[r]));
}

function take(data: Float32Array | Int32Array, rows: Int32Array, width: number): Tensor {
  const part = data instanceof Int32Array ? new Int32Array(rows.length * width) : new Float32Array(rows.length * width);
  rows.forEach((r, i) => part.set(data.subarray(r * width, (r + 1) * width), i * width));
  return tensor(part, { shape: [rows.length, width] });
}

const TRUE: ReadonlySet<string> = new Set(["1", "true", "yes", "valid"]);

/** Rows to learn from and to measure on, ascending. */
function splitRows(table: TextTable, options: FromCsvOptions): { train: Int32Array; valid: Int32Array } {
  const { validPct = 0.2, validColumn, seed = 0 } = options;
  const held = new Uint8Array(table.rows);
  if (validColumn !== undefined) {
    const column = columnOf(table, validColumn);
    column.codes.forEach((code, r) => held[r] = TRUE.has(column.texts[code].toLowerCase()) ? 1 : 0);
  } else {
    if (!(validPct >= 0 && validPct < 1)) {
      throw new ConfigError(`Cannot hold out ${validPct} of the rows: validPct is a fraction from 0, below 1`);
    }
    const order = new Rng(seed).permutation(table.rows);
    for (let i = 0; i < Math.floor(validPct * table.rows); i++) held[order[i]] = 1;
  }
  const all = Int32Array.from({ length: table.rows }, (_, r) => r);
  const train = all.filter((r) => held[r] === 0);
  if (train.length === 0) throw new DataError(`Cannot learn from ${table.file}: no row is left for training`);
  return { train, valid: all.filter((r) => held[r] === 1) };
}

function learnSchema(table: TextTable, rows: Int32Array, options: FromCsvOptions): TabularSchema {
  const { target, task, validColumn } = options;
  const targetColumn = columnOf(table, target);
  const inputs = [...table.columns.keys()].filter((name) => name !== target && name !== validColumn);
  for (const name of [...options.numeric ?? [], ...options.categorical ?? []]) {
    columnOf(table, name);
    if (name === target) throw new ConfigError(`Cannot learn from column "${name}": it is the target`);
  }
  const chosen = options.numeric !== undefined || options.categorical !== undefined;
  const numericNames = options.numeric ?? (chosen ? [] : inputs.filter((name) => measures(columnOf(table, name))));
  const wordNames = options.categorical ?? (chosen ? [] : inputs.filter((name) => !numericNames.includes(name)));
  if (numericNames.length + wordNames.length === 0) {
    throw new ConfigError(`Cannot learn from ${table.file}: no column is left as input`);
  }
  const numeric = numericNames.map((name) => numericColumn(name, numbersOf(table, name), rows));
  const categorical = wordNames.map((name) => ({ name, words: wordsOf(columnOf(table, name), rows) }));
  for (const { name, hasMissing } of numeric) {
    if (hasMissing) categorical.push({ name: `${name}_na`, words: ["no", "yes"] });
  }
  const regress = task === undefined ? measures(targetColumn) : task === "regress";
  if (regress) return { numeric, categorical, target: { kind: "regress", name: target } };
  const classes = wordsOf(targetColumn, rows);
  if (classes.length < 2) {
    throw new DataError(`Cannot classify by column "${target}" of ${table.file}: its training rows have one class`);
  }
  return { numeric, categorical, target: { kind: "classify", name: target, classes } };
}

interface Encoded {
  readonly words: Int32Array;
  readonly numbers: Float32Array;
  readonly target: Int32Array | Float32Array;
}

function encode(table: TextTable, schema: TabularSchema): Encoded {
  const { rows, file } = table;
  const { numeric, categorical, target } = schema;
  const words = new Int32Array(rows * categorical.length), numbers = new Float32Array(rows * numeric.length);
  numeric.forEach((column, c) => {
    numbersOf(table, column.name).forEach((v, r) => numbers[r * numeric.length + c] = scaled(column, v));
  });
  categorical.forEach(({ name, words: known }, c) => {
    const source = table.columns.get(name) ?? columnOf(table, name.replace(/_na$/, ""));
    const own = table.columns.has(name);
    const number = source.texts.map((text) =>
      own ? known.indexOf(text) + 1 : known.indexOf(isMissing(text) ? "yes" : "no") + 1
    );
    source.codes.forEach((code, r) => words[r * categorical.length + c] = number[code]);
  });
  const column = columnOf(table, target.name);
  const cell = (text: string, i: number, ok: boolean, rule: string) => {
    if (!ok) {
      throw new DataError(`Cannot read ${file}:${column.lines[i]}, column "${target.name}": ${rule}, got "${text}"`);
    }
  };
  if (target.kind === "regress") {
    const values = numbersOf(table, target.name);
    column.texts.forEach((text, i) => cell(text, i, !isMissing(text), "the target is missing"));
    return { words, numbers, target: Float32Array.from(values) };
  }
  const { classes } = target;
  const number = column.texts.map((text, i) => {
    const at = classes.indexOf(text);
    cell(text, i, at >= 0, isMissing(text) ? "the target is missing" : "no training row has this class");
    return at;
  });
  return { words, numbers, target: Int32Array.from(column.codes, (code) => number[code]) };
}

function scaled({ mean, std, median }: { mean: number; std: number; median: number }, value: number): number {
  return ((Number.isNaN(value) ? median : value) - mean) / std;
}

/** A row by column name; columns that are left out are missing. */
export type TableRow = Readonly<Record<string, string | number>>;

/**
 * One row, by column name, as the inputs of a model: numbers of words and numbers, without the batch axis. Columns that are
 * left out are missing.
 *
 * @throws DataError Where a column of numbers holds something else.
 */
export function encodeRow(schema: TabularSchema, row: TableRow): [Tensor, Tensor] {
  const { words, numbers } = hostRow(schema, row);
  return [tensor(words, { shape: [words.length] }), tensor(numbers, { shape: [numbers.length] })];
}

/**
 * Rows as {@link encodeRow} has them, as one batch: `[n, words]` and `[n, numbers]`.
 *
 * @throws DataError Where a column of numbers holds something else; it names the row, from 1.
 */
export function encodeRows(schema: TabularSchema, rows: readonly TableRow[]): [Tensor, Tensor] {
  const nWords = schema.categorical.length, nNumbers = schema.numeric.length;
  const words = new Int32Array(rows.length * nWords), numbers = new Float32Array(rows.length * nNumbers);
  rows.forEach((row, r) => {
    const one = hostRow(schema, row, `row ${r + 1}, `);
    words.set(one.words, r * nWords);
    numbers.set(one.numbers, r * nNumbers);
  });
  return [
    tensor(words, { shape: [rows.length, nWords] }),
    tensor(numbers, { shape: [rows.length, nNumbers] }),
  ];
}

function hostRow(schema: TabularSchema, row: TableRow, where = ""): { words: Int32Array; numbers: Float32Array } {
  const text = (name: string) => Object.hasOwn(row, name) ? String(row[name]) : "";
  const words = schema.categorical.map(({ name, words: known }) => {
    const numeric = schema.numeric.find((n) => `${n.name}_na` === name);
    if (numeric !== undefined) return known.indexOf(isMissing(text(numeric.name)) ? "yes" : "no") + 1;
    return known.indexOf(text(name)) + 1;
  });
  const numbers = schema.numeric.map((column) => {
    const value = numberOf(text(column.name));
    if (value === undefined) {
      throw new DataError(`Cannot use "${text(column.name)}" in ${where}column "${column.name}": a number is needed`);
    }
    return scaled(column, value);
  });
  return { words: Int32Array.from(words), numbers: Float32Array.from(numbers) };
}
