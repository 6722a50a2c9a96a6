/**
 * Tables in Arrow's own files: IPC files, which pandas and R call Feather, and streams.
 *
 * @see https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import type { Data, Field, Vector } from "apache-arrow";
import { AnnealError, DataError } from "../base/errors.ts";
import { EventLoopYielder, inBlocks } from "../base/event_loop_yielder.ts";
import { checkOptions, texts } from "../base/options.ts";
import { clockText, dateText, decimalText, momentText, utf8 } from "./cell_text.ts";
import { randomAccess } from "./random_access.ts";
import { chosen, count, placeIn, type ReadTableOptions, type Table, unnamedOf, type Wanted } from "./table.ts";
import { ColumnBuilder, type NumberArray } from "./table_builder.ts";

type Arrow = typeof import("apache-arrow");

/** See `readArrow` of `readers.ts`. */
export async function readArrow(file: string, options: ReadTableOptions = {}): Promise<Table> {
  checkOptions("read Arrow", options, { columns: texts });
  return await arrowTable(file, options.columns);
}

/** {@link readArrow}, of columns that may be told by a function. */
export async function arrowTable(file: string, wanted: Wanted): Promise<Table> {
  const bytes = new Uint8Array(await (await randomAccess(file)).slice(0));
  checkMarks(file, bytes);
  try {
    return await read(file, bytes, wanted);
  } catch (cause) {
    if (cause instanceof AnnealError) throw cause;
    throw new DataError(`Cannot read ${file} as Arrow: it is damaged, ${(cause as Error).message}`, { cause });
  }
}

function checkMarks(file: string, bytes: Uint8Array): void {
  const mark = (at: number, n: number) => String.fromCharCode(...bytes.subarray(Math.max(0, at), at + n));
  const first = mark(0, 6);
  if (first.startsWith("FEA1")) {
    throw new DataError(
      `Cannot read ${file}: it is Feather of version 1, which nobody writes any more; write it again, as in df.to_feather(file)`,
    );
  }
  const stream = bytes.length >= 4 && mark(0, 4) === "\xff\xff\xff\xff";
  if (first !== "ARROW1" && !stream) {
    throw new DataError(`Cannot read ${file} as Arrow: such files begin with ARROW1, streams with four bytes 255`);
  }
  if (!stream && mark(bytes.length - 6, 6) !== "ARROW1") {
    throw new DataError(
      `Cannot read ${file} as Arrow: it does not end with ARROW1, so it was cut off or is still being written`,
    );
  }
}

async function read(file: string, bytes: Uint8Array, wanted: Wanted): Promise<Table> {
  const arrow = await import("apache-arrow");
  await setCodecs(arrow);
  const reader = arrow.RecordBatchReader.from(bytes);
  reader.open();
  const { fields } = reader.schema, yielder = new EventLoopYielder();
  const all = fields.map((field) => String(field.name)), names = chosen(file, all, wanted);
  const columns = names.map((name) => {
    const index = all.indexOf(name);
    const where = (place: number) => `${placeIn({ file, counts: "rows" }, place)}, column "${name}"`;
    return { name, index, cell: cellsOf(arrow, file, fields[index]), builder: new ColumnBuilder(where) };
  });
  let rows = 0;
  for (const batch of reader) {
    batch.data.children.forEach((data, i) => {
      if (data.length !== batch.numRows || !holds(arrow, data)) {
        throw new Error(`column "${all[i]}" has fewer cells than there are rows`);
      }
    });
    for (const { index, cell, builder } of columns) {
      const vector = batch.getChildAt(index);
      if (vector === null || vector.length !== batch.numRows) throw new Error(`a batch lacks column "${all[index]}"`);
      await addCells(builder, vector, cell, rows + 1);
    }
    rows += batch.numRows;
    if (yielder.due) await yielder.yield();
  }
  if (rows === 0) throw new DataError(`Cannot read ${file}: it has no rows`);
  return {
    file,
    rows,
    names: all,
    columns: new Map(columns.map(({ name, builder }) => [name, builder.done()])),
    unnamed: unnamedOf(names),
    counts: "rows",
    notes: ended(bytes) ? [] : [`the stream has no end: what was to come behind its ${count(rows)} rows is missing`],
  };
}

/** Whether a file is whole, as far as it says: streams end with a message of length 0, files with a mark of their own. */
function ended(bytes: Uint8Array): boolean {
  const last = bytes.subarray(-8);
  return bytes[0] !== 0xff || last.every((byte, i) => byte === (i < 4 ? 0xff : 0));
}

/** Whether a column has as many cells as it says: those of a damaged file may be any number. */
function holds({ DataType }: Arrow, data: Data): boolean {
  const { length, values, valueOffsets, type } = data;
  if (length === 0) return true;
  if (DataType.isNull(type)) return length <= 1 << 30;
  if (DataType.isBool(type)) return (values as Uint8Array).length * 8 >= length;
  if (valueOffsets !== undefined) {
    const at = valueOffsets as Int32Array, end = Number(at[length] ?? 0);
    return at.length > length && (DataType.isUtf8(type) ? end <= (values as Uint8Array).length : true);
  }
  if (DataType.isDictionary(type) && data.dictionary === undefined) return false;
  return data.children.length > 0 || (values as Uint8Array | undefined)?.length! >= length * data.stride;
}

