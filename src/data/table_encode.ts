/**
 * Rows of a table as the inputs and targets of a model.
 *
 * @module
 */
import { DataError } from "../base/errors.ts";
import { didYouMean, shown } from "../base/options.ts";
import { inBlocks } from "../base/event_loop_yielder.ts";
import { type Tensor, tensor } from "../tensor/mod.ts";
import { codedColumn, columnOf, numbersOf, placeOfRow, type Table } from "./table.ts";
import { type CellFormat, CellReader } from "./table_cells.ts";
import { type NumericColumn, type TabularSchema, wordOf, wordsByText } from "./tabular_schema.ts";
import type { OnUnseen } from "./unseen_words.ts";

/** Rows as numbers, on the host. */
export interface EncodedRows {
  /** Numbers of words, `[rows, words]`. */
  readonly words: Int32Array;
  /** Scaled numbers, `[rows, numbers]`. */
  readonly numbers: Float32Array;
}

/** What look-ups by a schema need, made once. */
interface Lookup {
  readonly cells: CellReader;
  /** Numbers of the words of each categorical column. */
  readonly words: readonly ReadonlyMap<string, number>[];
  readonly names: ReadonlySet<string>;
}

const lookups = new WeakMap<TabularSchema, Lookup>();

function lookupOf(schema: TabularSchema): Lookup {
  let found = lookups.get(schema);
  if (found === undefined) {
    const { numeric, categorical, target, unused } = schema;
    const own = categorical.filter(({ marks }) => marks === undefined);
    found = {
      cells: new CellReader(schema.cells),
      words: categorical.map(({ words }) => new Map(words.map((word, i) => [word, i + 1]))),
      names: new Set([...numeric.map((n) => n.name), ...own.map((c) => c.name), target.name, ...unused]),
    };
    lookups.set(schema, found);
  }
  return found;
}

function scaled({ mean, std, median, filled, name }: NumericColumn, value: number, where: () => string): number {
  if (filled === false && Number.isNaN(value)) {
    throw new DataError(
      `Cannot use ${where()}column "${name}": a number is needed, since training did without FillMissing, got none`,
    );
  }
  const x = ((Number.isNaN(value) ? median : value) - mean) / std;
  if (Math.abs(x) > MOST_F32) {
    throw new DataError(
      `Cannot use ${where()}column "${name}": numbers of inputs are below 3.4e38, got ${value}; Normalize in procs ` +
        "scales a column, naValues takes a mistake for missing",
    );
  }
  return x;
}

/** The largest f32. */
const MOST_F32 = (2 - 2 ** -23) * 2 ** 127;

/** The inputs of these rows of a table; `onUnseen` is told of words that training has not seen. */
export async function encodeTable(
  schema: TabularSchema,
  table: Table,
  rows: Int32Array,
  onUnseen?: OnUnseen,
  format: CellFormat = schema.cells,
): Promise<EncodedRows> {
  const { numeric, categorical } = schema, { words: numbersOfWords } = lookupOf(schema);
  const cells = format === schema.cells ? lookupOf(schema).cells : new CellReader(format);
  const nNumbers = numeric.length, nWords = categorical.length;
  const numbers = new Float32Array(rows.length * nNumbers), words = new Int32Array(rows.length * nWords);
  for (const [c, column] of numeric.entries()) {
    const values = await numbersOf(table, column.name, cells);
    await inBlocks(rows.length, (from, to) => {
      for (let i = from; i < to; i++) {
        const value = values[rows[i]], where = () => `${placeOfRow(table, columnOf(table, column.name), rows[i])}, `;
        numbers[i * nNumbers + c] = scaled(column, value, where);
        if (Number.isNaN(value) && !column.hasMissing) onUnseen?.(column.name, "");
      }
    });
  }
  for (const [c, { name, numbers: areNumbers, marks }] of categorical.entries()) {
    const known = numbersOfWords[c];
    if (marks !== undefined) {
      const values = await numbersOf(table, marks, cells), yes = known.get("yes")!, no = known.get("no")!;
      await inBlocks(rows.length, (from, to) => {
        for (let i = from; i < to; i++) words[i * nWords + c] = Number.isNaN(values[rows[i]]) ? yes : no;
      });
      continue;
    }
    const column = columnOf(table, name), coded = await codedColumn(column), { texts, codes } = coded;
    const number = wordsByText(column, coded, name, areNumbers, cells).map((word, i) => {
      const found = known.get(word ?? texts[i]) ?? (word === null ? 0 : booleanWord(known, word));
      if (found === undefined) onUnseen?.(name, texts[i]);
      return found ?? 0;
    });
    await inBlocks(rows.length, (from, to) => {
      for (let i = from; i < to; i++) words[i * nWords + c] = number[codes[rows[i]]];
    });
  }
  return { words, numbers };
}

