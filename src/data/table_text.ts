/**
 * Tables as the bytes of files: CSV and Parquet.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { EventLoopYielder } from "../base/event_loop_yielder.ts";

/** A column to be written: numbers (NaN is a missing one), or texts, numbers, true and false, with null for what is missing. */
export type WrittenColumn = Float32Array | Float64Array | Int32Array | readonly (string | number | boolean | null)[];

/** Columns to be written, by name. */
export type WrittenTable = Readonly<Record<string, WrittenColumn>>;

/** Rows that are made at once. */
const AT_ONCE = 1 << 15;

/** What kind of file a path names. */
export function writtenFormat(path: string): "csv" | "parquet" {
  if (/\.csv$/i.test(path)) return "csv";
  if (/\.parquet$/i.test(path)) return "parquet";
  throw new ConfigError(`Cannot write a table to ${path}: its name ends with .csv or .parquet`);
}

/** The bytes of the file that `path` names. */
export async function tableBytes(path: string, table: WrittenTable): Promise<Uint8Array[]> {
  const format = writtenFormat(path), names = Object.keys(table), rows = table[names[0]]?.length ?? 0;
  if (names.length === 0) throw new DataError(`Cannot write ${path}: there are no columns`);
  for (const name of names) {
    if (table[name].length === rows) continue;
    throw new DataError(
      `Cannot write ${path}: columns are of one length, "${names[0]}" has ${rows} cells and "${name}" ${
        table[name].length
      }`,
    );
  }
  return await (format === "csv" ? csvBytes(table, names, rows) : parquetBytes(path, table, names, rows));
}

/** As RFC 4180 has it, with lines that end with a line feed, as pandas writes them. */
async function csvBytes(table: WrittenTable, names: readonly string[], rows: number): Promise<Uint8Array[]> {
  const encoder = new TextEncoder(), yielder = new EventLoopYielder();
  const parts = [encoder.encode(`${names.map(quoted).join(",")}\n`)];
  const columns = names.map((name) => {
    const column = table[name];
    if (!(column instanceof Float32Array)) return (r: number) => cellText(column[r]);
    return (r: number) => Number.isNaN(column[r]) ? "" : shortest(column[r]);
  });
  for (let from = 0; from < rows; from += 1024) {
    const lines: string[] = [];
    for (let r = from; r < Math.min(rows, from + 1024); r++) lines.push(columns.map((cell) => cell(r)).join(","));
    parts.push(encoder.encode(`${lines.join("\n")}\n`));
    if (yielder.due) await yielder.yield();
  }
  return parts;
}

function quoted(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function cellText(cell: string | number | boolean | null): string {
  if (cell === null || Number.isNaN(cell)) return "";
  return typeof cell === "string" ? quoted(cell) : String(cell);
}

/** The shortest decimal number that is this f32. */
function shortest(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}

async function parquetBytes(
  path: string,
  table: WrittenTable,
  names: readonly string[],
  rows: number,
): Promise<Uint8Array[]> {
  const { ByteWriter, ParquetWriter, schemaFromColumnData } = await import("hyparquet-writer");
  const types = names.map((name) => typeOf(path, name, table[name]));
  const part = (from: number, to: number) =>
    names.map((name, i) => {
      const column = table[name], cells = column.slice(from, to), numbers = !Array.isArray(cells);
      const data = numbers && (cells as Float64Array).some(Number.isNaN)
        ? Array.from(cells as Float64Array, (v) => Number.isNaN(v) ? null : v)
        : cells as number[];
      return { name, data, type: types[i] };
    });
  const writer = new ByteWriter(), yielder = new EventLoopYielder();
  const out = new ParquetWriter({
    writer,
    schema: schemaFromColumnData({ columnData: part(0, Math.min(rows, 1)) }),
    createdBy: "Anneal",
  });
  for (let from = 0; from < rows; from += AT_ONCE) {
    const to = Math.min(rows, from + AT_ONCE);
    await out.write({ columnData: part(from, to), rowGroupSize: AT_ONCE });
    if (yielder.due) await yielder.yield();
  }
  await out.finish();
  return [new Uint8Array(writer.getBuffer())];
}

type ParquetType = "FLOAT" | "DOUBLE" | "INT32" | "STRING" | "BOOLEAN";

function typeOf(path: string, name: string, column: WrittenColumn): ParquetType {
  if (column instanceof Float32Array) return "FLOAT";
  if (column instanceof Float64Array) return "DOUBLE";
  if (column instanceof Int32Array) return "INT32";
  const kinds = new Set<string>();
  for (const cell of column) if (cell !== null) kinds.add(typeof cell);
  if (kinds.size > 1) {
    throw new DataError(`Cannot write ${path}: cells of column "${name}" are alike, got ${[...kinds].join(" and ")}`);
  }
  const [kind] = kinds;
  return kind === "number" ? "DOUBLE" : kind === "boolean" ? "BOOLEAN" : "STRING";
}
