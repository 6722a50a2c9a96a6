/**
 * Tables as data: columns of numbers and of words, one of them to be predicted.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, num, type OptionTable, shown } from "../base/options.ts";
import { type Tensor, tensor } from "../tensor/mod.ts";
import { CSV_OPTIONS, type CsvOptions } from "./csv_form.ts";
import type { Dataset } from "./dataset.ts";
import { DataLoader } from "./loader.ts";
import type { Batch } from "./loader_options.ts";
import { DataLoaders, type InputsJson } from "./loaders.ts";
import { READ_TABLE, type ReadAnyTableOptions, type TableSource } from "./read_table.ts";
import { CELL_OPTIONS, type CellOptions, changedFormat } from "./table_cells.ts";
import { decodeRows, gatherRowsOf } from "./table_decode.ts";
import { encodeRow, encodeRows, encodeTable, type TableRow } from "./table_encode.ts";
import type { TabularSchema } from "./tabular_schema.ts";
import { UnseenWords } from "./unseen_words.ts";

/** A batch: numbers of words, i32 `[n, words]`; numbers, f32 `[n, numbers]`; targets, i32 or f32 `[n]`. */
export type TabularBatch = [Tensor, Tensor, Tensor];

/** Options of {@link TabularDataLoaders.testTable}. */
export interface TestTableOptions extends Omit<ReadAnyTableOptions, "columns">, CellOptions {
  /** Rows a batch; 256 by default. */
  readonly bs?: number;
}

const { columns: _, ...FORMS } = READ_TABLE;
const TEST_TABLE: OptionTable<TestTableOptions> = { ...FORMS, ...CELL_OPTIONS, bs: num };

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

  /** A loader of all rows of a file of separated values, in order, as {@link TabularDataLoaders.testTable} makes it. */
  async testCsv(file: string, options: CsvOptions & { readonly bs?: number } = {}): Promise<DataLoader<Batch>> {
    checkOptions("read rows", options, { ...CSV_OPTIONS, bs: num });
    return await this.testTable(file, { ...options, format: "csv" });
  }

  /**
   * A loader of all rows of a table, in order; its batches have inputs only. A file of separated values is read as that of
   * training was; the table has the input columns in any order, others don't matter and are not read.
   *
   * @param source A file of any kind that `DataLoaders.fromTable` takes, rows, columns, or a table as read.
   * @param options How the file and its cells are written, where that differs from training; `bs`, rows a batch.
   * @throws DataError Where a column is lacking, or a cell does not fit its column.
   */
  async testTable(
    source: TableSource,
    options: TestTableOptions = {},
  ): Promise<DataLoader<Batch>> {
    const { bs = 256, ...all } = checkOptions("read rows", options, TEST_TABLE);
    const { decimal, thousands, strip, naValues, keepDefaultNa, ...given } = all;
    const { schema } = this;
    const inputs = [...schema.numeric, ...schema.categorical.filter(({ marks }) => marks === undefined)];
    const needed = inputs.map(({ name }) => name), names = new Set(needed);
    const { tableOf } = await import("./table_of.ts"); // with the formats of files
    const table = await tableOf(source, await this.#form(source, given), (name) => names.has(name));
    const lacking = needed.filter((name) => !table.columns.has(name));
    if (lacking.length > 0) {
      throw new DataError(
        `Cannot predict for ${table.file}: it has no column ${lacking.join(", ")}; its columns are ${
          table.names.join(", ")
        }`,
      );
    }
    for (const note of table.notes) this.#unseen.note(`${table.file}: ${note}`);
    // where training's file had types, a file of text still writes missing cells as such files do
    const own = schema.typed === true && table.delimiter !== undefined
      ? { ...schema.cells, keepDefaultNa: true }
      : schema.cells;
    const cells = changedFormat(own, { decimal, thousands, strip, naValues, keepDefaultNa }), n = table.rows;
    const { words, numbers } = await encodeTable(
      schema,
      table,
      Int32Array.from({ length: n }, (_, r) => r),
      this.#unseen.see,
      cells,
    );
    return new DataLoader<Batch>({
      columns: [
        { tensor: tensor(words, { shape: [n, schema.categorical.length] }) },
        { tensor: tensor(numbers, { shape: [n, schema.numeric.length] }) },
      ],
      bs,
      seed: 0,
    });
  }

  /** How rows to predict for are written: as those of training where they are separated values, too. */
  async #form(source: TableSource, given: Omit<ReadAnyTableOptions, "columns">) {
    if (typeof source !== "string") return given;
    const { formatOfFile } = await import("./table_of.ts");
    const format = given.format ?? await formatOfFile(source, given.encoding ?? this.schema.form.encoding);
    return { ...(format === "csv" ? this.schema.form : {}), ...given, format };
  }

  /** The rows of these validation items by column name, as inputs hold them: null is missing or unseen. */
  override async validItems(at: readonly number[]): Promise<readonly TableRow[]> {
    return decodeRows(this.schema, await gatherRowsOf(this.valid), at);
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

const NO_ROWS: Dataset = {
  length: 0,
  get: () => {
    throw new DataError("Cannot get a row: there are none");
  },
};
