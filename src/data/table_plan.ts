/**
 * What a table's columns are used for, and what they are in its training rows.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { didYouMean } from "../base/options.ts";
import { EventLoopYielder } from "../base/event_loop_yielder.ts";
import { type CsvOptions, givenForm } from "./csv_form.ts";
import { columnOf, count, numbersOf, placeOfRow, type Table } from "./table.ts";
import type { CellReader } from "./table_cells.ts";
import type { Preparation } from "./table_procs.ts";
import { type ColumnKind, kindOf, targetMeasures } from "./table_kinds.ts";
import {
  type CategoricalColumn,
  moments,
  type NumericColumn,
  numericColumn,
  type TabularSchema,
  wordsAreNumbers,
  wordsOf,
} from "./tabular_schema.ts";

/** Options that say what columns are for. */
export interface PlanOptions extends CsvOptions {
  /** Column to predict. */
  readonly target: string;
  /** What the target is. */
  readonly task?: "classify" | "regress";
  /** Columns of numbers. */
  readonly numeric?: readonly string[];
  /** Columns of words. */
  readonly categorical?: readonly string[];
  /** What single columns are. */
  readonly kinds?: Readonly<Record<string, ColumnKind>>;
  /** Column that marks rows to measure on. */
  readonly validColumn?: string;
  /** Whether a number to predict is scaled. */
  readonly scaleTarget?: boolean;
}

/** What columns are for. */
export interface TablePlan {
  /** Columns of numbers. */
  readonly numeric: readonly string[];
  /** Columns of words. */
  readonly categorical: readonly string[];
  /** Columns that are no inputs. */
  readonly unused: readonly string[];
  /** Whether the target is a number. */
  readonly regress: boolean;
  /** What is left out. */
  readonly notes: readonly string[];
}

const KINDS: readonly ColumnKind[] = ["numeric", "categorical", "ignore"];

/** Finds out what columns are for. */
export async function planOf(table: Table, options: PlanOptions, cells: CellReader): Promise<TablePlan> {
  const { target, task, validColumn, numeric, categorical, kinds = {} } = options;
  columnOf(table, target);
  const regress = task === undefined ? await targetMeasures(table, target, cells) : task === "regress";
  const chosen = numeric !== undefined || categorical !== undefined;
  if (chosen && Object.keys(kinds).length > 0) {
    throw new ConfigError(
      "Cannot choose columns by kinds beside numeric and categorical: these name all inputs, kinds only some of them",
    );
  }
  const named = [...numeric ?? [], ...categorical ?? []];
  for (const name of [...named, ...Object.keys(kinds)]) {
    if (!table.names.includes(name)) columnOf(table, name); // refuses it
    if (name === target) throw new ConfigError(`Cannot learn from column "${name}": it is the target`);
    if (name === validColumn) throw new ConfigError(`Cannot learn from column "${name}": it marks rows to measure on`);
  }
  const twice = named.find((name, i) => named.indexOf(name) < i);
  if (twice !== undefined) throw new ConfigError(`Cannot learn from column "${twice}" twice: name it once`);
  for (const [name, kind] of Object.entries(kinds)) {
    if (KINDS.includes(kind)) continue;
    throw new ConfigError(
      `Cannot take column "${name}" for ${String(kind)}: it is ${KINDS.join(", ")}${didYouMean(String(kind), KINDS)}`,
    );
  }
  const inputs = [...table.columns.keys()].filter((name) => name !== target && name !== validColumn);
  const reasons = new Map<string, string[]>(), more: string[] = [];
  const found = new Map<string, ColumnKind>(Object.entries(kinds));
  for (const name of chosen ? [] : inputs.filter((name) => !found.has(name))) {
    const { kind, why, note } = await kindOf(table, name, cells);
    if (note !== undefined) more.push(note);
    if (why !== undefined) reasons.set(why, [...reasons.get(why) ?? [], name]);
    found.set(name, kind);
  }
  const of = (kind: ColumnKind) => inputs.filter((name) => found.get(name) === kind);
  const notes = [...reasons].map(([why, names]) =>
    names.length === 1
      ? `column ${names[0]} is left out: ${why}`
      : `columns ${names.join(", ")} are left out: in each, ${why}`
  );
  if (notes.length > 0) notes[notes.length - 1] += '; kinds: { <column>: "categorical" } or "numeric" takes one in';
  notes.push(...more);
  const plan = { numeric: numeric ?? of("numeric"), categorical: categorical ?? of("categorical"), regress, notes };
  const used = new Set([...plan.numeric, ...plan.categorical, target]);
  if (used.size === 1) {
    throw new ConfigError(`Cannot learn from ${table.file}: no column is left as input${["", ...notes].join("; ")}`);
  }
  return { ...plan, unused: table.names.filter((name) => !used.has(name)) };
}

