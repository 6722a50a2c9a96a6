/**
 * Loaders over a table, from a file or from memory.
 *
 * @module
 */
import "../entry/core.ts";
import "./mod.ts"; // there by now: bundlers are told, and leave it whole
import { ConfigError, DataError } from "../base/errors.ts";
import {
  checkArgument,
  checkOptions,
  either,
  flag,
  num,
  oneOf,
  type OptionTable,
  text,
  texts,
} from "../base/options.ts";
import { tensor } from "../tensor/mod.ts";
import { CSV_OPTIONS, type CsvOptions, givenForm } from "./csv_form.ts";
import { DataLoader } from "./loader.ts";
import { TABLE_FORMAT, type TableFormat, type TableSource } from "./read_table.ts";
import { tableOf } from "./table_of.ts";
import { codedColumn, columnOf, count, missingRows, placeOfRow, type Table, type Wanted } from "./table.ts";
import { CELL_OPTIONS, type CellOptions, CellReader, formatOf } from "./table_cells.ts";
import { encodeTable, encodeTarget } from "./table_encode.ts";
import { COLUMN_KINDS, type ColumnKind } from "./table_kinds.ts";
import { preparationOf, PROCS, type TableProc } from "./table_procs.ts";
import { doubtfulPoints, hasDecimalCommas, learnSchema, planOf, type TablePlan } from "./table_plan.ts";
import { type RowSplit, splitAtRandom, splitByColumn } from "./table_split.ts";
import { type TabularBatch, TabularDataLoaders } from "./tabular.ts";
import type { TabularSchema } from "./tabular_schema.ts";

/** Options of `DataLoaders.fromTable`: of the table, beside those of how a file of separated values and its cells are written. */
export interface FromTableOptions extends CsvOptions, CellOptions {
  /** What kind of file it is; by default the file itself tells. */
  readonly format?: TableFormat;
  /** Column to predict. */
  readonly target: string;
  /** Whether the target names classes or is a number; by default the column itself tells. */
  readonly task?: "classify" | "regress";
  /**
   * Columns of numbers; then only these and those of `categorical` are inputs. By default columns whose cells are all
   * numbers, and not just a few whole ones.
   */
  readonly numeric?: readonly string[];
  /** Columns of words; then only these and those of `numeric` are inputs. By default all others that repeat their words. */
  readonly categorical?: readonly string[];
  /** What single columns are, where all others are found out: `{ zip: "categorical", day: "ignore" }`. */
  readonly kinds?: Readonly<Record<string, ColumnKind>>;
  /**
   * What is done to columns, as in `[Categorify, FillMissing, Normalize]`, in any order; what is not named is not done. All
   * three by default. Words need `Categorify`, columns with missing numbers `FillMissing`.
   */
  readonly procs?: readonly TableProc[];
  /** Whether rows without a target are left out; by default they are an error. */
  readonly dropMissingTarget?: boolean;
  /** Whether a number to predict is scaled to mean 0 and deviation 1 for the model; true by default. */
  readonly scaleTarget?: boolean;
  /** Fraction of rows to measure on, drawn at random; 0.2 by default. */
  readonly validPct?: number;
  /** Whether each class gives its share of the rows to measure on, and keeps one for training; true by default. */
  readonly stratify?: boolean;
  /** Column that marks the rows to measure on by `1`, `true`, `yes` or `valid`, in place of `validPct`. */
  readonly validColumn?: string;
  /** Rows a batch; 64 by default. */
  readonly bs?: number;
  /**
   * Whether a last, shorter training batch is left out. By default "single": only one of a single row is, which batch norm
   * cannot train on; it is another row in every epoch.
   */
  readonly dropLast?: boolean | "single";
  /** Seed of the split and of the order; 0 by default: the rows to measure on stay the same. */
  readonly seed?: number;
}

const FROM_TABLE: OptionTable<FromTableOptions> = {
  ...CSV_OPTIONS,
  ...CELL_OPTIONS,
  format: TABLE_FORMAT,
  target: text,
  task: oneOf("classify", "regress"),
  numeric: texts,
  categorical: texts,
  kinds: COLUMN_KINDS,
  procs: PROCS,
  dropMissingTarget: flag,
  scaleTarget: flag,
  validPct: num,
  stratify: flag,
  validColumn: text,
  bs: num,
  dropLast: either(flag, oneOf("single")),
  seed: num,
};

