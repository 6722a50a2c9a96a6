/**
 * Tables in Parquet files.
 *
 * @see https://parquet.apache.org/docs/file-format/
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import type { Compressors, DecodedArray, FileMetaData, ParquetScan, SchemaElement } from "hyparquet";
import { AnnealError, DataError } from "../base/errors.ts";
import { EventLoopYielder, inBlocks } from "../base/event_loop_yielder.ts";
import { checkOptions, texts } from "../base/options.ts";
import { bigEndian, clockText, dateText, decimalText, momentText, utf8 } from "./cell_text.ts";
import { type RandomAccess, randomAccess } from "./random_access.ts";
import {
  chosen,
  placeIn,
  type ReadTableOptions,
  type Table,
  type TableColumn,
  unnamedOf,
  type Wanted,
} from "./table.ts";
import { ColumnBuilder, type NumberArray } from "./table_builder.ts";

/** Rows that are decoded at once. */
const ROWS_AT_ONCE = 1 << 16;

/** What stands for a text that is no UTF-8. */
const NO_TEXT = Symbol("no text");

/** See `readParquet` of `readers.ts`. */
export async function readParquet(file: string, options: ReadTableOptions = {}): Promise<Table> {
  checkOptions("read Parquet", options, { columns: texts });
  return await parquetTable(file, options.columns);
}

/** {@link readParquet}, of columns that may be told by a function. */
export async function parquetTable(file: string, wanted: Wanted): Promise<Table> {
  try {
    return await read(file, await randomAccess(file), wanted);
  } catch (cause) {
    if (cause instanceof AnnealError) throw cause;
    throw new DataError(`Cannot read ${file} as Parquet: it is damaged, ${(cause as Error).message}`, { cause });
  }
}

async function read(file: string, open: RandomAccess, wanted: Wanted): Promise<Table> {
  await checkMarks(file, open);
  const { parquetMetadataAsync, parquetScan } = await import("hyparquet");
  const metadata = await parquetMetadataAsync(open);
  const fields = topLevel(file, metadata);
  const names = chosen(file, fields.map(({ element }) => element.name), wanted);
  const rows = Number(metadata.num_rows);
  if (metadata.row_groups.reduce((sum, { num_rows: n }) => sum + Number(n), 0) !== rows) {
    throw new DataError(`Cannot read ${file} as Parquet: it is damaged, its groups of rows do not add up to ${rows}`);
  }
  if (rows === 0) throw new DataError(`Cannot read ${file}: it has no rows`);
  const compressors = needsCodecs(metadata) ? await codecs() : undefined;
  const asIs = <T>(value: T) => value as unknown as Date;
  const columns = new Map<string, TableColumn>(),
    cells = new Map(names.map((name) => {
      const { element, nested } = fields.find((f) => f.element.name === name)!;
      return [name, cellsOf(file, element, nested)] as const;
    }));
  const scan = await parquetScan({
    file: lastKept(open),
    metadata: { ...metadata, schema: metadata.schema.map(plain) },
    columns: names,
    utf8: false,
    ...(compressors === undefined ? {} : { compressors }),
    parsers: {
      timestampFromMilliseconds: asIs,
      timestampFromMicroseconds: asIs,
      timestampFromNanoseconds: asIs,
      dateFromDays: asIs,
      stringFromBytes: (bytes: Uint8Array) => utf8(bytes) ?? NO_TEXT as unknown as string,
    },
  });
  for (const name of names) columns.set(name, await readColumn(file, scan, name, cells.get(name)!, rows));
  return {
    file,
    rows,
    names: fields.map(({ element }) => element.name),
    columns,
    unnamed: unnamedOf(names),
    counts: "rows",
    notes: [],
  };
}

async function checkMarks(file: string, open: RandomAccess): Promise<void> {
  const mark = (bytes: ArrayBuffer) => String.fromCharCode(...new Uint8Array(bytes));
  const first = mark(await open.slice(0, 4));
  if (first === "PARE") throw new DataError(`Cannot read ${file}: it is encrypted Parquet`);
  if (first !== "PAR1") throw new DataError(`Cannot read ${file} as Parquet: such files begin with PAR1`);
  const last = open.byteLength < 12 ? "" : mark(await open.slice(open.byteLength - 4));
  if (last !== "PAR1") {
    throw new DataError(
      `Cannot read ${file} as Parquet: it does not end with PAR1, so it was cut off or is still being written`,
    );
  }
}

