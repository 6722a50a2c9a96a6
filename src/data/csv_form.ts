/**
 * How a table of text is written: what separates cells, and where its rows begin.
 *
 * @module
 */
import { flag, num, oneOf, type OptionTable, text, texts } from "../base/options.ts";

/** How a file of separated cells is written. */
export interface CsvOptions {
  /**
   * What separates cells: one character, such as `,`, `;` or a tab; `" "` is any number of blanks. By default the one of
   * comma, semicolon, tab, bar and blanks that cuts all first lines into equally many cells.
   */
  readonly delimiter?: string;
  /** Encoding of the text, a label of `TextDecoder` such as "windows-1252"; by default UTF-8, or UTF-16 where its mark is. */
  readonly encoding?: string;
  /** Whether the first line names the columns; true by default. */
  readonly header?: boolean;
  /** Names of the columns, in place of those of the header; without header they are `column 1`, `column 2`, ... by default. */
  readonly names?: readonly string[];
  /** Lines to leave out in front of the header; 0 by default. */
  readonly skipRows?: number;
  /** What begins a line that is a remark; none by default. */
  readonly comment?: string;
  /** What becomes of a row with more or fewer cells than the header: an error, by default, or it is left out. */
  readonly badRows?: "error" | "skip";
}

/** What each option may be. */
export const CSV_OPTIONS: OptionTable<CsvOptions> = {
  delimiter: text,
  encoding: text,
  header: flag,
  names: texts,
  skipRows: num,
  comment: text,
  badRows: oneOf("error", "skip"),
};

/** Of all options those that say how the file is written, and were given. */
export function givenForm(options: CsvOptions): Omit<CsvOptions, "badRows"> {
  const { delimiter, encoding, header, names, skipRows, comment } = options;
  const given = Object.entries({ delimiter, encoding, header, names, skipRows, comment });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/** Lines that are looked at. */
const LOOKED_AT = 200;

const CANDIDATES = [",", ";", "\t", "|"] as const;

/** How a file begins. */
export interface CsvForm {
  /** What separates cells. */
  readonly delimiter: string;
  /** Line of the header, from 1. */
  readonly from: number;
}

/** Finds out how a file is written from its first characters. */
export function formOf(start: string, whole: boolean, { delimiter, skipRows = 0, comment }: CsvOptions): CsvForm {
  // Excel's own remark on the first line
  const said = /^\s*"?sep=(.)"?\s*(?:\r|\n)/i.exec(start);
  const from = said === null ? skipRows + 1 : Math.max(2, skipRows + 1);
  if (delimiter !== undefined) return { delimiter, from };
  if (said !== null) return { delimiter: said[1], from };
  const lines = linesOf(start, whole, from, comment);
  const plain = CANDIDATES.map((c) => ({ c, counts: lines.map((line) => line.split(c).length - 1) }))
    .filter(({ counts }) => counts[0] > 0);
  // rows may have one cell more than the header: names of rows, or a delimiter at the end
  const even = plain.filter(({ counts: [first, ...rest] }) =>
    rest.every((n) => n === first) || rest.every((n) => n === first + 1)
  );
  const best = (even.length > 0 ? even : plain).reduce<typeof plain[number] | null>(
    (a, b) => a === null || b.counts[0] > a.counts[0] ? b : a,
    null,
  );
  if (best !== null) return { delimiter: best.c, from };
  const words = lines.map((line) => line.trim().split(/\s+/).length);
  const blanks = lines.length > 2 && words[0] > 1 && words.slice(1).every((n) => n === words[1]) &&
    (words[1] === words[0] || words[1] === words[0] + 1);
  return { delimiter: blanks ? " " : ",", from };
}

/** The first lines, what is in quotes left out. */
function linesOf(start: string, whole: boolean, from: number, comment: string | undefined): string[] {
  const body = start.split(/\r\n|\n|\r/).slice(from - 1).join("\n");
  const lines: string[] = [];
  let line = "", quoted = false;
  for (let i = 0; i < body.length && lines.length < LOOKED_AT; i++) {
    const c = body[i];
    if (c === '"') {
      quoted = !quoted;
      line += "_";
    } else if (c === "\n" && !quoted) {
      lines.push(line);
      line = "";
    } else if (!quoted) line += c;
  }
  if (whole || lines.length === 0) lines.push(line);
  return lines.filter((l) => l.trim() !== "" && !(comment !== undefined && l.startsWith(comment)));
}

/** What helps where names of columns look like cells of a row. */
export function headerHint(names: readonly string[]): string {
  const remark = names.map((n) => /^(#|\/\/|%|;)/.exec(n)?.[1]).find((mark) => mark !== undefined);
  if (remark !== undefined) {
    const way = remark.length === 1 ? `comment: ${JSON.stringify(remark)}` : "skipRows: 1";
    return `; where the first line is a remark, ${way}`;
  }
  const data = names.length > 1 && names.some((n) => /^[+-]?\d+\.?\d*$/.test(n));
  return data ? "; where the first line is a row already, header: false" : "";
}
