/**
 * Reads tables of text.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { host } from "../base/host.ts";
import { EventLoopYielder } from "../base/event_loop_yielder.ts";
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, texts } from "../base/options.ts";
import { textOf } from "./csv_bytes.ts";
import { CSV_OPTIONS, type CsvForm, type CsvOptions, formOf, headerHint } from "./csv_form.ts";
import { noColumn, type ReadTableOptions, type Table, type TextColumn, type Wanted } from "./table.ts";
import { TextBuilder } from "./table_builder.ts";

/** A table of a file of separated values: what its cells are is found out later. */
export interface TextTable extends Table {
  /** The columns that were read, by name, in the order of the file. */
  readonly columns: ReadonlyMap<string, TextColumn>;
}

/** Characters at the start of a file that tell how it is written. */
const START = 1 << 16;

/** See `readCsv` of `readers.ts`. */
export async function readCsv(file: string, options: CsvOptions & ReadTableOptions = {}): Promise<TextTable> {
  checkOptions("read a table", options, { ...CSV_OPTIONS, columns: texts });
  return await csvTable(file, options, options.columns);
}

/** {@link readCsv}, of columns that may be told by a function. */
export async function csvTable(file: string, options: CsvOptions, wanted: Wanted): Promise<TextTable> {
  checkForm(options);
  if (Array.isArray(wanted) && wanted.length === 0) {
    throw new ConfigError(`Cannot read ${file}: columns names no column`);
  }
  const pieces = textOf(file, options.encoding);
  let start = "", done = false;
  while (start.length < START && !done) {
    const next = await pieces.next();
    if (next.done === true) done = true;
    else start += next.value;
  }
  const form = formOf(start, done, options);
  const rows = new Rows(file, form, options, wanted);
  const { parse } = host.kind === "browser"
    ? await import("csv-parse/browser/esm") as typeof import("csv-parse")
    : await import("csv-parse");
  const parser = parse({
    bom: true,
    delimiter: form.delimiter,
    record_delimiter: ["\r\n", "\n", "\r"],
    from_line: form.from,
    skip_empty_lines: true,
    relax_column_count: true,
    relax_quotes: true,
    ltrim: form.delimiter !== " ",
    rtrim: form.delimiter !== " ",
    ...(options.comment === undefined ? {} : { comment: options.comment, comment_no_infix: true }),
    on_record: (record: string[], { lines }: { lines: number }) => {
      rows.add(record, lines);
      return null;
    },
  });
  try {
    await new Promise<void>((resolve, reject) => {
      parser.on("error", reject);
      parser.on("end", resolve);
      parser.resume();
      feed(parser, start, pieces).catch(reject);
    });
  } catch (error) {
    throw rows.failure ?? told(file, error);
  }
  if (rows.failure !== null) throw rows.failure;
  return rows.table();
}

interface Parser {
  write(text: string): boolean;
  end(): void;
}

async function feed(parser: Parser, start: string, pieces: AsyncGenerator<string, void, undefined>): Promise<void> {
  const yielder = new EventLoopYielder();
  const give = async (text: string) => {
    for (let at = 0, end = 0; at < text.length; at = end) {
      end = Math.min(at + START, text.length);
      // the parser takes bytes: half of a character of two units would become another one
      if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end++;
      parser.write(text.slice(at, end));
      if (yielder.due) await yielder.yield();
    }
  };
  await give(start);
  for await (const text of pieces) await give(text);
  parser.end();
}

function told(file: string, error: unknown): Error {
  if (error instanceof DataError || error instanceof ConfigError) return error;
  const { code, message, lines } = error as { code?: string; message: string; lines?: number };
  const why = code === "CSV_QUOTE_NOT_CLOSED"
    ? "a quote that begins a cell is never closed"
    : code?.includes("QUOTE")
    ? "a quote that begins a cell ends in the middle of it; quotes inside of a cell are doubled"
    : message;
  return new DataError(`Cannot read ${file}${lines === undefined ? "" : `:${lines}`}: ${why}`, { cause: error });
}

function checkForm({ delimiter, skipRows = 0, comment, names }: CsvOptions): void {
  if (delimiter !== undefined && (typeof delimiter !== "string" || [...delimiter].length !== 1 || delimiter === '"')) {
    throw new ConfigError(
      `Cannot separate cells by ${JSON.stringify(delimiter)}: delimiter is one character, such as ";" or "\\t"`,
    );
  }
  if (!Number.isInteger(skipRows) || skipRows < 0) {
    throw new ConfigError(`Cannot leave out ${skipRows} lines: skipRows is a whole number from 0`);
  }
  if (comment === "") throw new ConfigError('Cannot leave out remarks: comment is what begins them, such as "#"');
  if (names?.some((name) => typeof name !== "string" || name.trim() === "")) {
    throw new ConfigError("Cannot name columns: names are texts that are not empty");
  }
}

/** What is read, row by row. */
class Rows {
  readonly #file: string;
  readonly #form: CsvForm;
  readonly #options: CsvOptions;
  readonly #wanted: Wanted;
  #names: readonly string[] | null = null;
  #unnamed = new Set<string>();
  /** Null where a column is not wanted. */
  #columns: (TextBuilder | null)[] = [];
  #rows = 0;
  /** Lines of rows whose cells are all empty; they are rows if another one follows. */
  #empty: number[] = [];
  #skipped: number[] = [];
  #notes: string[] = [];
  /** What is wrong with the file; nothing more is taken then. */
  failure: Error | null = null;

