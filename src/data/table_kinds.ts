/**
 * Which columns of a table hold numbers and which words, as far as the cells themselves tell; what they do not tell is asked.
 *
 * @module
 */
import { EventLoopYielder, inBlocks } from "../base/event_loop_yielder.ts";
import { DataError } from "../base/errors.ts";
import { type OptionKind, other } from "../base/options.ts";
import { columnOf, count, type NumberColumn, type Table, type TableColumn, type TextColumn } from "./table.ts";
import { besideNumber, type CellReader, isCode, type NumberForm, numberLike } from "./table_cells.ts";

/** What a column holds. */
export type ColumnKind = "numeric" | "categorical" | "ignore";

/** What kinds of columns may be, as an option. */
export const COLUMN_KINDS: OptionKind<Readonly<Record<string, ColumnKind>>> = other(
  'kinds by column, each "numeric", "categorical" or "ignore"',
  (v) => typeof v === "object" && v !== null && !Array.isArray(v),
);

/** A kind, and why a column is left out. */
export interface FoundKind {
  /** The kind. */
  readonly kind: ColumnKind;
  /** Why the column is left out, as in "it is empty". */
  readonly why?: string;
  /** What else is to be said of it. */
  readonly note?: string;
}

/** A column with no more distinct whole numbers than this holds categories, unless it is said to be numeric. */
const FEW_WHOLE_NUMBERS = 20;
/** Classes that a target of whole numbers may have, however few rows there are. */
const MOST_SMALL_CLASSES = 9;
/** Share of cells below which those that are no numbers are taken for mistakes. */
const FEW_CELLS = 0.05;
/** Columns of fewer distinct words than this are never left out for having too many. */
const FEW_WORDS = 10;
/** Cells that tell of nothing, in tables of others. */
const NOTHING =
  /^(?:[^\p{L}\p{N}]+|[+-]?inf(?:inity)?|missing|unknown|unk|undefined|na|n\.a\.?|none|nil|null|nan|void)$/iu;

/** Whether a column's name is one of identities. */
function isIdentity(name: string): boolean {
  return /(?:^|[\s_.-])(?:id|index|uuid|key)$/i.test(name) || /[a-z]I[dD]$/.test(name);
}

/** Dates, and times of days. */
const DATE =
  /^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2,4}|[A-Za-z]{3,9}\.? \d{1,2},? \d{4})(?:[T ]\S.*)?$/;
/** More distinct dates than this are no categories. */
const FEW_DATES = 31;

interface Odd {
  readonly text: string;
  readonly line: number;
}

/** What the cells of a column are. */
class Cells {
  constructor(readonly decimal: "." | ",") {}

  /** Rows with a cell that is not missing. */
  known = 0;
  /** Of them, rows with a number. */
  numbers = 0;
  /** Distinct texts that are not missing. */
  distinct = 0;
  /** Texts that are neither missing nor numbers, in the order of the file. */
  readonly odd: Odd[] = [];
  whole = true;
  /** Whether words are dates. */
  dates = true;
  codes = false;
  /** Whether some are whole numbers that no number here holds exactly: two that differ would become one. */
  huge = false;

  /** Looks at all cells. */
  static async of(column: TableColumn, name: string, cells: CellReader): Promise<Cells> {
    return await (column.kind === "text" ? Cells.#ofTexts(column, name, cells) : Cells.#ofNumbers(column, name, cells));
  }

  static async #ofNumbers({ values }: NumberColumn, name: string, cells: CellReader): Promise<Cells> {
    const found = new Cells(cells.format.decimal), seen = new Set<number>();
    // identities are told by their names, and where no number stands twice
    let enough = isIdentity(name) ? Infinity : FEW_WHOLE_NUMBERS + 1;
    await inBlocks(values.length, (from, to) => {
      for (let r = from; r < to; r++) {
        if (cells.isMissingNumber(values[r], name)) continue;
        found.known++;
        found.whole &&= Number.isInteger(values[r]);
        if (seen.size >= enough) continue;
        seen.add(values[r]);
        if (seen.size < found.known) enough = FEW_WHOLE_NUMBERS + 1;
      }
    });
    found.numbers = found.known;
    found.distinct = seen.size;
    return found;
  }

  static async #ofTexts({ texts, places, codes }: TextColumn, name: string, cells: CellReader): Promise<Cells> {
    const found = new Cells(cells.format.decimal),
      rows = new Int32Array(texts.length),
      yielder = new EventLoopYielder();
    for (const code of codes) rows[code]++;
    for (let i = 0; i < texts.length; i++) {
      if (i % 4096 === 4095 && yielder.due) await yielder.yield();
      const text = texts[i], value = cells.number(text, name);
      if (Number.isNaN(value)) continue;
      found.distinct++;
      found.known += rows[i];
      if (value === undefined) {
        found.dates &&= DATE.test(text);
        found.odd.push({ text, line: places[i] });
        continue;
      }
      found.numbers += rows[i];
      found.whole &&= Number.isInteger(value);
      found.codes ||= isCode(text);
      found.huge ||= Math.abs(value) > Number.MAX_SAFE_INTEGER && /^[+-]?\d+$/.test(text);
    }
    return found;
  }

  /** Whether the cells that are no numbers look like mistakes, or like numbers that are written in another way. */
  get doubtful(): boolean {
    const { odd, known, numbers } = this, bad = known - numbers;
    if (odd.length === 0 || this.codes) return false;
    if (numbers >= 3 && (bad <= FEW_CELLS * known || bad === 1)) return true;
    const like = odd.filter(({ text }) => numberLike(text, this.decimal) !== null).length;
    const none = odd.filter(({ text }) => NOTHING.test(text)).length;
    return like + none === odd.length && (none === 0 || numbers >= known / 2);
  }

  /** Whether the cells are numbers that measure something, rather than name something. */
  measures(enough: number): boolean {
    if (this.odd.length > 0 || this.known === 0 || this.codes || this.huge) return false;
    return !this.whole || this.distinct > enough;
  }
}

