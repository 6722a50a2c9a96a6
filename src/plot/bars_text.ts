/**
 * Bars as text.
 *
 * @module
 */
import type { BarPanel } from "./panel.ts";

/** A value as it stands behind its bar. */
export function fmtValue(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** The panel in lines of at most `most` characters: a name, a bar, its value. */
export function barsText(panel: BarPanel, most: number): string {
  const { names, values, title } = panel, known = values.filter(Number.isFinite);
  const wide = Math.max(...names.map((n) => n.length)), texts = values.map(fmtValue);
  const room = Math.max(8, Math.min(40, most - wide - 3 - Math.max(...texts.map((t) => t.length))));
  const largest = Math.max(...known.map(Math.abs), 0);
  const lines = names.map((name, i) => {
    const length = largest > 0 && Number.isFinite(values[i]) ? Math.round(Math.abs(values[i]) / largest * room) : 0;
    return `${name.padStart(wide)} ${(values[i] < 0 ? "▒" : "█").repeat(length)} ${texts[i]}`;
  });
  return [...(title === "" ? [] : [title]), ...lines].join("\n");
}