/** Options of `DataLoaders.fromCsv`. */
export type FromCsvOptions = Omit<FromTableOptions, "format">;

const { format: _, ...FROM_CSV } = FROM_TABLE;

/** Share of rows that are measured on. */
const VALID_PCT = 0.2;

/** Makes loaders; see `DataLoaders.fromCsv`. */
export async function fromCsv(file: string, options: FromCsvOptions): Promise<TabularDataLoaders> {
  checkOptions("load a table", options, FROM_CSV);
  checkArgument("load a table", "file", file, text);
  return await fromTable(file, { ...options, format: "csv" });
}

/** Makes loaders; see `DataLoaders.fromTable`. */
export async function fromTable(source: TableSource, options: FromTableOptions): Promise<TabularDataLoaders> {
  checkOptions("load a table", options, FROM_TABLE);
  if (typeof options.target !== "string") {
    throw new ConfigError("Cannot load a table: target names the column to predict");
  }
  const { bs = 64, seed = 0, dropLast = "single" } = options;
  const table = await tableOf(source, formOf(options), wantedOf(options)), { file } = table;
  const notes = [...table.notes], ofText = table.delimiter !== undefined;
  // texts of a file that has types, and nothing for what is missing, are words: Namibia's code is NA
  let format = formatOf({ ...options, keepDefaultNa: options.keepDefaultNa ?? ofText });
  if (options.decimal === undefined && hasDecimalCommas(table, new CellReader(format))) {
    format = formatOf({ ...options, decimal: "," });
    notes.push('numbers are read with decimal commas; decimal: "." reads points');
  }
  const cells = new CellReader(format), points = options.decimal === undefined ? doubtfulPoints(table, cells) : [];
  if (points.length > 0) {
    notes.push(
      `cells such as 1.234 of ${
        points.join(", ")
      } are read with decimal points; decimal: ",", thousands: "." reads thousands`,
    );
  }
  for (const name of Object.keys(format.naByColumn)) if (!table.names.includes(name)) columnOf(table, name); // refuses it
  const plan = await planOf(table, options, cells);
  const { train, valid } = await splitRows(table, await rowsWithTarget(table, options, cells, notes), plan, options);
  if (train.length === 0) throw new DataError(`Cannot learn from ${file}: no row is left for training`);
  if (valid.length === 0 && options.validPct !== 0) {
    notes.push(
      `no row is measured on: ${options.validPct ?? VALID_PCT} of ${
        count(train.length)
      } rows is none; validPct takes more`,
    );
  }
  const schema = await learnSchema(table, train, plan, options, cells, preparationOf(options.procs));
  notes.push(...plan.notes, ...classNotes(schema, train.length), ...(ofText ? missingNotes(table, plan, cells) : []));
  const part = async (rows: Int32Array, shuffle: boolean) => {
    const { words, numbers } = await encodeTable(schema, table, rows), n = rows.length;
    const targets = await encodeTarget(schema, table, rows);
    if (shuffle && plan.regress && n > 1 && targets.every((y) => y === targets[0])) {
      notes.push(
        `the target ${schema.target.name} is one number in all ${count(n)} training rows: nothing is to be learned`,
      );
    }
    return new DataLoader<TabularBatch>({
      columns: [
        { tensor: tensor(words, { shape: [n, schema.categorical.length] }) },
        { tensor: tensor(numbers, { shape: [n, schema.numeric.length] }) },
        { tensor: tensor(targets, { shape: [n] }) },
      ],
      bs,
      shuffle,
      seed,
      dropLast: shuffle ? dropLast : false,
    });
  };
  return new TabularDataLoaders(
    await part(train, true),
    await part(valid, false),
    schema,
    notes.map((note) => `${file}: ${note}`),
  );
}

/** How the source is written, as far as that was said. */
function formOf(options: FromTableOptions) {
  const { format, badRows } = options, more = Object.entries({ format, badRows });
  return { ...givenForm(options), ...Object.fromEntries(more.filter(([, value]) => value !== undefined)) };
}

/** Which columns are read: those that are named, or all but those that are to be ignored. */
function wantedOf({ target, validColumn, numeric, categorical, kinds = {} }: FromTableOptions): Wanted {
  if (numeric === undefined && categorical === undefined) return (name) => kinds[name] !== "ignore" || name === target;
  return (name) => [target, validColumn, ...numeric ?? [], ...categorical ?? []].includes(name);
}

