/**
 * What the cells of a table say: numbers, words, nothing.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { flag, oneOf, type OptionTable, other, text, texts } from "../base/options.ts";

/** How numbers are written, and what stands for a value that is missing. */
export interface CellOptions {
  /** What separates a number's decimals: `.`, or `,` as in German files; a point by default. */
  readonly decimal?: "." | ",";
  /** What separates thousands, such as `,`, `.`, `'` or a blank; nothing by default. */
  readonly thousands?: string;
  /** Texts that may stand beside a number and are left out, such as `["$", "%"]`. */
  readonly strip?: readonly string[];
  /** More texts that stand for a missing value: for all columns, or by column. */
  readonly naValues?: readonly string[] | Readonly<Record<string, readonly string[]>>;
  /**
   * Whether pandas' words for missing values count, with their case: `NA`, `N/A`, `NaN`, `None`, `NULL`, `null`, `n/a`,
   * `#N/A` and so on; true by default. An empty cell is always missing.
   */
  readonly keepDefaultNa?: boolean;
}

/** What each option may be. */
export const CELL_OPTIONS: OptionTable<CellOptions> = {
  decimal: oneOf(".", ","),
  thousands: text,
  strip: texts,
  naValues: other(
    "texts, or texts by column",
    (v) => typeof v === "object" && v !== null && Object.values(v).every((e) => typeof e !== "boolean"),
  ),
  keepDefaultNa: flag,
};

/** {@link CellOptions} with nothing left out; plain data. */
export interface CellFormat {
  /** What separates decimals. */
  readonly decimal: "." | ",";
  /** What separates thousands; "" where nothing does. */
  readonly thousands: string;
  /** Texts beside numbers. */
  readonly strip: readonly string[];
  /** Texts for a missing value in every column. */
  readonly naValues: readonly string[];
  /** Texts for a missing value, by column. */
  readonly naByColumn: Readonly<Record<string, readonly string[]>>;
  /** Whether pandas' words count. */
  readonly keepDefaultNa: boolean;
}

/** Those of pandas 2. */
const DEFAULT_NA: readonly string[] = ["#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"]
  .concat("1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null");

/** The format that options ask for. */
export function formatOf(options: CellOptions): CellFormat {
  const { decimal = ".", thousands = "", strip = [], naValues = [], keepDefaultNa = true } = options;
  if (decimal !== "." && decimal !== ",") {
    throw new ConfigError(`Cannot read numbers with decimal "${decimal}": it is "." or ","`);
  }
  if (thousands === decimal || thousands.length > 1 || /[\d+-]/.test(thousands)) {
    throw new ConfigError(
      `Cannot read numbers with thousands "${thousands}" and decimal "${decimal}": it is one other character, such as ` +
        `${decimal === "," ? '"."' : '","'}`,
    );
  }
  if (strip.some((text) => text === "" || /[\d.,]/.test(text))) {
    throw new ConfigError('Cannot leave out texts beside numbers: strip lists texts such as "$", without digits');
  }
  const all = Array.isArray(naValues) ? naValues as readonly string[] : [];
  const naByColumn = Array.isArray(naValues) ? {} : naValues as Readonly<Record<string, readonly string[]>>;
  for (const value of [...all, ...Object.values(naByColumn).flat()]) {
    if (typeof value !== "string") {
      throw new ConfigError(`Cannot take ${String(value)} for missing: naValues are texts, write "${String(value)}"`);
    }
  }
  return { decimal, thousands, strip, naValues: all, naByColumn, keepDefaultNa };
}

/** A format with what options change of it; themselves where they change nothing. */
export function changedFormat(format: CellFormat, options: CellOptions): CellFormat {
  const given = Object.entries(options).filter(([, value]) => value !== undefined).map(([name]) => name);
  if (given.length === 0) return format;
  const { decimal, thousands, strip, keepDefaultNa } = format,
    changed = formatOf({
      decimal,
      thousands: options.decimal !== undefined && options.thousands === undefined ? "" : thousands,
      strip,
      keepDefaultNa,
      ...Object.fromEntries(Object.entries(options).filter(([name]) => given.includes(name))),
    });
  if (options.naValues !== undefined) return changed;
  return { ...changed, naValues: format.naValues, naByColumn: format.naByColumn };
}

/** Reads cells in one format. */
export class CellReader {
  /** The format. */
  readonly format: CellFormat;
  readonly #missing: ReadonlySet<string>;
  readonly #byColumn: ReadonlyMap<string, ReadonlySet<string>>;
  /** Numbers that stand for a missing value, however they are written. */
  readonly #missingNumbers: ReadonlyMap<string, ReadonlySet<number>>;
  readonly #pattern: RegExp;