/** The targets of these rows: numbers of classes, or scaled numbers. */
export async function encodeTarget(
  schema: TabularSchema,
  table: Table,
  rows: Int32Array,
): Promise<Int32Array | Float32Array> {
  const { target } = schema, { cells } = lookupOf(schema), column = columnOf(table, target.name);
  if (target.kind === "regress") {
    const values = await numbersOf(table, target.name, cells);
    return Float32Array.from(rows, (r) => {
      const y = (values[r] - target.mean) / target.std;
      if (Math.abs(y) <= MOST_F32) return y;
      throw new DataError(
        `Cannot read ${placeOfRow(table, column, r)}, column "${target.name}": targets are below 3.4e38, got ${
          values[r]
        }`,
      );
    });
  }
  const known = new Map(target.classes.map((name, i) => [name, i])), coded = await codedColumn(column);
  const number = wordsByText(column, coded, target.name, target.numbers, cells).map((w) => known.get(w ?? "") ?? -1);
  return Int32Array.from(rows, (r) => {
    const code = coded.codes[r];
    if (number[code] < 0) {
      throw new DataError(
        `Cannot read ${placeOfRow(table, column, r)}, column "${target.name}": no training row has this class, got ` +
          `${JSON.stringify(coded.texts[code])}; mark one of its rows for training, or leave them out`,
      );
    }
    return number[code];
  });
}

/** A cell of a row: a text as a file has it, a number, true or false; null and undefined are missing. */
export type TableCell = string | number | boolean | null | undefined;

/** A row by column name; columns that are left out are missing. */
export type TableRow = Readonly<Record<string, TableCell>>;

/**
 * One row, by column name, as the inputs of a model: numbers of words and numbers, without the batch axis. Columns that are
 * left out are missing.
 *
 * @param onUnseen Called with the column and the text of each word that training has not seen, which counts as missing; with
 * an empty text for each missing number of a column that had none missing in training.
 * @throws DataError Where a column of numbers holds something else, or the training file had no column of a name.
 */
export function encodeRow(
  schema: TabularSchema,
  row: TableRow,
  onUnseen?: (column: string, word: string) => void,
): [Tensor, Tensor] {
  const { words, numbers } = encodeHost(schema, [row], () => "", onUnseen);
  return [tensor(words, { shape: [words.length] }), tensor(numbers, { shape: [numbers.length] })];
}

/**
 * Rows as {@link encodeRow} has them, as one batch: `[n, words]` and `[n, numbers]`.
 *
 * @param onUnseen As {@link encodeRow} has it.
 * @throws DataError As {@link encodeRow}; it names the row, from 1.
 */
export function encodeRows(
  schema: TabularSchema,
  rows: readonly TableRow[],
  onUnseen?: (column: string, word: string) => void,
): [Tensor, Tensor] {
  const { words, numbers } = encodeHost(schema, rows, (r) => `row ${r + 1}, `, onUnseen);
  return [
    tensor(words, { shape: [rows.length, schema.categorical.length] }),
    tensor(numbers, { shape: [rows.length, schema.numeric.length] }),
  ];
}

function encodeHost(
  schema: TabularSchema,
  rows: readonly TableRow[],
  where: (r: number) => string,
  onUnseen?: OnUnseen,
): EncodedRows {
  const { numeric, categorical } = schema, { cells, words: known, names } = lookupOf(schema);
  const words = new Int32Array(rows.length * categorical.length),
    numbers = new Float32Array(rows.length * numeric.length);
  rows.forEach((row, r) => {
    for (const name in row) {
      if (!names.has(name)) {
        const list = [...numeric, ...categorical.filter((c) => c.marks === undefined)].map((c) => c.name);
        throw new DataError(
          `Cannot use ${where(r)}column "${name}": the model was trained on a table without it, its inputs are ` +
            `${list.join(", ")}${didYouMean(name, list)}`,
        );
      }
    }
    const cell = (name: string) => {
      const value = Object.hasOwn(row, name) ? row[name] : undefined;
      if (value === undefined || value === null || Number.isNaN(value)) return "";
      if (["string", "number", "boolean"].includes(typeof value)) {
        return typeof value === "string" ? value.trim() : value;
      }
      throw new DataError(
        `Cannot use ${where(r)}column "${name}": a cell is a text, a number, true or false, got ${shown(value)}`,
      );
    };
    const missing = (value: string | number | boolean, name: string) => cells.isMissing(String(value), name);
    categorical.forEach(({ name, numbers: areNumbers, marks }, c) => {
      const value = cell(marks ?? name);
      let number: number | undefined;
      if (marks !== undefined) number = known[c].get(missing(value, marks) ? "yes" : "no");
      else if (typeof value === "string") {
        number = missing(value, name)
          ? 0
          : known[c].get(wordOf(value, name, areNumbers, cells)) ?? booleanWord(known[c], value);
      } else number = known[c].get(String(value)) ?? booleanWord(known[c], String(value));
      if (number === undefined) onUnseen?.(name, String(value));
      words[r * categorical.length + c] = number ?? 0;
    });
    numeric.forEach((column, c) => {
      const { name } = column, value = cell(name);
      const number = typeof value === "number" && !missing(value, name) ? value : cells.number(String(value), name);
      if (number === undefined || number === Infinity || number === -Infinity) {
        throw new DataError(`Cannot use ${JSON.stringify(value)} in ${where(r)}column "${name}": a number is needed`);
      }
      numbers[r * numeric.length + c] = scaled(column, number, () => where(r));
      if (Number.isNaN(number) && !column.hasMissing) onUnseen?.(name, "");
    });
  });
  return { words, numbers };
}

/** The number of the word for true or false, which files write `True` or `TRUE`, too. */
function booleanWord(known: ReadonlyMap<string, number>, value: string): number | undefined {
  const plain = value.toLowerCase();
  if (plain !== "true" && plain !== "false") return undefined;
  return [...known].find(([word]) => word.toLowerCase() === plain)?.[1];
}