interface Field {
  readonly element: SchemaElement;
  readonly nested: boolean;
}

/** The columns of a file; the schema is a tree, written down node by node. */
function topLevel(file: string, { schema }: FileMetaData): Field[] {
  const fields: Field[] = [];
  const skip = (i: number): number => {
    let next = i + 1;
    for (let n = schema[i].num_children ?? 0; n > 0; n--) next = skip(next);
    return next;
  };
  if (schema.length === 0) throw new DataError(`Cannot read ${file} as Parquet: it is damaged, it has no schema`);
  for (let i = 1; i < schema.length;) {
    const element = schema[i], next = skip(i);
    fields.push({ element, nested: next > i + 1 || element.repetition_type === "REPEATED" });
    i = next;
  }
  return fields;
}

/** What hyparquet is told of a column: numbers as they lie, texts as texts. */
function plain(element: SchemaElement): SchemaElement {
  const { converted_type: converted, logical_type: logical, ...rest } = element;
  const raw = rest as SchemaElement;
  if (converted === "DECIMAL" || logical?.type === "DECIMAL") return raw;
  if (logical?.type === "UUID") return element;
  return element.type === "BYTE_ARRAY" && element.num_children === undefined
    ? { ...raw, converted_type: "UTF8" }
    : element;
}

function needsCodecs({ row_groups: groups }: FileMetaData): boolean {
  return groups.some(({ columns }) =>
    columns.some(({ meta_data: meta }) => meta !== undefined && !["UNCOMPRESSED", "SNAPPY"].includes(meta.codec))
  );
}

/** Everything that unpacks. Pages without a value may hold what is no text of their codec. */
async function codecs(): Promise<Compressors> {
  const { compressors } = await import("hyparquet-compressors");
  return Object.fromEntries(
    Object.entries(compressors).map(([name, unpack]) => [
      name,
      (bytes: Uint8Array, size: number) => size === 0 ? new Uint8Array(0) : unpack(bytes, size),
    ]),
  );
}

/** Keeps the part of the file that was read last: a column is decoded piece by piece. */
function lastKept(open: RandomAccess): RandomAccess {
  let kept: { start: number; end: number; bytes: Promise<ArrayBuffer> } | null = null;
  return {
    byteLength: open.byteLength,
    slice: (start, end = open.byteLength) => {
      if (kept === null || kept.start !== start || kept.end !== end) {
        kept = { start, end, bytes: open.slice(start, end) };
      }
      return kept.bytes;
    },
  };
}

/** Puts one cell, which is there, into the column. */
type AddCell = (to: ColumnBuilder, value: unknown, place: number) => void;

async function readColumn(
  file: string,
  scan: ParquetScan,
  name: string,
  add: AddCell,
  rows: number,
): Promise<TableColumn> {
  const where = (place: number) => `${placeIn({ file, counts: "rows" }, place)}, column "${name}"`;
  const builder = new ColumnBuilder(where), yielder = new EventLoopYielder();
  for (const { rowStart, rowEnd } of scan.ranges) {
    for (let from = rowStart; from < rowEnd; from += ROWS_AT_ONCE) {
      const to = Math.min(rowEnd, from + ROWS_AT_ONCE);
      let data: DecodedArray;
      try {
        data = await scan.readColumn({ column: name, rowStart: from, rowEnd: to });
      } catch (cause) {
        throw cause instanceof AnnealError ? cause : new DataError(
          `Cannot read ${file} as Parquet: column "${name}" is damaged, ${(cause as Error).message}`,
          { cause },
        );
      }
      if (data.length !== to - from) {
        throw new DataError(
          `Cannot read ${file} as Parquet: column "${name}" has ${data.length} of the rows ${from + 1} to ${to}`,
        );
      }
      await addCells(builder, data, add, from + 1, where);
      if (yielder.due) await yielder.yield();
    }
  }
  if (builder.rows !== rows) {
    throw new DataError(`Cannot read ${file} as Parquet: column "${name}" has ${builder.rows} of ${rows} rows`);
  }
  return builder.done();
}

