/**
 * Bars that lie, one a name.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkArgument, checkOptions, other, text } from "../base/options.ts";
import { Figure } from "./figure.ts";
import type { BarPanel } from "./panel.ts";

/** Options of {@link plotBars}. */
export interface PlotBarsOptions {
  /** How far each value may be off, by name: a whisker to both sides; none by default. */
  readonly errors?: Readonly<Record<string, number>>;
  /** Heading; none by default. */
  readonly title?: string;
  /** Name of the values' axis; none by default. */
  readonly xLabel?: string;
}

/** Pixels of a bar with its gap, of a letter of its name, and of the room for bars. */
const BAR = 22, LETTER = 6.6, ROOM = 340;

const NUMBERS = other<Readonly<Record<string, number>>>(
  "numbers by name, as in { size: 1.5 }",
  (v) =>
    typeof v === "object" && v !== null && !Array.isArray(v) && Object.values(v).every((n) => typeof n === "number"),
);

/**
 * A bar for each name, in their order; those of values below 0 go to the left.
 *
 * @param values Numbers by name; one that isn't finite has no bar.
 */
export function plotBars(values: Readonly<Record<string, number>>, options: PlotBarsOptions = {}): Figure {
  checkOptions("plotBars", options, { errors: NUMBERS, title: text, xLabel: text });
  checkArgument("plotBars", "values", values, NUMBERS);
  const { errors = {}, title = "", xLabel = "" } = options, names = Object.keys(values);
  if (names.length === 0) throw new ConfigError("Cannot plot bars: there are none");
  const unknown = Object.keys(errors).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new ConfigError(`Cannot plot bars: errors has ${unknown}, which is no bar`);
  const left = Math.ceil(Math.max(...names.map((name) => name.length)) * LETTER) + 24;
  const panel: BarPanel = {
    kind: "bars",
    names,
    values: names.map((name) => values[name]),
    errors: names.map((name) => errors[name] ?? 0),
    title,
    xLabel,
    bar: BAR,
    left,
    width: left + ROOM + 76,
    height: 34 + names.length * BAR + (xLabel === "" ? 10 : 34),
  };
  return new Figure([panel]);
}
