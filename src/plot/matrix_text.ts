/**
 * Matrices as text.
 *
 * @module
 */
import type { MatrixPanel } from "./panel.ts";

/** A number as a cell shows it. */
export function fmtCell(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

/** The panel as a table; columns that do not fit into `most` characters stand below, with the names of the rows again. */
export function matrixText({ values, rows, columns, title }: MatrixPanel, most: number): string {
  const lines = [["", ...columns], ...values.map((row, r) => [rows[r], ...row.map(fmtCell)])];
  const widths = lines[0].map((_, c) => Math.max(...lines.map((line) => line[c].length)));
  const blocks: number[][] = [];
  let width = Infinity;
  for (let c = 1; c < widths.length; c++) {
    if (width + 2 + widths[c] > most) {
      blocks.push([]);
      width = widths[0];
    }
    blocks.at(-1)!.push(c);
    width += 2 + widths[c];
  }
  const table = blocks.map((block) =>
    lines.map((line) =>
      [line[0].padEnd(widths[0]), ...block.map((c) => line[c].padStart(widths[c]))].join("  ").trimEnd()
    )
      .join("\n")
  );
  return [...(title === "" ? [] : [title]), table.join("\n\n")].join("\n");
}