async function addCells(
  to: ColumnBuilder,
  data: DecodedArray,
  add: AddCell,
  place: number,
  where: (place: number) => string,
): Promise<void> {
  if (add === addNumber && !Array.isArray(data) && !(data instanceof BigInt64Array || data instanceof BigUint64Array)) {
    return to.numbers(data as NumberArray, place);
  }
  await inBlocks(data.length, (from, end) => {
    for (let i = from; i < end; i++) {
      const value: unknown = data[i];
      if (value === undefined || value === null) to.missing(place + i);
      else if (value === NO_TEXT) {
        throw new DataError(`Cannot read ${where(place + i)}: its bytes are no UTF-8 text; choose columns without it`);
      } else add(to, value, place + i);
    }
  }, 4096);
}

const addNumber: AddCell = (to, value, place) => to.number(value as number, place);

const PER_SECOND: Readonly<Record<string, bigint>> = { MILLIS: 1000n, MICROS: 1000000n, NANOS: 1000000000n };

/** How the cells of a column are taken. */
function cellsOf(file: string, element: SchemaElement, nested: boolean): AddCell {
  const { name, type, converted_type: converted, logical_type: logical } = element, kind = logical?.type;
  const refuse = (what: string): never => {
    throw new DataError(
      `Cannot read column "${name}" of ${file}: it holds ${what}, a cell is a number, a text, true or false, or a ` +
        `date; choose columns without it`,
    );
  };
  if (nested) {
    refuse(kind === "LIST" || converted === "LIST" || element.repetition_type === "REPEATED" ? "lists" : "structures");
  }
  if (converted === "DECIMAL" || kind === "DECIMAL") {
    const scale = element.scale ?? (logical?.type === "DECIMAL" ? logical.scale : 0);
    return (to, value, place) => {
      const unscaled = value instanceof Uint8Array ? bigEndian(value) : BigInt(value as bigint | number);
      if (scale <= 0) to.integer(BigInt(decimalText(unscaled, scale)), place);
      else to.number(Number(decimalText(unscaled, scale)), place);
    };
  }
  if (converted === "DATE" || kind === "DATE") {
    return (to, value, place) => to.text(dateText(value as number), "date", place);
  }
  if (converted?.startsWith("TIMESTAMP_") || logical?.type === "TIMESTAMP") {
    const unit = PER_SECOND[logical?.type === "TIMESTAMP" ? logical.unit : converted!.slice(10)];
    const utc = logical?.type === "TIMESTAMP" ? logical.isAdjustedToUTC : true;
    return (to, value, place) => to.text(momentText(BigInt(value as bigint), unit, utc), "time", place);
  }
  if (type === "INT96") {
    return (to, value, place) => to.text(momentText(value as bigint, 1000000000n, false), "time", place);
  }
  if (converted?.startsWith("TIME_") || logical?.type === "TIME") {
    const unit = PER_SECOND[logical?.type === "TIME" ? logical.unit : converted!.slice(5)];
    return (to, value, place) => to.text(clockText(BigInt(value as bigint | number), unit), "time", place);
  }
  if (converted === "INTERVAL" || converted === "BSON") refuse(converted === "BSON" ? "BSON" : "intervals");
  if (kind === "GEOMETRY" || kind === "GEOGRAPHY" || kind === "VARIANT") refuse(`values of type ${kind}`);
  switch (type) {
    case "BOOLEAN":
      return (to, value, place) => to.text(String(value), "bool", place);
    case "INT64":
      return (to, value, place) => to.integer(value as bigint, place);
    case "BYTE_ARRAY":
      return (to, value, place) => to.text(value as string, "text", place);
    case "FIXED_LEN_BYTE_ARRAY":
      if (kind === "UUID") return (to, value, place) => to.text(value as string, "text", place);
      return kind === "FLOAT16" ? addNumber : refuse("bytes");
    default:
      return addNumber;
  }
}
