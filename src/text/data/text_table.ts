/**
 * Texts as tables of a terminal.
 *
 * @module
 */
import { terminalColumns } from "../../base/terminal.ts";

/** A column of a table of texts. */
export interface TextColumnSpec {
  /** Its heading. */
  readonly name: string;
  /** Whether it takes the room that the others leave; others are as wide as they need. */
  readonly wide?: boolean;
}

/** Control characters as what they stand for, so that a text is one line. */
function oneLine(text: string): string {
  return text.replace(/\n/g, "⏎").replace(/[\p{Cc}\p{Cf}\s]+/gu, " ");
}

/** Columns that a character takes: East Asian ones and pictures two, marks none. */
function columnsOf(character: string): number {
  if (/^[\p{Mn}\p{Me}\p{Cf}]$/u.test(character)) return 0;
  return /^[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\uff01-\uff60]$/u
      .test(character)
    ? 2
    : 1;
}

/** A text cut or filled up to so many columns. */
function fit(text: string, width: number): string {
  let out = "", taken = 0;
  const all = [...text];
  const whole = all.reduce((n, c) => n + columnsOf(c), 0) <= width;
  for (const c of all) {
    const n = columnsOf(c);
    if (taken + n > (whole ? width : width - 1)) break;
    out += c;
    taken += n;
  }
  if (!whole) return `${out}…${" ".repeat(Math.max(0, width - taken - 1))}`;
  return out + " ".repeat(width - taken);
}

/**
 * A table of texts, a row in a line; longer ones end with "…".
 *
 * @param width Columns of a line; those of the terminal by default, or 100.
 */
export function textTable(
  columns: readonly TextColumnSpec[],
  rows: readonly (readonly string[])[],
  width: number = terminalColumns() ?? 100,
): string {
  const cells = rows.map((row) => row.map(oneLine));
  const needs = columns.map(({ name }, i) =>
    cells.reduce((most, row) => Math.max(most, [...row[i]].reduce((n, c) => n + columnsOf(c), 0)), name.length)
  );
  const narrow = columns.reduce((n, { wide = false }, i) => n + (wide ? 0 : needs[i]), 0);
  const open = columns.filter(({ wide = false }) => wide).length;
  const room = Math.max(20, Math.floor((width - narrow - 2 * (columns.length - 1)) / Math.max(1, open)));
  const widths = columns.map(({ wide = false }, i) => wide ? Math.min(room, needs[i]) : needs[i]);
  const line = (row: readonly string[]): string => row.map((cell, i) => fit(cell, widths[i])).join("  ").trimEnd();
  return [line(columns.map(({ name }) => name)), ...cells.map(line)].join("\n");
}
