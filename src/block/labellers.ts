/**
 * Functions that find an item's label.
 *
 * @module
 */
import { basename, dirname } from "../base/path.ts";
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, shown, text } from "../base/options.ts";

/** The name of the folder that a file lies in. */
export function parentLabel(file: string): string {
  return basename(dirname(file));
}

/**
 * The part of a file's name that a pattern's first group matches.
 *
 * @param pattern As in `/^(.*)_\d+\.jpg$/`; the name is that of the file, without its folders.
 */
export function RegexLabeller(pattern: RegExp): (file: string) => string {
  const once = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
  return (file) => {
    const label = once.exec(basename(file))?.[1];
    if (label !== undefined) return label;
    throw new DataError(`Cannot label ${file}: its name must match ${pattern} with a group for the label`);
  };
}

/** Options of {@link ColReader}. */
export interface ColReaderOptions {
  /** Put before the value, such as a folder and a slash. */
  readonly pref?: string;
  /** Put behind the value, such as ".jpg". */
  readonly suff?: string;
  /** What lies between the labels of one item, with white space or none; then the reader gives a list. */
  readonly labelDelim?: string;
}

/** A row of a table. */
export type ColumnValues = Readonly<Record<string, unknown>>;

/** The value of a column, as text or a list of texts where options say so; see {@link ColReaderOptions}. */
export function ColReader(
  column: string,
  options: ColReaderOptions & { labelDelim: string },
): (row: ColumnValues) => string[];
/** The value of a column with something around it. */
export function ColReader(
  column: string,
  options: ColReaderOptions & ({ pref: string } | { suff: string }),
): (row: ColumnValues) => string;
/** The value of a column. */
export function ColReader<T = string>(column: string, options?: ColReaderOptions): (row: ColumnValues) => T;
export function ColReader(column: string, options: ColReaderOptions = {}): (row: ColumnValues) => unknown {
  const { pref = "", suff = "", labelDelim } = checkOptions("read a column", options, {
    pref: text,
    suff: text,
    labelDelim: text,
  });
  if (labelDelim === "") throw new ConfigError("Cannot read a column: labelDelim is a text between labels, got none");
  return (row) => {
    const value = row?.[column];
    if (value === undefined || value === null) {
      const names = typeof row === "object" && row !== null ? Object.keys(row).join(", ") : shown(row);
      throw new DataError(`Cannot read the column ${shown(column)} of a row: it has ${names}`);
    }
    if (labelDelim !== undefined) {
      // "a; b;" has two labels
      return String(value).split(labelDelim).map((label) => label.trim()).filter((label) => label !== "");
    }
    return pref === "" && suff === "" ? value : `${pref}${value}${suff}`;
  };
}
