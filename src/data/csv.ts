/**
 * Reads tables of text.
 *
 * @module
 */
import { DataError } from "../base/errors.ts";

/** A column as read: each distinct text once, and for each row the number of its text. */
export interface TextColumn {
  /** Distinct texts, in the order in which they first appear. */
  readonly texts: readonly string[];
  /** For each row, an index into `texts`. */
  readonly codes: Int32Array;
  /** For each text, the line of the file where it first appears, from 1. */
  readonly lines: readonly number[];
}

/** A table as read. */
export interface TextTable {
  /** Name of the file. */
  readonly file: string;
  /** Number of rows, the header not counted. */
  readonly rows: number;
  /** Columns by name, in the order of the header. */
  readonly columns: ReadonlyMap<string, TextColumn>;
}

interface Growing {
  readonly texts: string[];
  readonly lines: number[];
  readonly known: Map<string, number>;
  codes: Int32Array;
}

/**
 * Reads a file of comma-separated values with a header, row by row: memory holds each distinct text once, and four bytes
 * a cell.
 *
 * @param delimiter What separates cells; a comma by default.
 * @throws DataError Where the file is missing or empty, a name stands twice in the header, or a row has too many or too few
 * cells, with file and line.
 */
export async function readCsv(file: string, delimiter: string = ","): Promise<TextTable> {
  const [{ parse }, { createReadStream }] = await Promise.all([import("csv-parse"), import("node:fs")]);
  const parser = parse({ bom: true, delimiter, skip_empty_lines: true, trim: true, info: true });
  const stream = createReadStream(file);
  stream.on("error", (error: Error) => parser.destroy(error));
  stream.pipe(parser);
  let names: string[] | null = null;
  let columns: Growing[] = [];
  let rows = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      if (names === null) {
        names = checkNames(file, record);
        columns = names.map(() => ({ texts: [], lines: [], known: new Map(), codes: new Int32Array(1024) }));
        continue;
      }
      columns.forEach((column, i) => add(column, rows, record[i], info.lines));
      rows++;
    }
  } catch (error) {
    if (error instanceof DataError) throw error;
    const why = error instanceof Deno.errors.NotFound || (error as { code?: string }).code === "ENOENT"
      ? "there is no such file"
      : (error as Error).message;
    throw new DataError(`Cannot read ${file}: ${why}`, { cause: error });
  }
  if (names === null || rows === 0) throw new DataError(`Cannot read ${file}: it has no rows below a header`);
  return {
    file,
    rows,
    columns: new Map(names.map((name, i) => [name, { ...columns[i], codes: columns[i].codes.subarray(0, rows) }])),
  };
}

function checkNames(file: string, names: string[]): string[] {
  names.forEach((name, i) => {
    if (name === "") throw new DataError(`Cannot read ${file}:1: column ${i + 1} has no name`);
    if (names.indexOf(name) < i) throw new DataError(`Cannot read ${file}:1: two columns are named "${name}"`);
  });
  return names;
}

function add(column: Growing, row: number, text: string, line: number): void {
  let code = column.known.get(text);
  if (code === undefined) {
    code = column.texts.push(text) - 1;
    column.lines.push(line);
    column.known.set(text, code);
  }
  if (row === column.codes.length) {
    const more = new Int32Array(row * 2);
    more.set(column.codes);
    column.codes = more;
  }
  column.codes[row] = code;
}
