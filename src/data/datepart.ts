/**
 * Dates of a table as columns that a model can learn from.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkArgument, checkOptions, flag, type OptionTable, shown, text } from "../base/options.ts";
import { DATE_PARTS, dateOf, dayOrderOf, TIME_PARTS, type WrittenDate } from "./dates.ts";
import { isTable } from "./read_table.ts";
import { columnOf, placeOfRow, type Table, type TableColumn, type TextColumn } from "./table.ts";
import { CellReader, formatOf } from "./table_cells.ts";
import type { TableCell, TableRow } from "./table_encode.ts";

/** Options of {@link addDatepart}. */
export interface DatepartOptions {
  /** Put before the parts' names; by default the column's name without `Date` or `date` at its end. */
  readonly prefix?: string;
  /** Whether the column itself is left out; true by default. */
  readonly drop?: boolean;
  /** Whether there are `Hour`, `Minute` and `Second`, too; false by default. */
  readonly time?: boolean;
  /** Whether `3/4/2024` is in April; by default the column's other dates must tell. */
  readonly dayFirst?: boolean;
}

const DATEPART: OptionTable<DatepartOptions> = { prefix: text, drop: flag, time: flag, dayFirst: flag };

/** One date of a column, and where it stands. */
interface Cell {
  readonly text: string;
  readonly where: () => string;
}

/**
 * A table with the parts of a column of dates as columns: `Year`, `Month`, `Week` (ISO 8601), `Day`, `Dayofweek` (Monday is
 * 0), `Dayofyear`, `Is_month_end`, `Is_month_start`, `Is_quarter_end`, `Is_quarter_start`, `Is_year_end`, `Is_year_start`,
 * and `Elapsed`, the seconds since 1970; fastai's `add_datepart`. Where a date is missing, so are numbers, and what asks
 * whether is false. Dates are ISO 8601, `2024/3/4`, `20240304`, `4.3.2024`, `3/4/2024` or have a month's English name; one
 * with a zone counts its parts on the clock of that zone.
 *
 * @param source A table as read, or rows, such as those to predict for.
 * @param field The column.
 * @example
 * ```ts
 * import { addDatepart } from "@anneal/anneal";
 * const [row] = addDatepart([{ saledate: "2024-03-31", price: 5 }], "saledate");
 * console.log(row.saleMonth, row.saleIs_quarter_end, row.saleElapsed); // 3 true 1711843200
 * ```
 * @throws DataError Where a cell is no date, or the order of day and month can't be told.
 */
export function addDatepart(source: Table, field: string, options?: DatepartOptions): Table;
/** The same for rows. */
export function addDatepart(source: readonly TableRow[], field: string, options?: DatepartOptions): TableRow[];
export function addDatepart(
  source: Table | readonly TableRow[],
  field: string,
  options: DatepartOptions = {},
): Table | TableRow[] {
  checkOptions("add parts of dates", options, DATEPART);
  checkArgument("add parts of dates", "field", field, text);
  if (isTable(source)) return toTable(source, field, options);
  if (Array.isArray(source)) return toRows(source, field, options);
  throw new ConfigError(
    `Cannot add parts of dates to ${shown(source)}: it takes a table, as readTable gives it, or rows`,
  );
}

function toRows(rows: readonly TableRow[], field: string, options: DatepartOptions): TableRow[] {
  const found = rows.some((row) => Object.hasOwn(row, field));
  if (!found && rows.length > 0) {
    throw new ConfigError(
      `Cannot use column "${field}" of the rows: the first has ${Object.keys(rows[0]).join(", ")}`,
    );
  }
  const dates = datesOf(rows.map((row, r) => cellOf(row[field], `row ${r + 1}, column "${field}"`)), options);
  const parts = partsOf(field, options), { drop = true } = options;
  return rows.map((row, r) => {
    const out: Record<string, TableCell> = { ...row }, date = dates[r];
    if (drop) delete out[field];
    for (const { name, of, asks } of parts) {
      if (Object.hasOwn(row, name)) throw taken(name, field);
      out[name] = date === null ? asks ? false : null : of(date);
    }
    return out;
  });
}

function cellOf(value: unknown, where: string): Cell | null {
  if (value === undefined || value === null || Number.isNaN(value)) return null;
  if (typeof value !== "string") {
    throw new DataError(`Cannot read ${where}: a date is a text, such as "2024-03-31", got ${shown(value)}`);
  }
  const text = value.trim();
  return new CellReader(formatOf({})).isMissing(text, "") ? null : { text, where: () => where };
}

