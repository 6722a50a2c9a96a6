/**
 * fastai's table: a header and one row an epoch.
 *
 * @module
 */
import type { Row } from "./fit_record.ts";

const MIN_WIDTH = 9;

/** `05:12`, or `1:05:12` from one hour on. */
export function formatTime(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (n: number): string => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

/** The names of the columns, each as wide as its cells. */
export function tableHeader(names: readonly string[]): string {
  return names.map((n) => n.padEnd(Math.max(n.length, MIN_WIDTH))).join("  ").trimEnd();
}

/** One row under such a header: six decimals, `None` where there is no number. */
export function tableRow(names: readonly string[], row: Row): string {
  return names.map((n) => tableCell(n, row[n] ?? null).padEnd(Math.max(n.length, MIN_WIDTH))).join("  ").trimEnd();
}

/** A number of a column as text. */
export function tableCell(name: string, value: number | null): string {
  if (value === null) return "None";
  if (name === "epoch") return String(value);
  return name === "time" ? formatTime(value) : value.toFixed(6);
}
