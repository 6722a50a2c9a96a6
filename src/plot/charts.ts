/**
 * Line plots of series and schedules.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkArgument, checkOptions, flag, num, nums, type OptionTable, other, text } from "../base/options.ts";
import { Figure } from "./figure.ts";
import { domains, type Line, type LinePanel, type Marker } from "./panel.ts";

/** Numbers over their index, or over `x`. */
export type SeriesData = readonly number[] | { readonly x: readonly number[]; readonly y: readonly number[] };

/** Options of {@link plotLines}. */
export interface PlotLinesOptions {
  /** Heading of the plot. */
  readonly title?: string;
  /** Name of the x axis. */
  readonly xLabel?: string;
  /** Name of the y axis. */
  readonly yLabel?: string;
  /** Logarithmic axes; values of 0 and less are gaps there. */
  readonly xLog?: boolean;
  /** As `xLog`, of the y axis. */
  readonly yLog?: boolean;
  /** Whether names are shown; by default where there are several. */
  readonly legend?: boolean;
  /** Round markers, named in the legend. */
  readonly markers?: readonly Marker[];
  /** Positions of dotted vertical lines. */
  readonly rules?: readonly number[];
  /** Width in pixels. */
  readonly width?: number;
  /** Height in pixels. */
  readonly height?: number;
}

function toLine(name: string, data: SeriesData): Line {
  if (!("x" in data)) return { name, x: data.map((_, i) => i), y: data };
  if (data.x.length !== data.y.length) {
    throw new ConfigError(
      `Cannot plot ${name}: x and y must have one length, got ${data.x.length} and ${data.y.length}`,
    );
  }
  return { name, x: data.x, y: data.y };
}

const PLOT_LINES: OptionTable<PlotLinesOptions> = {
  title: text,
  xLabel: text,
  yLabel: text,
  xLog: flag,
  yLog: flag,
  legend: flag,
  markers: other(
    'markers, as in [{ name: "valley", x: 1e-3, y: 0.5 }]',
    (v) =>
      Array.isArray(v) &&
      v.every((m) =>
        typeof m === "object" && m !== null && typeof m.name === "string" && typeof m.x === "number" &&
        typeof m.y === "number"
      ),
  ),
  rules: nums,
  width: num,
  height: num,
};

const SERIES = other<Readonly<Record<string, SeriesData>>>(
  "lines by name, as in { loss: [2, 1] } or { loss: { x: [0, 10], y: [2, 1] } }",
  (v) =>
    typeof v === "object" && v !== null && !Array.isArray(v) &&
    Object.values(v).every((line) => typeof line === "object" && line !== null),
);
const FUNCTIONS = other<Readonly<Record<string, (pos: number) => number | readonly number[]>>>(
  "functions by name, as in { lr: SchedCos(1, 0) }",
  (v) => typeof v === "object" && v !== null && Object.values(v).every((f) => typeof f === "function"),
);

/** The panel of {@link plotLines}. */
export function linePanel(series: Readonly<Record<string, SeriesData>>, options: PlotLinesOptions = {}): LinePanel {
  const { title = "", xLabel = "", yLabel = "", xLog = false, yLog = false, markers = [], rules = [] } = options;
  const { width = 480, height = 320 } = options;
  if (!(width >= 120 && height >= 100 && Number.isFinite(width * height))) {
    throw new ConfigError(`Cannot plot ${width} x ${height} pixels: at least 120 x 100 are needed`);
  }
  checkArgument("plotLines", "series", series, SERIES);
  const lines = Object.entries(series).map(([name, data]) => toLine(name, data));
  const { legend = lines.length > 1 || markers.length > 0 } = options;
  return { kind: "lines", lines, markers, rules, title, xLabel, yLabel, xLog, yLog, legend, width, height };
}

/**
 * Plots lines.
 *
 * @param series Lines by name: numbers over their index, or `{ x, y }`. Values that aren't finite are gaps.
 * @param options Labels, axes, markers, size.
 * @throws {ConfigError} When the x and y of a series differ in length.
 */
export function plotLines(series: Readonly<Record<string, SeriesData>>, options: PlotLinesOptions = {}): Figure {
  return new Figure([linePanel(series, checkOptions("plotLines", options, PLOT_LINES))]);
}

/**
 * Plots schedules over the fraction of training done.
 *
 * @param schedules Functions of the position by name, giving a number, or one per param group (one line each).
 * @param options As {@link plotLines}.
 */
export function plotSchedules(
  schedules: Readonly<Record<string, (pos: number) => number | readonly number[]>>,
  options: PlotLinesOptions = {},
): Figure {
  checkOptions("plotSchedules", options, PLOT_LINES);
  checkArgument("plotSchedules", "schedules", schedules, FUNCTIONS);
  const n = 201, x = Array.from({ length: n }, (_, i) => i / (n - 1)), series: Record<string, SeriesData> = {};
  for (const [name, sched] of Object.entries(schedules)) {
    const values = x.map((pos) => sched(pos));
    for (const [group, y] of byGroup(values)) series[group === null ? name : `${name} ${group}`] = { x, y };
  }
  return plotLines(series, { xLabel: "pos", ...options });
}

/** A value per step, one number or one per param group, as a line per group; the key is null for plain numbers. */
export function byGroup(values: readonly (number | readonly number[])[]): [group: number | null, y: number[]][] {
  const groups = Math.max(0, ...values.map((v) => typeof v === "number" ? 0 : v.length));
  if (groups === 0) return [[null, values.map((v) => typeof v === "number" ? v : NaN)]];
  return Array.from({ length: groups }, (_, g) => [g, values.map((v) => typeof v === "number" ? v : v[g] ?? NaN)]);
}

/** Options of {@link sideBySide}. */
export interface SideBySideOptions {
  /** Whether all y axes have one range. */
  readonly shareY?: boolean;
}

/**
 * Puts figures next to each other.
 *
 * @param figures At least one.
 * @throws {ConfigError} When there is none.
 */
export function sideBySide(figures: readonly Figure[], options: SideBySideOptions = {}): Figure {
  const { shareY = false } = checkOptions("sideBySide", options, { shareY: flag });
  if (figures.length === 0) throw new ConfigError("Cannot put figures side by side: at least one is needed, got none");
  const panels = figures.flatMap((figure) => figure.panels);
  if (!shareY) return new Figure(panels, panels.length);
  const ranges = panels.flatMap((panel) => panel.kind === "lines" ? domains(panel)?.y ?? [] : []);
  if (ranges.length === 0) return new Figure(panels, panels.length);
  const yDomain: [number, number] = [Math.min(...ranges), Math.max(...ranges)];
  return new Figure(panels.map((panel) => panel.kind === "lines" ? { ...panel, yDomain } : panel), panels.length);
}