  /** Takes the format. */
  constructor(format: CellFormat) {
    this.format = format;
    const { keepDefaultNa, naValues, naByColumn } = format;
    this.#missing = new Set(["", ...(keepDefaultNa ? DEFAULT_NA : []), ...naValues.map((v) => v.trim())]);
    this.#byColumn = new Map(Object.entries(naByColumn).map(([name, list]) => [name, new Set(list)]));
    const d = format.decimal === "," ? "," : "\\.";
    const group = format.thousands.replace(/[.'\\]/, "\\$&");
    const whole = group === "" ? "\\d+" : `(?:\\d+|\\d{1,3}(?:${/\s/.test(group) ? "\\s" : group}\\d{3})+)`;
    this.#pattern = new RegExp(`^[+-]?(?:${whole}(?:${d}\\d*)?|${d}\\d+)(?:[eE][+-]?\\d+)?$`);
    const numbers = (list: readonly string[]) => new Set(list.map((text) => this.#parse(text) ?? NaN));
    this.#missingNumbers = new Map([
      ["", numbers(naValues)],
      ...Object.entries(naByColumn).map(([name, list]) => [name, numbers(list)] as const),
    ]);
  }

  /** Whether a cell of this column says nothing. */
  isMissing(cell: string, column: string): boolean {
    const text = cell.trim();
    if (this.#missing.has(text) || this.#byColumn.get(column)?.has(text)) return true;
    const all = this.#missingNumbers.get("")!, own = this.#missingNumbers.get(column);
    if (all.size === 0 && own === undefined) return false;
    const value = this.#parse(text);
    return value !== undefined && (all.has(value) || own?.has(value) === true);
  }

  /** Whether a number of this column stands for a missing one. */
  isMissingNumber(value: number, column: string): boolean {
    if (Number.isNaN(value)) return true;
    return this.#missingNumbers.get("")!.has(value) || this.#missingNumbers.get(column)?.has(value) === true;
  }

  /** A cell as a number; NaN where it is missing, undefined where it is something else. */
  number(text: string, column: string): number | undefined {
    return this.isMissing(text, column) ? NaN : this.#parse(text);
  }

  #parse(text: string): number | undefined {
    const { strip, decimal, thousands } = this.format;
    let t = text;
    for (const s of strip) t = t.replace(s, "");
    t = t.trim().replace("\u2212", "-");
    if (!this.#pattern.test(t)) return undefined;
    if (thousands !== "") t = t.replace(/\s/.test(thousands) ? /\s/g : new RegExp(`\\${thousands}`, "g"), "");
    const value = Number(decimal === "," ? t.replace(",", ".") : t);
    return Number.isFinite(value) ? value : undefined;
  }
}

/** Whether a text is a whole number with zeros in front, as postal codes are: it names, it does not measure. */
export function isCode(text: string): boolean {
  return /^0\d+$/.test(text);
}

/** An option by which a text would be a number; "point": points between thousands, "dot": a point before decimals. */
export type NumberForm = "decimal" | "thousands" | "strip" | "point" | "dot";

/**
 * The options by which a text would be a number; null where none are. `1,234` may be meant either way.
 *
 * @param decimal What separates decimals now.
 */
export function numberLike(text: string, decimal: "." | ","): readonly NumberForm[] | null {
  const bare = text.replace(/^\s*(?:[$€£¥₹]|[A-Z]{3}(?=\s))?\s*/u, "")
    .replace(/\s*(?:%|‰|°[CF]?|[$€£¥₹]|(?<=\s)[A-Z]{3}|[kKmM]g?)?\s*$/u, "");
  const strip = bare === text ? [] : ["strip"] as const;
  const t = bare.replace("\u2212", "-").replace(/^[+-]/, "");
  if (/^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(t)) {
    if (decimal === "," && t.includes(".")) return [...strip, /^\d{1,3}(?:\.\d{3})+$/.test(t) ? "point" : "dot"];
    return strip.length > 0 ? strip : null;
  }
  if (/^\d{1,3}(?:,\d{3})+$/.test(t)) return [...strip, "thousands", "decimal"];
  if (/^\d{1,3}(?:[,'’\s]\d{3})+(?:\.\d+)?$/.test(t)) return [...strip, "thousands"];
  if (/^(?:\d+|\d{1,3}(?:[.'’\s]\d{3})+),\d+$/.test(t)) return [...strip, "decimal"];
  return /^\d{1,3}(?:\.\d{3}){2,}$/.test(t) ? [...strip, "point"] : null;
}

/** What stands beside the digits of a number, such as `$`. */
export function besideNumber(text: string): string {
  return /[^\d.,'’\s+\-()[\]]+/u.exec(text.replace("\u2212", ""))?.[0] ?? "";
}