/** Tells Arrow how batches are unpacked, unless the program has done so. */
async function setCodecs({ compressionRegistry, CompressionType }: Arrow): Promise<void> {
  const aligned = (bytes: Uint8Array): Uint8Array => bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  if (compressionRegistry.get(CompressionType.LZ4_FRAME) === null) {
    const lz4 = await import("lz4js");
    compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: (b) => aligned(Uint8Array.from(lz4.decompress(b))) });
  }
  if (compressionRegistry.get(CompressionType.ZSTD) === null) {
    const { decompressZstd } = await import("hyparquet-compressors");
    compressionRegistry.set(CompressionType.ZSTD, { decode: (b) => aligned(decompressZstd(b)) });
  }
}

/** How the cells of a column are taken: the numbers of a vector as they are, or one cell after the other. */
type Cells =
  | { readonly numbers: true }
  | { readonly add: (to: ColumnBuilder, vector: Vector, i: number, place: number) => void };

async function addCells(to: ColumnBuilder, vector: Vector, cells: Cells, place: number): Promise<void> {
  if ("numbers" in cells && vector.nullCount === 0) return to.numbers(vector.toArray() as NumberArray, place);
  await inBlocks(vector.length, (from, end) => {
    for (let i = from; i < end; i++) {
      if (!vector.isValid(i)) to.missing(place + i);
      else if ("numbers" in cells) to.number(vector.get(i) as number, place + i);
      else cells.add(to, vector, i, place + i);
    }
  }, 4096);
}

const PER_SECOND = [1n, 1000n, 1000000n, 1000000000n] as const;

/** A number as it lies in the file, before Arrow makes a date or a time of it. */
function raw(vector: Vector, i: number): bigint {
  const [data] = vector.data as readonly Data[];
  return BigInt((data.values as BigInt64Array | Int32Array)[i]);
}

function cellsOf(arrow: Arrow, file: string, field: Field): Cells {
  const { DataType, Precision } = arrow, { type, name } = field;
  const refuse = (what: string): never => {
    throw new DataError(
      `Cannot read column "${name}" of ${file}: it holds ${what}, a cell is a number, a text, true or false, or a ` +
        `date; choose columns without it`,
    );
  };
  if (DataType.isNull(type)) return { add: (to, _, __, place) => to.missing(place) };
  if (DataType.isInt(type)) {
    if (type.bitWidth < 64) return { numbers: true };
    return { add: (to, vector, i, place) => to.integer(vector.get(i), place) };
  }
  if (DataType.isFloat(type)) {
    if (type.precision !== Precision.HALF) return { numbers: true };
    return { add: (to, vector, i, place) => to.number(vector.get(i), place) };
  }
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) {
    return {
      add: (to, vector, i, place) => {
        const [{ values, valueOffsets: at }] = vector.data as readonly Data[];
        const text = utf8((values as Uint8Array).subarray(Number(at[i]), Number(at[i + 1])));
        if (text === null) {
          throw new DataError(
            `Cannot read ${file}, row ${place}, column "${name}": its bytes are no UTF-8 text; choose columns without it`,
          );
        }
        to.text(text, "text", place);
      },
    };
  }
  if (DataType.isUtf8View(type)) return { add: (to, vector, i, place) => to.text(vector.get(i), "text", place) };
  if (DataType.isBool(type)) return { add: (to, vector, i, place) => to.text(String(vector.get(i)), "bool", place) };
  if (DataType.isDate(type)) {
    const perDay = type.unit === arrow.DateUnit.DAY ? 1n : 86400000n;
    return { add: (to, vector, i, place) => to.text(dateText(raw(vector, i) / perDay), "date", place) };
  }
  if (DataType.isTimestamp(type)) {
    const unit = PER_SECOND[type.unit], utc = (type.timezone ?? "") !== "";
    return { add: (to, vector, i, place) => to.text(momentText(raw(vector, i), unit, utc), "time", place) };
  }
  if (DataType.isTime(type)) {
    const unit = PER_SECOND[type.unit];
    return { add: (to, vector, i, place) => to.text(clockText(raw(vector, i), unit), "time", place) };
  }
  if (DataType.isDecimal(type)) {
    const { scale } = type;
    return {
      add: (to, vector, i, place) => {
        const unscaled = littleEndian(vector.get(i) as Uint32Array);
        if (scale <= 0) to.integer(BigInt(decimalText(unscaled, scale)), place);
        else to.number(Number(decimalText(unscaled, scale)), place);
      },
    };
  }
  if (DataType.isDictionary(type)) return dictionary(arrow, file, field);
  if (DataType.isList(type) || DataType.isFixedSizeList(type)) refuse("lists");
  if (DataType.isStruct(type) || DataType.isMap(type) || DataType.isUnion(type)) refuse("structures");
  if (DataType.isDuration(type) || DataType.isInterval(type)) refuse("durations");
  return refuse(DataType.isBinary(type) || DataType.isFixedSizeBinary(type) ? "bytes" : `values of type ${type}`);
}

/** A column whose words are written down once: each is read once. */
function dictionary(arrow: Arrow, file: string, field: Field): Cells {
  const inner = cellsOf(arrow, file, new arrow.Field(field.name, field.type.dictionary, true));
  return {
    add: (to, vector, i, place) => {
      const [data] = vector.data as readonly Data[], words = data.dictionary as Vector;
      const at = Number((data.values as Int32Array | BigInt64Array)[i]);
      if (!words.isValid(at)) to.missing(place);
      else if ("numbers" in inner) to.number(words.get(at), place);
      else inner.add(to, words, at, place);
    },
  };
}

/** A whole number of 32-bit words, two's complement, the least significant first. */
function littleEndian(words: Uint32Array): bigint {
  let value = 0n;
  for (let i = words.length - 1; i >= 0; i--) value = value << 32n | BigInt(words[i]);
  return BigInt.asIntN(words.length * 32, value);
}