function toTable(table: Table, field: string, options: DatepartOptions): Table {
  const column = columnOf(table, field);
  if (column.kind !== "text") {
    throw new DataError(
      `Cannot read dates of column "${field}" of ${table.file}: it holds numbers; write them as texts, such as "2024-03-31"`,
    );
  }
  const { texts, codes, places } = column, cells = new CellReader(formatOf({ keepDefaultNa: column.type === "cells" }));
  const first = new Int32Array(texts.length).fill(-1);
  codes.forEach((code, r) => {
    if (first[code] < 0) first[code] = r;
  });
  const dates = datesOf(
    texts.map((text, i) => {
      const where = () => `${placeOfRow(table, column, first[i])}, column "${field}"`;
      return first[i] < 0 || cells.isMissing(text, field) ? null : { text, where };
    }),
    options,
  );
  const { drop = true } = options, parts = partsOf(field, options);
  const columns = new Map(table.columns);
  if (drop) columns.delete(field);
  for (const { name, of, asks } of parts) {
    if (table.names.includes(name)) throw taken(name, field);
    const values = dates.map((date) => date === null ? asks ? 0 : NaN : Number(of(date)));
    columns.set(name, asks ? answers(values, codes, places) : numbers(values, codes));
  }
  const names = [
    ...drop ? table.names.filter((name) => name !== field) : table.names,
    ...parts.map(({ name }) => name),
  ];
  return { ...table, names, columns };
}

function numbers(values: readonly number[], codes: Int32Array): TableColumn {
  return { kind: "number", values: Float64Array.from(codes, (code) => values[code]) };
}

function answers(values: readonly number[], codes: Int32Array, places: readonly number[]): TextColumn {
  const at = [0, 1].map((answer) => values.indexOf(answer)), some = [0, 1].filter((answer) => at[answer] >= 0);
  return {
    kind: "text",
    type: "bool",
    texts: some.map((answer) => String(answer === 1)),
    places: some.map((answer) => places[at[answer]]),
    codes: codes.map((code) => some.indexOf(values[code])),
  };
}

/** Names of the new columns, and what they hold. */
function partsOf(field: string, { prefix = field.replace(/[Dd]ate$/, ""), time = false }: DatepartOptions) {
  const all = [...DATE_PARTS, ...(time ? TIME_PARTS : [])].map(([name, of]) => ({ name: prefix + name, of }));
  all.push({ name: `${prefix}Elapsed`, of: ({ instant }: WrittenDate) => instant });
  return all.map(({ name, of }) => ({ name, of, asks: name.startsWith(`${prefix}Is_`) }));
}

function taken(name: string, field: string): ConfigError {
  return new ConfigError(
    `Cannot add the parts of "${field}": there is a column "${name}" already; { prefix } names them otherwise`,
  );
}

/** The dates of cells, null where they are missing. */
function datesOf(cells: readonly (Cell | null)[], { dayFirst }: DatepartOptions): (WrittenDate | null)[] {
  let order = dayFirst === undefined ? undefined : dayFirst, doubtful: Cell | undefined, by: Cell | undefined;
  for (const cell of dayFirst === undefined ? cells : []) {
    const own = cell === null || cell.text.includes(".") ? null : dayOrderOf(cell.text);
    if (own === null || cell === null) continue;
    if (own === "unknown") {
      doubtful ??= cell;
      continue;
    }
    const day = own === "day first";
    if (order !== undefined && order !== day) {
      throw new DataError(
        `Cannot read ${cell.where()}: dates are written in one order, ${by!.where()} has ${
          by!.text
        }, this ${cell.text}`,
      );
    }
    by ??= cell;
    order = day;
  }
  if (order === undefined && doubtful !== undefined) {
    throw new DataError(
      `Cannot read ${doubtful.where()}: ${doubtful.text} may be of two days; { dayFirst: false } reads the month first, ` +
        "{ dayFirst: true } the day",
    );
  }
  return cells.map((cell) => {
    if (cell === null) return null;
    const date = dateOf(cell.text, order ?? false);
    if (date !== null) return date;
    throw new DataError(
      `Cannot read ${cell.where()}: a date is needed, such as 2024-03-31 or 2024-03-31T12:30:00, got ${
        JSON.stringify(cell.text)
      }`,
    );
  });
}