/** Rows that have a target; those without are an error, or left out where that is wanted. */
async function rowsWithTarget(
  table: Table,
  options: FromTableOptions,
  cells: CellReader,
  notes: string[],
): Promise<Int32Array> {
  const { target, dropMissingTarget = false } = options;
  const column = columnOf(table, target), missing = await missingRows(column, target, cells);
  const first = missing.indexOf(1), rows = new Int32Array(missing.reduce((n, m) => n - m, table.rows));
  if (first < 0) return rows.map((_, r) => r);
  for (let r = 0, n = 0; r < table.rows; r++) if (missing[r] === 0) rows[n++] = r;
  const lost = table.rows - rows.length, cell = column.kind === "text" ? column.texts[column.codes[first]] : "";
  if (!dropMissingTarget) {
    const text = JSON.stringify(cell);
    const words = cell === "" || !cells.format.keepDefaultNa
      ? ""
      : `; keepDefaultNa: false takes ${text} for a word like others`;
    throw new DataError(
      `Cannot read ${placeOfRow(table, column, first)}, column "${target}": the target is missing in ${
        count(lost)
      } of ` +
        `${count(table.rows)} rows, got ${text}; dropMissingTarget: true leaves such rows out${words}`,
    );
  }
  if (rows.length === 0) throw new DataError(`Cannot learn from ${table.file}: no row has a target "${target}"`);
  notes.push(`${count(lost)} of ${count(table.rows)} rows are left out: they have no ${target}`);
  return rows;
}

async function splitRows(
  table: Table,
  rows: Int32Array,
  plan: TablePlan,
  options: FromTableOptions,
): Promise<RowSplit> {
  const { validPct = VALID_PCT, validColumn, seed = 0, stratify = true, target } = options;
  const also = validColumn === undefined
    ? undefined
    : (["validPct", "stratify"] as const).find((o) => options[o] !== undefined);
  if (also !== undefined) {
    throw new ConfigError(
      `Cannot split by validColumn "${validColumn}" and by ${also}: the column says which rows are measured on, leave ${also} out`,
    );
  }
  if (validColumn !== undefined) return await splitByColumn(table, validColumn, rows);
  const classes = stratify && !plan.regress ? (await codedColumn(columnOf(table, target))).codes : null;
  return await splitAtRandom(rows, validPct, seed, classes);
}

/** Which words of word columns count as missing without having been said to. */
function missingNotes(table: Table, { categorical }: TablePlan, cells: CellReader): string[] {
  const { naValues, naByColumn } = cells.format, columns = new Map<string, string[]>();
  for (const name of categorical) {
    const said = new Set(["", ...naValues, ...Object.hasOwn(naByColumn, name) ? naByColumn[name] : []]);
    const column = columnOf(table, name);
    for (const text of column.kind === "text" ? column.texts : []) {
      if (!said.has(text) && cells.isMissing(text, name)) columns.set(text, [...columns.get(text) ?? [], name]);
    }
  }
  return [...columns].map(([text, names]) =>
    `"${text}" of ${names.join(", ")} counts as missing; keepDefaultNa: false takes it for a word`
  );
}

/** What is odd about the classes of a target, and about words. */
function classNotes({ target, categorical }: TabularSchema, rows: number): string[] {
  const notes: string[] = [];
  const lists = categorical.filter(({ marks }) => marks === undefined).map(({ name, words }) => ({ name, words }));
  if (target.kind === "classify") {
    lists.unshift({ name: target.name, words: target.classes });
    if (target.classes.length > Math.max(2, rows / 2)) {
      const way = target.numbers === true ? '; task: "regress" predicts a number' : "";
      notes.push(`the target ${target.name} has ${count(target.classes.length)} classes in ${count(rows)} rows${way}`);
    }
  }
  for (const { name, words } of lists) {
    const known = new Map<string, string>();
    for (const word of words) {
      const plain = word.toLowerCase(), other = known.get(plain);
      if (other !== undefined) {
        notes.push(`"${other}" and "${word}" of ${name} are two words that differ in case only`);
        break;
      }
      known.set(plain, word);
    }
  }
  return notes;
}