/** Whether a target holds numbers to be predicted, rather than names of classes. */
export async function targetMeasures(table: Table, name: string, cells: CellReader): Promise<boolean> {
  const column = columnOf(table, name);
  if (column.kind === "text" && column.type !== "cells") return false;
  const found = await Cells.of(column, name, cells);
  if (found.doubtful) {
    throw new DataError(
      `Cannot tell whether column "${name}" of ${table.file} is a number or names classes: ` +
        `${asked(found, name)}; task: "classify" takes every text for a class`,
    );
  }
  return found.measures(Math.min(FEW_WHOLE_NUMBERS, Math.max(MOST_SMALL_CLASSES, found.known / 2)));
}

/** What an input column holds. */
export async function kindOf(table: Table, name: string, cells: CellReader): Promise<FoundKind> {
  const column = columnOf(table, name), typed = column.kind === "text" && column.type !== "cells";
  const found = await Cells.of(column, name, cells), { known, distinct, odd } = found;
  if (known === 0) return { kind: "ignore", why: "it is empty" };
  if (table.unnamed.has(name)) return { kind: "ignore", why: "it has no name, as columns of row numbers have none" };
  if (!typed && found.doubtful) {
    throw new DataError(
      `Cannot tell whether column "${name}" of ${table.file} holds numbers or words: ${asked(found, name)}; ` +
        `kinds: { ${JSON.stringify(name)}: "categorical" } takes them for words, "ignore" leaves the column out`,
    );
  }
  const all = distinct === known && known > FEW_WHOLE_NUMBERS;
  if (
    all && odd.length === 0 && found.whole &&
    (found.huge || isIdentity(name))
  ) {
    return { kind: "ignore", why: "every row has another whole number, as identities have" };
  }
  const measures = found.measures(Math.min(FEW_WHOLE_NUMBERS, known / 2));
  if (measures && !typed) return { kind: "numeric" };
  const note = measures && column.kind === "text" && column.type === "text"
    ? `column ${name} holds texts by its type, though all are numbers: it is taken for words; ` +
      `kinds: { ${JSON.stringify(name)}: "numeric" } takes them for numbers`
    : found.huge && !typed
    ? `column ${name} has whole numbers beyond 2^53, as identities are: it is taken for words; ` +
      `kinds: { ${JSON.stringify(name)}: "numeric" } takes them for numbers, which are rounded`
    : undefined;
  const dates = typed ? ["date", "time"].includes(column.type) : found.dates && odd.length === distinct;
  if (dates && distinct > FEW_DATES) {
    return { kind: "ignore", why: "its words are dates, and rows to come have others" };
  }
  if (distinct >= FEW_WORDS && distinct > known / 2) {
    const share = distinct === known
      ? "every row has another word"
      : `${count(distinct)} words in ${count(known)} rows`;
    return { kind: "ignore", why: `${share}, as names and identities have`, ...(note === undefined ? {} : { note }) };
  }
  return { kind: "categorical", ...(note === undefined ? {} : { note }) };
}

/** What the cells are, and the options that settle it. */
function asked({ known, numbers, odd, decimal }: Cells, name: string): string {
  const quoted = (text: string) => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
  const shown = odd.slice(0, 3).map(({ text, line }) => `line ${line} has ${quoted(text)}`);
  const more = odd.length > 3 ? ` and ${odd.length - 3} more` : "";
  const facts = `${count(numbers)} of ${count(known)} cells of ${name} are numbers, ${shown.join(", ")}${more}`;
  const forms = odd.map(({ text }) => numberLike(text, decimal) ?? []);
  const ways: string[] = [];
  const can = (form: NumberForm) => forms.some((f) => f.includes(form));
  if (can("strip")) {
    const beside = [...new Set(odd.map(({ text }) => besideNumber(text)).filter((t) => t !== ""))].slice(0, 4);
    ways.push(`strip: ${JSON.stringify(beside)} leaves out what stands beside numbers`);
  }
  const group = can("point")
    ? "."
    : odd.map(({ text }) => /\d([.'’\s])\d{3},/.exec(text)?.[1]).find((c) => c !== undefined);
  const groups = group === undefined ? "" : `thousands: ${JSON.stringify(group)}`;
  if (decimal === "," && groups !== "") ways.push(`${groups} reads groups of thousands`);
  else if (can("decimal") || can("point")) {
    ways.push(`decimal: ","${groups === "" ? "" : `, ${groups}`} reads decimal commas`);
  }
  if (can("dot")) ways.push('decimal: "." reads decimal points, in all columns');
  if (can("thousands")) {
    const by = odd.map(({ text }) => /\d([,'’\s])\d{3}/.exec(text)?.[1]).find((c) => c !== undefined) ?? ",";
    ways.push(`thousands: ${JSON.stringify(by)} reads groups of thousands`);
  }
  if (!forms.every((f) => f.length > 0)) {
    ways.push(`naValues: ${JSON.stringify(odd.slice(0, 3).map(({ text }) => text))} takes such cells for missing`);
  }
  return `${facts}; ${ways.join("; ")}`;
}
