/**
 * Tables as data: columns of numbers and of words, one of them to be predicted.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, either, flag, num, oneOf, type OptionTable, shown, text, texts } from "../base/options.ts";
import { type Tensor, tensor } from "../tensor/mod.ts";
import { readCsv, type TextTable } from "./csv.ts";
import { CSV_OPTIONS, type CsvOptions } from "./csv_form.ts";
import type { Dataset } from "./dataset.ts";
import { DataLoader } from "./loader.ts";
import type { Batch } from "./loader_options.ts";
import { DataLoaders, type InputsJson } from "./loaders.ts";
import { CELL_OPTIONS, type CellOptions, CellReader, formatOf } from "./table_cells.ts";
import { encodeRow, encodeRows, encodeTable, encodeTarget, type TableRow } from "./table_encode.ts";
import { COLUMN_KINDS, type ColumnKind } from "./table_kinds.ts";
import { doubtfulPoints, hasDecimalCommas, learnSchema, planOf, type TablePlan } from "./table_plan.ts";
import { type RowSplit, splitAtRandom, splitByColumn } from "./table_split.ts";
import { columnOf, count, type TabularSchema } from "./tabular_schema.ts";
import { UnseenWords } from "./unseen_words.ts";

/** Options of `DataLoaders.fromCsv`: of the table, beside those of how the file and its cells are written. */
export interface FromCsvOptions extends CsvOptions, CellOptions {
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

const FROM_CSV: OptionTable<FromCsvOptions> = {
  ...CSV_OPTIONS,
  ...CELL_OPTIONS,
  target: text,
  task: oneOf("classify", "regress"),
  numeric: texts,
  categorical: texts,
  kinds: COLUMN_KINDS,
  dropMissingTarget: flag,
  scaleTarget: flag,
  validPct: num,
  stratify: flag,
  validColumn: text,
  bs: num,
  dropLast: either(flag, oneOf("single")),
  seed: num,
};

/** A batch: numbers of words, i32 `[n, words]`; numbers, f32 `[n, numbers]`; targets, i32 or f32 `[n]`. */
export type TabularBatch = [Tensor, Tensor, Tensor];

/** Loaders over a table. */
export class TabularDataLoaders extends DataLoaders<TabularBatch> {
  /** What the columns mean; for `encodeRow` and for files. */
  readonly schema: TabularSchema;
  readonly #unseen = new UnseenWords();