  constructor(file: string, form: CsvForm, options: CsvOptions, wanted: Wanted) {
    this.#wanted = wanted;
    this.#file = file;
    this.#form = form;
    this.#options = options;
  }

  /** Takes the cells of a row that ends on `line`. */
  add(record: string[], line: number): void {
    if (this.failure !== null) return;
    const cells = this.#form.delimiter === " " ? record.filter((cell) => cell !== "") : record;
    for (let i = 0; i < cells.length; i++) cells[i] = cells[i].trim();
    if (cells.every((cell) => cell === "")) {
      const blankLine = cells.length < 2 && this.#columns.length > 1;
      if (this.#names !== null && cells.length > 0 && !blankLine) this.#empty.push(line);
      return;
    }
    try {
      if (this.#names === null) {
        const { header = true, names } = this.#options;
        this.#begin(names ?? (header ? cells : cells.map(() => "")), line, cells.length);
        if (header) return;
      }
      for (const at of this.#empty) this.#row(this.#columns.map(() => ""), at);
      this.#empty = [];
      this.#row(cells, line);
    } catch (error) {
      this.failure = error as Error;
    }
  }

  #begin(given: readonly string[], line: number, width: number): void {
    if (given.length !== width) {
      throw new ConfigError(
        `Cannot name the columns of ${this.#file}: it has ${width} on line ${line}, names has ${given.length}`,
      );
    }
    const { header, names } = this.#options;
    if (
      header === undefined && names === undefined && given.length > 1 && given.every((n) => /^[+-]?\d+\.?\d*$/.test(n))
    ) {
      const shown = given.slice(0, 4).join(", ") + (given.length > 4 ? ", …" : "");
      this.#notes.push(
        `line ${line} (${shown}) names the columns though all are numbers; header: false, of readTable too, takes it for a row`,
      );
    }
    this.#name(given, line);
  }

  #name(given: readonly string[], line: number): void {
    const names = given.map((name, i) => name === "" ? `column ${i + 1}` : name);
    names.forEach((name, i) => {
      if (names.indexOf(name) < i) {
        throw new DataError(
          `Cannot read ${this.#file}:${line}: two columns are named "${name}"; give names: [...] for all columns` +
            headerHint(given),
        );
      }
      // without a header, all have made names
      if (given[i] === "" && this.#options.header !== false) this.#unnamed.add(name);
    });
    this.#names = names;
    const wanted = this.#wanted;
    const takes = (name: string) => typeof wanted === "function" ? wanted(name) : wanted?.includes(name) ?? true;
    this.#columns = names.map((name) => takes(name) ? new TextBuilder() : null);
  }

  #row(cells: string[], line: number): void {
    while (cells.length > this.#columns.length && cells.at(-1) === "") cells.pop();
    if (this.#rows === 0 && this.#skipped.length === 0 && cells.length === this.#columns.length + 1) {
      this.#notes.push(`rows have one cell more than the header: the first names the row, it is called "column 1"`);
      this.#unnamed.clear();
      this.#name(["", ...this.#names!.map((name, i) => name === `column ${i + 1}` ? "" : name)], line);
    }
    if (cells.length !== this.#columns.length) {
      if (this.#options.badRows === "skip") return void this.#skipped.push(line);
      throw new DataError(
        `Cannot read ${this.#file}, line ${line}: it has ${cells.length} cells, the header ${this.#columns.length}, ` +
          `cells are separated by ${JSON.stringify(this.#form.delimiter)}; correct it, give the delimiter, ` +
          `skipRows or comment where lines are no rows, or badRows: "skip"`,
      );
    }
    if (this.#rows === 0) {
      const names = this.#names!, wanted = typeof this.#wanted === "function" ? [] : this.#wanted ?? [];
      const unknown = wanted.find((name) => !names.includes(name));
      if (unknown !== undefined) throw noColumn({ file: this.#file, names, ...this.#form }, unknown);
    }
    for (let i = 0; i < cells.length; i++) this.#columns[i]?.add(cells[i], line);
    this.#rows++;
  }

  table(): TextTable {
    const names = this.#names;
    if (names === null || this.#rows === 0) {
      throw new DataError(`Cannot read ${this.#file}: it has no rows below a header`);
    }
    const columns = new Map(names.flatMap((name, i) => {
      const column = this.#columns[i];
      return column === null ? [] : [[name, column.done("cells")]];
    }));
    for (const name of this.#unnamed) {
      // a delimiter at the end of every line
      if (columns.get(name)?.texts.every((text) => text === "")) columns.delete(name);
    }
    if (this.#empty.length > 0) {
      const { length, 0: first } = this.#empty;
      const rows = length === 1 ? `the last row, of line ${first},` : `the last ${length} rows, from line ${first} on,`;
      this.#notes.push(`${rows} left out: all cells are empty`);
    }
    if (this.#skipped.length > 0) {
      const { length, 0: first } = this.#skipped;
      const rows = length === 1 ? `the row of line ${first}` : `${length} rows, the first of line ${first},`;
      this.#notes.push(`${rows} left out: too many or too few cells`);
    }
    return {
      file: this.#file,
      rows: this.#rows,
      names: names.filter((name, i) => columns.has(name) || this.#columns[i] === null),
      columns,
      unnamed: this.#unnamed,
      counts: "lines",
      delimiter: this.#form.delimiter,
      notes: this.#notes,
    };
  }
}
