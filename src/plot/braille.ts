/**
 * Panels as text for a terminal: braille characters of 2 x 4 dots. The first line is dots alone; each further one has a mark
 * of its own along it, so that lines can be told apart without colours.
 *
 * @module
 */
import { domains, drawable, type Line, type LinePanel, type Panel } from "./panel.ts";
import { barsText } from "./bars_text.ts";
import { matrixText } from "./matrix_text.ts";

/** Size of a plot in characters, at most and at least, and its height. */
const WIDEST = 56, NARROWEST = 12, ROWS = 12;
const BITS = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]; // of the dot in row y, column x of a character
/** Marks of the second line and those after it. */
const MARKS = ["×", "+", "○", "◆", "△", "■", "▽", "□"];
/** The mark of markers. */
const MARKER = "●";
/** Characters from a mark to the next on a line that has many points. */
const APART = 8;

function fmt(x: number): string {
  const a = Math.abs(x);
  return a !== 0 && (a < 1e-3 || a >= 1e5) ? x.toExponential(2) : String(Number(x.toPrecision(4)));
}

/** Position of `v` on an axis, 0 to 1. */
function place(v: number, [low, high]: readonly [number, number], log: boolean): number {
  const f = log ? Math.log : (x: number) => x;
  return (f(v) - f(low)) / (f(high) - f(low));
}

/** Characters of a plot, dots first. */
class Canvas {
  readonly columns: number;
  readonly #dots: Uint8Array;
  readonly #marks = new Map<number, string>();
  readonly #column: (x: number) => number;
  readonly #row: (y: number) => number;

  constructor(columns: number, panel: LinePanel, range: NonNullable<ReturnType<typeof domains>>) {
    this.columns = columns;
    this.#dots = new Uint8Array(columns * ROWS);
    this.#column = (x) => Math.round(place(x, range.x, panel.xLog) * (2 * columns - 1));
    this.#row = (y) => Math.round((1 - place(y, range.y, panel.yLog)) * (4 * ROWS - 1));
  }

  line(line: Line, panel: LinePanel): void {
    let last: [number, number] | null = null;
    line.x.forEach((x, i) => {
      if (!drawable(x, line.y[i], panel)) return last = null;
      const [cx, cy] = [this.#column(x), this.#row(line.y[i])];
      this.#stroke(...(last ?? [cx, cy]), cx, cy);
      last = [cx, cy];
    });
  }

  /** A mark at each point, or where there are many, from time to time; lines that lie on each other have theirs in turn. */
  marks(line: Line, panel: LinePanel, nth: number, of: number): void {
    const few = line.x.length <= this.columns / 3;
    let next = Math.round(nth * APART / of);
    line.x.forEach((x, i) => {
      if (!drawable(x, line.y[i], panel)) return;
      if (!few && this.#column(x) >> 1 < next) return;
      this.mark(x, line.y[i], MARKS[(nth - 1) % MARKS.length]);
      next = (this.#column(x) >> 1) + APART;
    });
  }

  mark(x: number, y: number, mark: string): void {
    this.#marks.set((this.#row(y) >> 2) * this.columns + (this.#column(x) >> 1), mark);
  }

  /** Sets every dot from `(x0, y0)` to `(x1, y1)`. */
  #stroke(x0: number, y0: number, x1: number, y1: number): void {
    const n = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1);
    for (let i = 0; i <= n; i++) {
      const x = Math.round(x0 + (x1 - x0) * i / n), y = Math.round(y0 + (y1 - y0) * i / n);
      if (x < 0 || y < 0 || x >= 2 * this.columns || y >= 4 * ROWS) continue;
      this.#dots[(y >> 2) * this.columns + (x >> 1)] |= BITS[y & 3][x & 1];
    }
  }

  rows(): string[] {
    const cells = Array.from(this.#dots, (bits, i) => this.#marks.get(i) ?? String.fromCharCode(0x2800 + bits));
    return Array.from({ length: ROWS }, (_, r) => cells.slice(r * this.columns, (r + 1) * this.columns).join(""));
  }
}

/** At most `most` characters of a text. */
function cut(text: string, most: number): string {
  return text.length <= most ? text : text.slice(0, Math.max(0, most - 1)) + "…";
}

/** Names one after the other, in as many lines as they need. */
function wrapped(names: readonly string[], most: number): string[] {
  const lines: string[] = [];
  for (const name of names.map((text) => cut(text, most))) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 3 + name.length <= most) lines[lines.length - 1] = `${last}   ${name}`;
    else lines.push(name);
  }
  return lines;
}

function lines(panel: LinePanel, most: number): string[] {
  const name = panel.title === "" ? panel.yLabel : panel.title, range = domains(panel);
  if (range === null) return [name, "(no data)"].filter((line) => line !== "");
  const high = fmt(range.y[1]), low = fmt(range.y[0]), margin = Math.max(high.length, low.length);
  const columns = Math.max(NARROWEST, Math.min(WIDEST, most - margin - 2)), indent = " ".repeat(margin + 2);
  const canvas = new Canvas(columns, panel, range);
  for (const line of panel.lines) canvas.line(line, panel);
  panel.lines.forEach((line, i) => {
    if (i > 0) canvas.marks(line, panel, i, panel.lines.length);
  });
  for (const { x, y } of panel.markers) if (drawable(x, y, panel)) canvas.mark(x, y, MARKER);
  const out = name === "" ? [] : [indent + cut(name, columns)];
  canvas.rows().forEach((cells, r) => {
    const label = r === 0 ? high : r === ROWS - 1 ? low : "";
    out.push(`${label.padStart(margin)} ┤${cells}`);
  });
  const left = fmt(range.x[0]), right = fmt(range.x[1]);
  const room = columns - left.length - right.length;
  const xLabel = panel.xLabel.length <= room - 2 ? panel.xLabel : "";
  const middle = xLabel.padStart((columns + xLabel.length) / 2 - left.length);
  out.push(" ".repeat(margin + 1) + "└" + "─".repeat(columns));
  out.push(indent + left + middle.padEnd(room) + right);
  const names = [
    ...(panel.lines.length > 1
      ? panel.lines.map((line, i) => `${i === 0 ? "⠒⠒" : MARKS[(i - 1) % MARKS.length]} ${line.name}`)
      : []),
    ...panel.markers.map((m) => `${MARKER} ${m.name} ${fmt(m.x)}`),
  ];
  if (panel.legend) out.push(...wrapped(names, columns).map((line) => indent + line));
  return out.map((line) => line.trimEnd());
}

/** Panels one below the other, in lines of at most `columns` characters; pictures as their titles. */
export function renderText(panels: readonly Panel[], columns: number): string {
  return panels.map((panel) => {
    if (panel.kind === "bars") return barsText(panel, columns);
    if (panel.kind === "matrix") return matrixText(panel, columns);
    return panel.kind === "lines" ? lines(panel, columns).join("\n") : cut(`[${panel.title}]`, columns);
  }).join("\n");
}