  /**
   * Puts two loaders and their schema together.
   *
   * @param notes What was found out or left out; a learner tells it.
   */
  constructor(
    train: DataLoader<TabularBatch>,
    valid: DataLoader<TabularBatch>,
    schema: TabularSchema,
    notes: readonly string[] = [],
  ) {
    const { target } = schema;
    const scaled = target.kind === "regress" && (target.mean !== 0 || target.std !== 1);
    super(train, valid, {
      nInp: 2,
      notes,
      ...(scaled ? { targetScale: { mean: target.mean, std: target.std } } : {}),
    });
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
    if (!Array.isArray(rows)) {
      throw new ConfigError(
        `Cannot make a loader of ${shown(rows)}: rows are an array, as in [${exampleRow(this.schema)}]`,
      );
    }
    if (rows.length === 0) throw new DataError("Cannot make a loader: there are no rows");
    const [words, numbers] = encodeRows(this.schema, rows, this.#unseen.see);
    return new DataLoader<Batch>({ columns: [{ tensor: words }, { tensor: numbers }], bs, seed: 0 });
  }

  /**
   * A loader of all rows of a file, in order; its batches have inputs only. The file is read as that of training was, and
   * has its input columns in any order; others don't matter.
   *
   * @param options How the file is written, where that differs from training; `bs`, rows a batch.
   * @throws DataError Where a column is lacking, or a cell does not fit its column.
   */
  async testCsv(file: string, options: CsvOptions & { readonly bs?: number } = {}): Promise<DataLoader<Batch>> {
    checkOptions("read rows", options, { ...CSV_OPTIONS, bs: num });
    const { schema } = this, table = await readCsv(file, { ...schema.form, ...options });
    const needed = [...schema.numeric, ...schema.categorical.filter(({ marks }) => marks === undefined)];
    const lacking = needed.map(({ name }) => name).filter((name) => !table.columns.has(name));
    if (lacking.length > 0) {
      throw new DataError(
        `Cannot predict for ${file}: it has no column ${lacking.join(", ")}; its columns are ${
          [...table.columns.keys()].join(", ")
        }`,
      );
    }
    const n = table.rows;
    const { words, numbers } = await encodeTable(
      schema,
      table,
      Int32Array.from({ length: n }, (_, r) => r),
      this.#unseen.see,
    );
    return new DataLoader<Batch>({
      columns: [
        { tensor: tensor(words, { shape: [n, schema.categorical.length] }) },
        { tensor: tensor(numbers, { shape: [n, schema.numeric.length] }) },
      ],
      bs: options.bs ?? 256,
      seed: 0,
    });
  }

  /** See `DataLoaders.takeNews`. */
  override takeNews(): readonly string[] {
    return this.#unseen.take(this.schema);
  }

  /** See `DataLoaders.itemForm`. */
  protected override get itemForm(): string {
    return `a row by column name, as in ${exampleRow(this.schema)}`;
  }

  /** See `DataLoaders.inputsJson`. */
  override inputsJson(): InputsJson {
    return { kind: "table", schema: this.schema };
  }

  /** A row by column name, or the tensors that `encodeRow` makes of it. */
  override itemInputs(item: readonly unknown[]): readonly Tensor[] | Promise<readonly Tensor[]> {
    const [row] = item;
    const plain = typeof row === "object" && row !== null && Object.getPrototypeOf(row) === Object.prototype;
    return item.length === 1 && plain
      ? encodeRow(this.schema, row as TableRow, this.#unseen.see)
      : super.itemInputs(item);
  }
}

/** A row as it is written. */
function exampleRow({ numeric, categorical }: TabularSchema): string {
  const name = (n: string) => /^[A-Za-z_]\w*$/.test(n) ? n : JSON.stringify(n);
  const cells = [
    ...numeric.slice(0, 2).map((c) => `${name(c.name)}: 1`),
    ...categorical.filter(({ marks }) => marks === undefined).slice(0, 2).map((c) =>
      `${name(c.name)}: ${JSON.stringify(c.words[0] ?? "")}`
    ),
  ];
  return `{ ${cells.slice(0, 3).join(", ")} }`;
}

/** Share of rows that are measured on. */
const VALID_PCT = 0.2;

const NO_ROWS: Dataset = {
  length: 0,
  get: () => {
    throw new DataError("Cannot get a row: there are none");
  },
};

/** Reads a table; see `DataLoaders.fromCsv`. */
export async function fromCsv(file: string, options: FromCsvOptions): Promise<TabularDataLoaders> {
  checkOptions("load a table", options, FROM_CSV);
  if (typeof options.target !== "string") {
    throw new ConfigError("Cannot load a table: target names the column to predict");
  }
  const { bs = 64, seed = 0, dropLast = "single" } = options;
  const table = await readCsv(file, options);
  const notes = [...table.notes];
  let format = formatOf(options);
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
  for (const name of Object.keys(format.naByColumn)) columnOf(table, name); // refuses one that there is not
  const plan = await planOf(table, options, cells);
  const { train, valid } = splitRows(table, rowsWithTarget(table, options, cells, notes), plan, options);
  if (train.length === 0) throw new DataError(`Cannot learn from ${file}: no row is left for training`);
  if (valid.length === 0 && options.validPct !== 0) {
    notes.push(
      `no row is measured on: ${options.validPct ?? VALID_PCT} of ${
        count(train.length)
      } rows is none; validPct takes more`,
    );
  }
  const schema = await learnSchema(table, train, plan, options, cells);
  notes.push(...plan.notes, ...classNotes(schema, train.length), ...missingNotes(table, plan, cells));
  const part = async (rows: Int32Array, shuffle: boolean) => {
    const { words, numbers } = await encodeTable(schema, table, rows), n = rows.length;
    return new DataLoader<TabularBatch>({
      columns: [
        { tensor: tensor(words, { shape: [n, schema.categorical.length] }) },
        { tensor: tensor(numbers, { shape: [n, schema.numeric.length] }) },
        { tensor: tensor(encodeTarget(schema, table, rows), { shape: [n] }) },
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

/** Rows that have a target; those without are an error, or left out where that is wanted. */
function rowsWithTarget(table: TextTable, options: FromCsvOptions, cells: CellReader, notes: string[]): Int32Array {
  const { target, dropMissingTarget = false } = options;
  const { texts, lines, codes } = columnOf(table, target);
  const missing = texts.map((text) => cells.isMissing(text, target));
  const all = Int32Array.from({ length: table.rows }, (_, r) => r), rows = all.filter((r) => !missing[codes[r]]);
  const lost = table.rows - rows.length;
  if (lost === 0) return rows;
  const first = missing.indexOf(true), text = JSON.stringify(texts[first]);
  if (!dropMissingTarget) {
    const words = texts[first] === "" ? "" : `; keepDefaultNa: false takes ${text} for a word like others`;
    throw new DataError(
      `Cannot read ${table.file}:${lines[first]}, column "${target}": the target is missing in ${count(lost)} of ` +
        `${count(table.rows)} rows, got ${text}; dropMissingTarget: true leaves such rows out${words}`,
    );
  }
  if (rows.length === 0) throw new DataError(`Cannot learn from ${table.file}: no row has a target "${target}"`);
  notes.push(`${count(lost)} of ${count(table.rows)} rows are left out: they have no ${target}`);
  return rows;
}

function splitRows(table: TextTable, rows: Int32Array, plan: TablePlan, options: FromCsvOptions): RowSplit {
  const { validPct = VALID_PCT, validColumn, seed = 0, stratify = true, target } = options;
  const also = validColumn === undefined
    ? undefined
    : (["validPct", "stratify"] as const).find((o) => options[o] !== undefined);
  if (also !== undefined) {
    throw new ConfigError(
      `Cannot split by validColumn "${validColumn}" and by ${also}: the column says which rows are measured on, leave ${also} out`,
    );
  }
  if (validColumn !== undefined) return splitByColumn(table, validColumn, rows);
  return splitAtRandom(rows, validPct, seed, stratify && !plan.regress ? columnOf(table, target).codes : null);
}

/** Which words of word columns count as missing without having been said to. */
function missingNotes(table: TextTable, { categorical }: TablePlan, cells: CellReader): string[] {
  const { naValues, naByColumn } = cells.format, columns = new Map<string, string[]>();
  for (const name of categorical) {
    const said = new Set(["", ...naValues, ...Object.hasOwn(naByColumn, name) ? naByColumn[name] : []]);
    for (const text of columnOf(table, name).texts) {
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
    if (target.classes.length > 20 && target.classes.length > rows / 2) {
      notes.push(`the target ${target.name} has ${count(target.classes.length)} classes in ${count(rows)} rows`);
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
