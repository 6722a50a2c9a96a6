/**
 * Panels as one SVG document. Axes and marks come from Observable Plot; the grid of panels, titles and legends from here.
 *
 * @module
 */
import { encodePng } from "./encode_png.ts";
import { domains, drawable, type ImagePanel, type LinePanel, type Panel } from "./panel.ts";

/** Colours of lines, then of markers; told apart by people who see few colours, too (Okabe and Ito). */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31"];
/** The family of the font that the renderer of PNG carries; the others are for viewers of SVG. */
const FONT = "DejaVu Sans, Verdana, sans-serif";

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function label(x: number, y: number, text: string, more: string): string {
  return `<text x="${x}" y="${y}" ${more}>${escape(text)}</text>`;
}

/** Powers of ten inside a range, at most seven; the ends where there is none. */
function powers([low, high]: readonly [number, number]): number[] {
  const from = Math.ceil(Math.log10(low) - 1e-9), to = Math.floor(Math.log10(high) + 1e-9);
  if (from > to) return [low, high];
  const step = Math.max(1, Math.ceil((to - from + 1) / 9));
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => 10 ** (from + i * step));
}

function fmtTick(x: number): string {
  const a = Math.abs(x);
  return a !== 0 && (a < 1e-3 || a >= 1e5)
    ? Number(x.toPrecision(3)).toExponential()
    : String(Number(x.toPrecision(6)));
}

/** `[index, x, y]` of a line's points, `NaN` where there is a gap, and the points that have no neighbour. */
function pointsOf(x: readonly number[], y: readonly number[], panel: LinePanel) {
  const points = x.map((px, i) => drawable(px, y[i], panel) ? [px, y[i]] : [NaN, NaN]);
  const there = (i: number) => i >= 0 && i < points.length && !Number.isNaN(points[i][0]);
  return { points, lonely: points.filter((_, i) => there(i) && !there(i - 1) && !there(i + 1)) };
}

function legendOf(panel: LinePanel, x: number, y: number): string {
  const marks = [
    ...panel.lines.map(({ name }, i) => ({ name, colour: COLOURS[i % COLOURS.length], round: false })),
    ...panel.markers.map(({ name }, i) => ({
      name,
      colour: COLOURS[(panel.lines.length + i) % COLOURS.length],
      round: true,
    })),
  ].filter(({ name }) => name !== "");
  let left = x;
  return marks.map(({ name, colour, round }) => {
    const at = left;
    left += 34 + name.length * 7;
    const mark = round
      ? `<circle cx="${at + 9}" cy="${y - 4}" r="4.5" fill="${colour}"/>`
      : `<line x1="${at}" x2="${at + 18}" y1="${y - 4}" y2="${y - 4}" stroke="${colour}" stroke-width="2"/>`;
    return mark + label(at + 23, y, name, 'font-size="11"');
  }).join("");
}

