/**
 * Panels as one SVG document. Axes and marks come from Observable Plot; the grid of panels, titles and legends from here.
 *
 * @module
 */
import { encodePng } from "./encode_png.ts";
import { domains, drawable, type ImagePanel, type LinePanel, type Panel } from "./panel.ts";
import { renderBars } from "./render_bars.ts";
import { renderMatrix } from "./render_matrix.ts";
import { label } from "./svg_text.ts";

/** Colours of lines, then of markers; told apart by people who see few colours, too (Okabe and Ito). */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31"];
/** The family of the font that the renderer of PNG carries; the others are for viewers of SVG. */
const FONT = "DejaVu Sans, Verdana, sans-serif";

/** Ticks of a logarithmic axis: powers of ten, at most nine; on a short axis their doubles and fives, too. */
function logTicks([low, high]: readonly [number, number]): number[] {
  const from = Math.floor(Math.log10(low)), to = Math.ceil(Math.log10(high));
  const step = Math.ceil((to - from + 1) / 9), factors = to - from <= 3 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = from; power <= to; power += step) {
    for (const factor of factors) ticks.push(Number(`${factor}e${power}`));
  }
  const inside = ticks.filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9));
  return inside.length > 0 ? inside : [low, high];
}

function fmtTick(x: number): string {
  const a = Math.abs(x);
  return a !== 0 && (a < 1e-3 || a >= 1e5)
    ? Number(x.toPrecision(3)).toExponential()
    : String(Number(x.toPrecision(6)));
}

/** Position on an axis of a value, in pixels. */
type Scale = (value: number) => number;

/** A line as one path; points without a neighbour as dots. */
function trace(panel: LinePanel, i: number, toX: Scale, toY: Scale): string {
  const { x, y } = panel.lines[i], colour = COLOURS[i % COLOURS.length];
  const there = (k: number) => k >= 0 && k < x.length && drawable(x[k], y[k], panel);
  let path = "", dots = "";
  for (let k = 0; k < x.length; k++) {
    if (!there(k)) continue;
    const cx = toX(x[k]).toFixed(2), cy = toY(y[k]).toFixed(2);
    if (!there(k - 1) && !there(k + 1)) dots += `<circle class="point" cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`;
    else path += `${there(k - 1) ? "L" : "M"}${cx},${cy}`;
  }
  if (path === "") return dots;
  const style = `fill="none" stroke="${colour}" stroke-width="1.8" stroke-linejoin="round"`;
  return `<path class="series" d="${path}" ${style}/>${dots}`;
}

function markersOf(panel: LinePanel, toX: Scale, toY: Scale): string {
  return panel.markers.map(({ x, y }, i) => {
    if (!drawable(x, y, panel)) return "";
    const colour = COLOURS[(panel.lines.length + i) % COLOURS.length];
    return `<circle class="marker" cx="${toX(x).toFixed(2)}" cy="${toY(y).toFixed(2)}" r="5" fill="${colour}"/>`;
  }).join("");
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

/** A page has a parser of its own; elsewhere a library's is taken. */
async function parser(): Promise<Pick<typeof import("linkedom"), "DOMParser">> {
  return "DOMParser" in globalThis ? globalThis as never : await import("linkedom");
}

async function renderLines(panel: LinePanel, x: number, y: number): Promise<string> {
  const [Plot, { DOMParser }] = await Promise.all([import("@observablehq/plot"), parser()]);
  const document = new DOMParser().parseFromString("<!doctype html><html><body></body></html>", "text/html");
  const range = domains(panel), rangeX = range?.x ?? [0, 1], rangeY = range?.y ?? [0, 1];
  const title = panel.title === ""
    ? ""
    : label(x + panel.width / 2, y + 18, panel.title, 'font-size="13" text-anchor="middle"');
  const legend = panel.legend ? legendOf(panel, x + 64, y + (title === "" ? 16 : 36)) : "";
  const marginTop = 14 + (title === "" ? 0 : 20) + (legend === "" ? 0 : 20);
  const ruled = panel.rules.filter((at) => at >= rangeX[0] && at <= rangeX[1]);
  const common = { tickFormat: fmtTick, fontSize: 10, label: null };
  const svg = Plot.plot({
    document,
    width: panel.width,
    height: panel.height,
    marginTop,
    marginLeft: 64,
    marginBottom: 44,
    marginRight: 18,
    inset: 6,
    x: { type: panel.xLog ? "log" : "linear", domain: rangeX },
    y: { type: panel.yLog ? "log" : "linear", domain: rangeY, nice: !panel.yLog },
    marks: [
      Plot.gridX({ ticks: panel.xLog ? logTicks(rangeX) : 6 }),
      Plot.gridY({ ticks: panel.yLog ? logTicks(rangeY) : 6 }),
      Plot.frame({ stroke: "#888" }),
      Plot.axisX({ ...common, ticks: panel.xLog ? logTicks(rangeX) : 6 }),
      Plot.axisY({ ...common, ticks: panel.yLog ? logTicks(rangeY) : 6 }),
      Plot.ruleX(ruled, { stroke: "#888", strokeDasharray: "2,3" }),
    ],
  });
  const toX: Scale = svg.scale("x").apply, toY: Scale = svg.scale("y").apply;
  const traces = panel.lines.map((_, i) => trace(panel, i, toX, toY)).join("") + markersOf(panel, toX, toY);
  const body = svg.outerHTML
    .replace(/<style>[\s\S]*?<\/style>/, "") // page styles, which renderers of files don't know
    .replace(/<svg /, `<svg x="${x}" y="${y}" `)
    .replace(/font-family="[^"]*"/, "")
    .replace(/<\/svg>$/, `${traces}</svg>`);
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
    `href="data:image/png;base64,${data}"/>`;
}

/** Panels in a grid of `columns`, row by row, under a heading. */
export async function renderSvg(panels: readonly Panel[], columns: number, title: string): Promise<string> {
  const perRow = Math.max(1, Math.min(columns, panels.length));
  const width = Math.max(1, ...panels.map((p) => p.width)), height = Math.max(1, ...panels.map((p) => p.height));
  const rows = Math.max(1, Math.ceil(panels.length / perRow)), top = title === "" ? 0 : 34;
  const parts = await Promise.all(panels.map((panel, i) => {
    const x = (i % perRow) * width, y = top + Math.floor(i / perRow) * height;
    if (panel.kind === "bars") return renderBars(panel, x, y);
    if (panel.kind === "matrix") return renderMatrix(panel, x, y);
    return panel.kind === "lines" ? renderLines(panel, x, y) : renderImage(panel, x, y);
  }));
  const heading = title === "" ? "" : label(perRow * width / 2, 22, title, 'font-size="14" text-anchor="middle"');
  const [w, h] = [perRow * width, top + rows * height], size = `width="${w}" height="${h}" viewBox="0 0 ${w} ${h}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${size} font-family="${FONT}">` +
    `<rect width="100%" height="100%" fill="white"/>${heading}${parts.join("")}</svg>\n`;
}
