/**
 * Texts and their classes in columns of a table.
 *
 * @module
 */
import "../../entry/core.ts";
import "../../entry/text.ts"; // there by now: bundlers are told, and leave it whole
import { ConfigError, DataError } from "../../base/errors.ts";
import { CSV_OPTIONS, type CsvOptions } from "../../data/csv_form.ts";
import { type DataSplitter, IndexSplitter } from "../../data/splitters.ts";
import { codedColumn, count, placeIn, type Table, type TextColumn } from "../../data/table.ts";
import type { TableSource } from "../../data/mod.ts";
import { tableOf } from "../../data/table_of.ts";
import { splitByColumn } from "../../data/table_split.ts";
import { loadTexts, type TextParts } from "./load_texts.ts";
import type { TextTableOptions } from "./text_loaders.ts";
import type { TextDataLoadersOptions } from "./text_options.ts";

/** The texts of a table, read. */
export async function partsOfTable(source: TableSource, options: TextTableOptions): Promise<TextParts> {
  const { text: textName = "text", label = "label", validColumn, format, ...rest } = options;
  const said = Object.entries(rest).filter(([, value]) => value !== undefined);
  const form = Object.fromEntries(said.filter(([name]) => name in CSV_OPTIONS)) as CsvOptions;
  const others = Object.fromEntries(said.filter(([name]) => !(name in CSV_OPTIONS))) as TextDataLoadersOptions;
  const wanted = [textName, ...(options.isLm ? [] : [label]), ...(validColumn === undefined ? [] : [validColumn])];
  const table = await tableOf(
    source,
    format === undefined ? form : { ...form, format },
    (name) => wanted.includes(name),
  );
  const cells = async (name: string, what: string): Promise<TextColumn> => {
    const column = table.columns.get(name);
    if (column !== undefined) return await codedColumn(column);
    throw new DataError(
      `Cannot load texts from ${table.file}: it has no column "${name}", its columns are ${
        table.names.join(", ")
      }; { ${what} } names another`,
    );
  };
  const given = await cells(textName, "text"), notes = table.notes.map((note) => `${table.file}: ${note}`);
  const none = given.texts.indexOf(""), empty = given.codes.reduce((n, code) => n + (code === none ? 1 : 0), 0);
  if (empty > 0) {
    notes.push(`${table.file}: ${count(empty)} of ${count(table.rows)} rows have nothing in the column ${textName}`);
  }
  const labels = options.isLm === true ? null : await cells(label, "label");
  if (labels !== null) refuseMissing(table, label, labels);
  return await loadTexts(
    textsOf(given),
    labels === null ? null : textsOf(labels),
    { ...others, ...(validColumn === undefined ? {} : { splitter: await columnSplitter(table, validColumn, others) }) },
    notes,
    labels?.texts.every((text) => String(Number(text)) === text),
  );
}

function textsOf({ texts, codes }: TextColumn): string[] {
  return Array.from(codes, (code) => texts[code]);
}

function refuseMissing(table: Table, name: string, column: TextColumn): void {
  const code = column.texts.indexOf(""), missing = column.codes.filter((c) => c === code).length;
  if (missing === 0) return;
  throw new DataError(
    `Cannot read ${placeIn(table, column.places[code])}, column "${name}": the class is missing in ${
      count(missing)
    } of ` +
      `${count(table.rows)} rows; write it, or leave such rows out`,
  );
}

/** Rows that a column marks for validation. */
async function columnSplitter(
  table: Table,
  name: string,
  options: Pick<TextDataLoadersOptions, "validPct" | "splitter">,
): Promise<DataSplitter> {
  const also = (["validPct", "splitter"] as const).find((o) => options[o] !== undefined);
  if (also !== undefined) {
    throw new ConfigError(
      `Cannot divide texts by validColumn "${name}" and by ${also}: the column says which are validated on, leave ${also} out`,
    );
  }
  const { valid } = await splitByColumn(table, name, Int32Array.from({ length: table.rows }, (_, r) => r));
  return IndexSplitter([...valid]);
}