async function renderLines(panel: LinePanel, x: number, y: number): Promise<string> {
  const [Plot, { DOMParser }] = await Promise.all([import("@observablehq/plot"), import("linkedom")]);
  const document = new DOMParser().parseFromString("<!doctype html><html><body></body></html>", "text/html");
  const range = domains(panel), rangeX = range?.x ?? [0, 1], rangeY = range?.y ?? [0, 1];
  const title = panel.title === ""
    ? ""
    : label(x + panel.width / 2, y + 18, panel.title, 'font-size="13" text-anchor="middle"');
  const legend = panel.legend ? legendOf(panel, x + 64, y + (title === "" ? 16 : 36)) : "";
  const marginTop = 14 + (title === "" ? 0 : 20) + (legend === "" ? 0 : 20);
  const ruled = panel.rules.filter((at) => at >= rangeX[0] && at <= rangeX[1]);
  const traced = panel.lines.map((line) => pointsOf(line.x, line.y, panel));
  const marked = panel.markers.filter((m) => drawable(m.x, m.y, panel));
  const common = { tickFormat: fmtTick, fontSize: 10, label: null };
  const svg = Plot.plot({
    document,
    width: panel.width,
    height: panel.height,
    marginTop,
    marginLeft: 64,
    marginBottom: 44,
    marginRight: 18,
    x: { type: panel.xLog ? "log" : "linear", domain: rangeX },
    y: { type: panel.yLog ? "log" : "linear", domain: rangeY, nice: !panel.yLog },
    marks: [
      Plot.gridX({ ticks: panel.xLog ? powers(rangeX) : 6 }),
      Plot.gridY({ ticks: panel.yLog ? powers(rangeY) : 6 }),
      Plot.frame({ stroke: "#888" }),
      Plot.axisX({ ...common, ticks: panel.xLog ? powers(rangeX) : 6 }),
      Plot.axisY({ ...common, ticks: panel.yLog ? powers(rangeY) : 6 }),
      Plot.ruleX(ruled, { stroke: "#888", strokeDasharray: "2,3" }),
      ...traced.map(({ points }, i) =>
        Plot.line(points, { stroke: COLOURS[i % COLOURS.length], strokeWidth: 1.8, ariaLabel: "series" })
      ),
      ...traced.map(({ lonely }, i) => Plot.dot(lonely, { fill: COLOURS[i % COLOURS.length], r: 3 })),
      ...marked.map((m) => {
        const i = panel.lines.length + panel.markers.indexOf(m);
        return Plot.dot([[m.x, m.y]], { fill: COLOURS[i % COLOURS.length], r: 5, ariaLabel: "marker" });
      }),
    ],
  });
  const body = svg.outerHTML
    .replace(/<style>[\s\S]*?<\/style>/, "") // page styles, which renderers of files don't know
    .replace(/<svg /, `<svg x="${x}" y="${y}" `)
    .replace(/font-family="[^"]*"/, "");
  const middle = y + marginTop + (panel.height - marginTop - 44) / 2;
  const names =
    label(x + 64 + (panel.width - 82) / 2, y + panel.height - 8, panel.xLabel, 'font-size="12" text-anchor="middle"') +
    label(
      x + 14,
      middle,
      panel.yLabel,
      `font-size="12" text-anchor="middle" transform="rotate(-90 ${x + 14} ${middle})"`,
    );
  const empty = range === null
    ? label(x + panel.width / 2, middle, "no data", 'font-size="12" text-anchor="middle"')
    : "";
  return body + title + legend + names + empty;
}

async function renderImage(panel: ImagePanel, x: number, y: number): Promise<string> {
  const png = await encodePng(panel.image), titleHeight = 22;
  const data = btoa(Array.from(png, (byte) => String.fromCharCode(byte)).join(""));
  const width = panel.width - 12, height = panel.height - titleHeight - 8;
  return label(x + panel.width / 2, y + 15, panel.title, 'font-size="11" text-anchor="middle"') +
    `<image x="${x + 6}" y="${y + titleHeight}" width="${width}" height="${height}" image-rendering="optimizeSpeed" ` +
    `style="image-rendering:pixelated" href="data:image/png;base64,${data}"/>`;
}

/** Panels in a grid of `columns`, row by row. */
export async function renderSvg(panels: readonly Panel[], columns: number): Promise<string> {
  const perRow = Math.max(1, Math.min(columns, panels.length));
  const width = Math.max(1, ...panels.map((p) => p.width)), height = Math.max(1, ...panels.map((p) => p.height));
  const rows = Math.max(1, Math.ceil(panels.length / perRow));
  const parts = await Promise.all(panels.map((panel, i) => {
    const x = (i % perRow) * width, y = Math.floor(i / perRow) * height;
    return panel.kind === "lines" ? renderLines(panel, x, y) : renderImage(panel, x, y);
  }));
  const size = `width="${perRow * width}" height="${rows * height}" viewBox="0 0 ${perRow * width} ${rows * height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${size} font-family="${FONT}">` +
    `<rect width="100%" height="100%" fill="white"/>${parts.join("")}</svg>\n`;
}
