/**
 * Matrices as SVG.
 *
 * @module
 */
import { fmtCell } from "./matrix_text.ts";
import type { MatrixPanel } from "./panel.ts";
import { label } from "./svg_text.ts";

/** Room above the cells, for the heading. */
const TOP = 34;

/** White to dark blue. */
function shade(share: number): string {
  const from = [255, 255, 255], to = [8, 48, 107];
  return `rgb(${from.map((c, i) => Math.round(c + (to[i] - c) * share)).join(",")})`;
}

/** The panel with its upper left corner at `x`, `y`. */
export function renderMatrix(panel: MatrixPanel, x: number, y: number): string {
  const { values, rows, columns, cell, left, rowLabel, columnLabel } = panel;
  const largest = Math.max(...values.flat().filter(Number.isFinite), 0);
  const cells = values.flatMap((row, r) =>
    row.map((value, c) => {
      const share = largest > 0 && value > 0 ? value / largest : 0;
      const [cx, cy] = [x + left + c * cell, y + TOP + r * cell];
      const colour = share > 0.5 ? "white" : "black";
      return `<rect x="${cx}" y="${cy}" width="${cell}" height="${cell}" fill="${shade(share)}" stroke="#ddd"/>` +
        label(
          cx + cell / 2,
          cy + cell / 2 + 4,
          fmtCell(value),
          `font-size="11" text-anchor="middle" fill="${colour}"`,
        );
    })
  );
  const bottom = y + TOP + rows.length * cell;
  const names = [
    ...rows.map((name, r) =>
      label(x + left - 6, y + TOP + r * cell + cell / 2 + 4, name, 'font-size="11" text-anchor="end"')
    ),
    ...columns.map((name, c) => {
      const [cx, cy] = [x + left + c * cell + cell / 2 + 4, bottom + 8];
      return label(cx, cy, name, `font-size="11" text-anchor="end" transform="rotate(-90 ${cx} ${cy})"`);
    }),
  ];
  const [midX, midY] = [x + left + columns.length * cell / 2, y + TOP + rows.length * cell / 2];
  const axes = label(midX, y + panel.height - 8, columnLabel, 'font-size="12" text-anchor="middle"') +
    label(x + 14, midY, rowLabel, `font-size="12" text-anchor="middle" transform="rotate(-90 ${x + 14} ${midY})"`);
  const heading = panel.title === "" ? "" : label(midX, y + 20, panel.title, 'font-size="14" text-anchor="middle"');
  return heading + cells.join("") + names.join("") + axes;
}
