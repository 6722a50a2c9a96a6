/**
 * Panels as text for a terminal: braille characters of 2 x 4 dots.
 *
 * @module
 */
import { domains, drawable, type LinePanel, type Panel } from "./panel.ts";
import { matrixText } from "./render_matrix.ts";

const COLUMNS = 56, ROWS = 12; // characters
const BITS = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]; // of the dot in row y, column x of a character

function fmt(x: number): string {
  const a = Math.abs(x);
  return a !== 0 && (a < 1e-3 || a >= 1e5) ? x.toExponential(2) : String(Number(x.toPrecision(4)));
}

/** Position of `v` on an axis, 0 to 1. */
function place(v: number, [low, high]: readonly [number, number], log: boolean): number {
  const f = log ? Math.log : (x: number) => x;
  return (f(v) - f(low)) / (f(high) - f(low));
}

/** Sets every dot from `(x0, y0)` to `(x1, y1)`. */
function stroke(dots: Uint8Array, x0: number, y0: number, x1: number, y1: number): void {
  const n = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1);
  for (let i = 0; i <= n; i++) {
    const x = Math.round(x0 + (x1 - x0) * i / n), y = Math.round(y0 + (y1 - y0) * i / n);
    if (x < 0 || y < 0 || x >= 2 * COLUMNS || y >= 4 * ROWS) continue;
    dots[(y >> 2) * COLUMNS + (x >> 1)] |= BITS[y & 3][x & 1];
  }
}

function lines(panel: LinePanel): string[] {
  const name = panel.title === "" ? panel.yLabel : panel.title, range = domains(panel);
  if (range === null) return [name, "(no data)"].filter((line) => line !== "");
  const dots = new Uint8Array(COLUMNS * ROWS);
  const column = (x: number) => Math.round(place(x, range.x, panel.xLog) * (2 * COLUMNS - 1));
  const row = (y: number) => Math.round((1 - place(y, range.y, panel.yLog)) * (4 * ROWS - 1));
  for (const line of panel.lines) {
    let last: [number, number] | null = null;
    line.x.forEach((x, i) => {
      if (!drawable(x, line.y[i], panel)) return last = null;
      const [cx, cy] = [column(x), row(line.y[i])];
      stroke(dots, ...(last ?? [cx, cy]), cx, cy);
      last = [cx, cy];
    });
  }
  const cells = Array.from(dots, (bits) => String.fromCharCode(0x2800 + bits));
  for (const { x, y } of panel.markers) {
    if (drawable(x, y, panel)) cells[(row(y) >> 2) * COLUMNS + (column(x) >> 1)] = "●";
  }
  const high = fmt(range.y[1]), low = fmt(range.y[0]), margin = Math.max(high.length, low.length);
  const out = name === "" ? [] : [" ".repeat(margin + 2) + name];
  for (let r = 0; r < ROWS; r++) {
    const label = r === 0 ? high : r === ROWS - 1 ? low : "";
    out.push(`${label.padStart(margin)} ┤${cells.slice(r * COLUMNS, (r + 1) * COLUMNS).join("")}`);
  }
  const left = fmt(range.x[0]), right = fmt(range.x[1]);
  const middle = panel.xLabel.padStart((COLUMNS + panel.xLabel.length) / 2 - left.length);
  out.push(" ".repeat(margin + 1) + "└" + "─".repeat(COLUMNS));
  out.push(" ".repeat(margin + 2) + left + middle.padEnd(COLUMNS - left.length - right.length) + right);
  const names = [
    ...(panel.lines.length > 1 ? panel.lines.map((line) => line.name) : []),
    ...panel.markers.map((m) => `● ${m.name} ${fmt(m.x)}`),
  ];
  if (panel.legend && names.length > 0) out.push(" ".repeat(margin + 2) + names.join("   "));
  return out.map((line) => line.trimEnd());
}

/** Panels one below the other; pictures as their titles. */
export function renderText(panels: readonly Panel[]): string {
  return panels.map((panel) => {
    if (panel.kind === "matrix") return matrixText(panel);
    return panel.kind === "lines" ? lines(panel).join("\n") : `[${panel.title}]`;
  }).join("\n");
}
