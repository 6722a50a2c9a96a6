/**
 * Bars as SVG.
 *
 * @module
 */
import { fmtValue } from "./bars_text.ts";
import type { BarPanel } from "./panel.ts";
import { label } from "./svg_text.ts";

const TOP = 34, RIGHT = 76;

/** The range that holds 0, all bars, and all whiskers. */
function rangeOf({ values, errors }: BarPanel): [low: number, high: number] {
  const ends = values.flatMap((v, i) => Number.isFinite(v) ? [v - errors[i], v + errors[i]] : []);
  const low = Math.min(0, ...ends), high = Math.max(0, ...ends);
  return low < high ? [low, high] : [0, 1];
}

/** The panel with its upper left corner at `x`, `y`. */
export function renderBars(panel: BarPanel, x: number, y: number): string {
  const { names, values, errors, bar, left, width, height, title, xLabel } = panel, [low, high] = rangeOf(panel);
  const room = width - left - RIGHT, toX = (v: number) => x + left + (v - low) / (high - low) * room;
  const px = (v: number) => v.toFixed(2), zero = toX(0), bottom = y + TOP + names.length * bar;
  const bars = names.map((name, i) => {
    const value = values[i], top = y + TOP + i * bar, middle = top + bar / 2;
    const text = label(x + left - 8, middle + 4, name, 'font-size="11" text-anchor="end"');
    if (!Number.isFinite(value)) return text + label(zero + 6, middle + 4, "no number", 'font-size="11"');
    const [from, to] = [Math.min(zero, toX(value)), Math.max(zero, toX(value))];
    const ends = errors[i] > 0 ? [toX(value - errors[i]), toX(value + errors[i])] : [];
    const whisker = ends.length === 0
      ? ""
      : `<line x1="${px(ends[0])}" x2="${
        px(ends[1])
      }" y1="${middle}" y2="${middle}" stroke="#333" stroke-width="1.2"/>`;
    return text +
      `<rect class="bar" x="${px(from)}" y="${top + 4}" width="${px(to - from)}" height="${bar - 8}" fill="#0072b2"/>` +
      whisker + label(Math.max(to, ...ends) + 6, middle + 4, fmtValue(value), 'font-size="11"');
  });
  const axis = `<line x1="${px(zero)}" x2="${px(zero)}" y1="${y + TOP}" y2="${bottom}" stroke="#888"/>`;
  const middle = x + left + room / 2;
  const heading = title === "" ? "" : label(middle, y + 20, title, 'font-size="14" text-anchor="middle"');
  const below = xLabel === "" ? "" : label(middle, y + height - 10, xLabel, 'font-size="12" text-anchor="middle"');
  return heading + axis + bars.join("") + below;
}
