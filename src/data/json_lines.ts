/**
 * Tables of JSON lines: an object a line.
 *
 * @see https://jsonlines.org
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { DataError } from "../base/errors.ts";
import { EventLoopYielder } from "../base/event_loop_yielder.ts";
import { checkOptions, text, texts } from "../base/options.ts";
import { textOf } from "./csv_bytes.ts";
import { chosen, type ReadTableOptions, type Table, type Wanted } from "./table.ts";
import { ColumnBuilder } from "./table_builder.ts";

/** Options of {@link readJsonLines}. */
export interface ReadJsonLinesOptions extends ReadTableOptions {
  /** Encoding of the text, a label of `TextDecoder`; by default UTF-8, or UTF-16 where its mark is. */
  readonly encoding?: string;
}

/** See `readJsonLines` of `readers.ts`. */
export async function readJsonLines(file: string, options: ReadJsonLinesOptions = {}): Promise<Table> {
  const { columns, encoding } = checkOptions("read JSON lines", options, { columns: texts, encoding: text });
  return await jsonLinesTable(file, encoding, columns);
}

/** {@link readJsonLines}, of columns that may be told by a function. */
export async function jsonLinesTable(file: string, encoding: string | undefined, wanted: Wanted): Promise<Table> {
  const objects = new Objects(file, wanted), yielder = new EventLoopYielder();
  let rest = "", line = 0;
  for await (const piece of textOf(file, encoding)) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    for (const one of lines) {
      objects.line(one, ++line);
      if (line % 256 === 0 && yielder.due) await yielder.yield();
    }
  }
  objects.line(rest, line + 1);
  return objects.table();
}

class Objects {
  readonly #file: string;
  readonly #wanted: Wanted;
  readonly #columns = new Map<string, ColumnBuilder | null>();
  #rows = 0;

  constructor(file: string, wanted: Wanted) {
    this.#file = file;
    this.#wanted = wanted;
  }

  line(text: string, line: number): void {
    const trimmed = text.trim();
    if (trimmed === "") return;
    const fail = (why: string, cause?: unknown): never => {
      throw new DataError(`Cannot read ${this.#file}:${line}: ${why}`, { cause });
    };
    let value: unknown;
    try {
      value = JSON.parse(trimmed, /\d{16}/.test(trimmed) ? wholeNumbers as (this: unknown) => unknown : undefined);
    } catch (cause) {
      if (this.#rows === 0 && trimmed.startsWith("[")) {
        fail("it is a JSON array over several lines; write an object a line, as pandas does by lines=True", cause);
      }
      const nan = /[:,[]\s*-?(?:NaN|Infinity)\b/.test(trimmed) ? "; NaN and Infinity are no JSON, write null" : "";
      fail(`it is no JSON (${(cause as Error).message})${nan}`, cause);
    }
    if (Array.isArray(value) && this.#rows === 0) {
      fail("it is a JSON array; write an object a line, as pandas does by lines=True");
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) fail("a line is an object, { … }");
    const found = value as Record<string, unknown>;
    for (const name of Object.keys(found)) {
      if (!this.#columns.has(name)) this.#columns.set(name, this.#begin(name, line));
      const column = this.#columns.get(name)!, cell = found[name];
      if (column === null) continue;
      if (cell === null) column.missing(line);
      else if (typeof cell === "number") column.number(cell, line);
      else if (typeof cell === "bigint") column.integer(cell, line);
      else if (typeof cell === "string") column.text(cell, "text", line);
      else if (typeof cell === "boolean") column.text(String(cell), "bool", line);
      else {
        fail(
          `column "${name}": a cell is a number, a text, true, false or null, got ${
            Array.isArray(cell) ? "a list" : "an object"
          }; choose columns without it`,
        );
      }
    }
    this.#rows++;
    for (const column of this.#columns.values()) {
      if (column !== null && column.rows < this.#rows) column.missing(line);
    }
  }

  #begin(name: string, line: number): ColumnBuilder | null {
    const wanted = this.#wanted;
    if (!(typeof wanted === "function" ? wanted(name) : wanted?.includes(name) ?? true)) return null;
    const column = new ColumnBuilder((place) => `${this.#file}:${place}, column "${name}"`);
    for (let r = 0; r < this.#rows; r++) column.missing(line);
    return column;
  }

  table(): Table {
    if (this.#rows === 0) throw new DataError(`Cannot read ${this.#file}: it has no rows`);
    const all = [...this.#columns.keys()];
    return {
      file: this.#file,
      rows: this.#rows,
      names: all,
      columns: new Map(
        chosen(this.#file, all, this.#wanted).map((name) => [name, this.#columns.get(name)!.done()]),
      ),
      unnamed: new Set(),
      counts: "lines",
      notes: [],
    };
  }
}

/** Keeps whole numbers that a number does not hold exactly. */
function wholeNumbers(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "")
    ? BigInt(context!.source!)
    : value;
}