/** Whether a file writes decimal commas, as files with semicolons do: none of its columns has decimal points. */
export function hasDecimalCommas(table: Table, cells: CellReader): boolean {
  if (table.delimiter === undefined || table.delimiter === "," || cells.format.thousands === ",") return false;
  let found = false;
  for (const [name, column] of table.columns) {
    const texts = column.kind === "text" ? column.texts : [];
    let points = false, commas = false, plain = true, sure = false;
    for (const text of texts) {
      if (cells.isMissing(text, name)) continue;
      const comma = /^[+-]?\d+,\d+(?:[eE][+-]?\d+)?$/.test(text);
      commas ||= comma;
      // 1,234 may be a thousand
      sure ||= comma && !/^[+-]?[1-9]\d{0,2},\d{3}$/.test(text);
      points ||= /^[+-]?\d+\.\d+$/.test(text);
      plain &&= comma || /^[+-]?\d+$/.test(text);
    }
    if (points && !commas) return false;
    found ||= commas && sure && plain;
  }
  return found;
}

/** Columns whose points may stand between thousands, as in `1.100`, in files that aren't separated by commas. */
export function doubtfulPoints(table: Table, cells: CellReader): string[] {
  if (
    table.delimiter === undefined || table.delimiter === "," || cells.format.decimal === "," ||
    cells.format.thousands !== ""
  ) return [];
  return [...table.columns].filter(([name, column]) => {
    const known = (column.kind === "text" ? column.texts : []).filter((text) => !cells.isMissing(text, name));
    return known.length >= 5 && known.every((text) => /^[+-]?[1-9]\d{0,2}\.\d{3}$/.test(text));
  }).map(([name]) => name);
}

/** What the columns of a plan are in these training rows. */
export async function learnSchema(
  table: Table,
  rows: Int32Array,
  plan: TablePlan,
  options: PlanOptions,
  cells: CellReader,
  preparation: Preparation,
): Promise<TabularSchema> {
  const { target, scaleTarget = true } = options, { categorify, fill } = preparation;
  if (!categorify && plan.categorical.length > 0) {
    throw new ConfigError(
      `Cannot learn from the words of ${
        plan.categorical.join(", ")
      } without Categorify, which makes numbers of them: ` +
        "name it in procs, or name the inputs in numeric",
    );
  }
  const stranger = typeof fill?.fillVals === "object"
    ? Object.keys(fill.fillVals).find((name) => !plan.numeric.includes(name))
    : undefined;
  if (stranger !== undefined) {
    throw new ConfigError(
      `Cannot fill column "${stranger}" by fillVals: the columns of numbers are ${plan.numeric.join(", ") || "none"}` +
        didYouMean(stranger, plan.numeric),
    );
  }
  const numeric: NumericColumn[] = [], categorical: CategoricalColumn[] = [], yielder = new EventLoopYielder();
  for (const name of plan.numeric) {
    const values = await numbersOf(table, name, cells), column = await numericColumn(name, values, rows, preparation);
    if (column === null) {
      throw new DataError(
        `Cannot learn from column "${name}" of ${table.file}: no training row has a number in it; ` +
          `kinds: { ${JSON.stringify(name)}: "ignore" } leaves it out`,
      );
    }
    if (column.hasMissing && fill === null) {
      const missing = rows.filter((r) => Number.isNaN(values[r]));
      throw new DataError(
        `Cannot read ${placeOfRow(table, columnOf(table, name), missing[0])}, column "${name}": ` +
          `${count(missing.length)} of ${
            count(rows.length)
          } training rows have no number in it; FillMissing in procs ` +
          "fills them",
      );
    }
    numeric.push(column);
    if (yielder.due) await yielder.yield();
  }
  const learnWords = async (name: string) => {
    const column = columnOf(table, name), numbers = wordsAreNumbers(column, name, cells);
    return { words: await wordsOf(column, name, rows, numbers, cells), ...(numbers ? { numbers } : {}) };
  };
  for (const name of plan.categorical) {
    categorical.push({ name, ...await learnWords(name) });
    if (yielder.due) await yielder.yield();
  }
  const taken = new Set(table.names);
  for (const { name, hasMissing } of numeric) {
    if (!hasMissing || fill?.addCol === false) continue;
    if (!categorify) {
      throw new ConfigError(
        `Cannot mark the missing cells of ${name} without Categorify: FillMissing adds a column of words that says which; ` +
          "name Categorify in procs, or fill by new FillMissing({ addCol: false })",
      );
    }
    let mark = `${name}_na`;
    for (let i = 2; taken.has(mark); i++) mark = `${name}_na_${i}`;
    taken.add(mark);
    categorical.push({ name: mark, words: ["no", "yes"], marks: name });
  }
  const rest = {
    version: 1,
    numeric,
    categorical,
    cells: cells.format,
    form: givenForm(options),
    unused: plan.unused,
    ...(table.delimiter === undefined ? { typed: true } : {}),
  } as const;
  if (plan.regress) {
    const values = await numbersOf(table, target, cells);
    const scale = scaleTarget ? moments(Float64Array.from(rows, (r) => values[r])) : { mean: 0, std: 1 };
    return { ...rest, target: { kind: "regress", name: target, ...scale } };
  }
  const { words: classes, ...more } = await learnWords(target);
  if (classes.length < 2) {
    throw new DataError(
      `Cannot classify by column "${target}" of ${table.file}: its training rows have one class, ${classes[0]}`,
    );
  }
  return { ...rest, target: { kind: "classify", name: target, classes, ...more } };
}
