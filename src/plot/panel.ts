/**
 * What a figure is made of: panels of plain data, drawn by the renderers.
 *
 * @module
 */

/** A line. `x` and `y` have one length; points that aren't finite are gaps. */
export interface Line {
  /** Name in the legend. */
  readonly name: string;
  /** Position on the x axis. */
  readonly x: readonly number[];
  /** Position on the y axis. */
  readonly y: readonly number[];
}

/** A round marker with a name in the legend. */
export interface Marker {
  /** Name in the legend. */
  readonly name: string;
  /** Position on the x axis. */
  readonly x: number;
  /** Position on the y axis. */
  readonly y: number;
}

/** Lines and markers on two axes. */
export interface LinePanel {
  /** What sort of panel it is. */
  readonly kind: "lines";
  /** Lines, drawn in this order. */
  readonly lines: readonly Line[];
  /** Markers, drawn over the lines. */
  readonly markers: readonly Marker[];
  /** Positions of dotted vertical lines. */
  readonly rules: readonly number[];
  /** Heading; none if empty. */
  readonly title: string;
  /** Name of the x axis. */
  readonly xLabel: string;
  /** Name of the y axis. */
  readonly yLabel: string;
  /** Whether the x axis is logarithmic. */
  readonly xLog: boolean;
  /** Whether the y axis is logarithmic. */
  readonly yLog: boolean;
  /** Whether names are shown. */
  readonly legend: boolean;
  /** Range of the y axis; that of the data if absent. */
  readonly yDomain?: readonly [number, number];
  /** Size in pixels. */
  readonly width: number;
  /** Height in pixels. */
  readonly height: number;
}

/** Pixels to show: `data` is u8 `[height, width, channels]`; 1 channel is grey, 3 are red, green, blue, 4 add alpha. */
export interface PixelImage {
  /** Bytes, row by row. */
  readonly data: Uint8Array;
  /** Width in pixels. */
  readonly width: number;
  /** Height in pixels. */
  readonly height: number;
  /** 1, 3 or 4. */
  readonly channels: number;
}

/** A picture under a title. */
export interface ImagePanel {
  /** What sort of panel it is. */
  readonly kind: "image";
  /** What is shown. */
  readonly image: PixelImage;
  /** Heading; none if empty. */
  readonly title: string;
  /** Size in pixels, title included. */
  readonly width: number;
  /** Height in pixels. */
  readonly height: number;
}

/** A matrix, a square cell an entry. */
export interface MatrixPanel {
  /** What sort of panel it is. */
  readonly kind: "matrix";
  /** Rows of numbers. */
  readonly values: readonly (readonly number[])[];
  /** Name of each row. */
  readonly rows: readonly string[];
  /** Name of each column. */
  readonly columns: readonly string[];
  /** Name of the rows' axis; none if empty. */
  readonly rowLabel: string;
  /** Name of the columns' axis; none if empty. */
  readonly columnLabel: string;
  /** Heading; none if empty. */
  readonly title: string;
  /** Pixels of a cell's side. */
  readonly cell: number;
  /** Pixels left of the cells, for names. */
  readonly left: number;
  /** Size in pixels. */
  readonly width: number;
  /** Height in pixels. */
  readonly height: number;
}

/** Bars that lie, one a name. */
export interface BarPanel {
  /** What sort of panel it is. */
  readonly kind: "bars";
  /** Name of each bar. */
  readonly names: readonly string[];
  /** Where each ends; they begin at 0. */
  readonly values: readonly number[];
  /** How far each may be off; 0 for no whisker. */
  readonly errors: readonly number[];
  /** Heading; none if empty. */
  readonly title: string;
  /** Name of the values' axis; none if empty. */
  readonly xLabel: string;
  /** Pixels of a bar with its gap. */
  readonly bar: number;
  /** Pixels left of the bars, for names. */
  readonly left: number;
  /** Size in pixels. */
  readonly width: number;
  /** Height in pixels. */
  readonly height: number;
}

/** One cell of a figure. */
export type Panel = LinePanel | ImagePanel | MatrixPanel | BarPanel;

/** Whether a point can be drawn on axes of these kinds. */
export function drawable(x: number, y: number, panel: LinePanel): boolean {
  return Number.isFinite(x) && Number.isFinite(y) && !(panel.xLog && x <= 0) && !(panel.yLog && y <= 0);
}

/** The ranges that hold every drawable point of a panel, null where there is none; never of length 0. */
export function domains(panel: LinePanel): { x: [number, number]; y: [number, number] } | null {
  let x0 = Infinity, x1 = -Infinity, y0 = Infinity, y1 = -Infinity;
  const add = (x: number, y: number) => {
    if (!drawable(x, y, panel)) return;
    [x0, x1, y0, y1] = [Math.min(x0, x), Math.max(x1, x), Math.min(y0, y), Math.max(y1, y)];
  };
  for (const line of panel.lines) line.x.forEach((x, i) => add(x, line.y[i]));
  for (const marker of panel.markers) add(marker.x, marker.y);
  if (x0 > x1) return null;
  return { x: widen(x0, x1, panel.xLog), y: widen(...(panel.yDomain ?? [y0, y1]), panel.yLog) };
}

function widen(low: number, high: number, log: boolean): [number, number] {
  if (low < high) return [low, high];
  if (log) return [low / 2, high * 2];
  const by = low === 0 ? 1 : Math.abs(low) * 0.1;
  return [low - by, high + by];
}
