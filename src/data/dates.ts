/**
 * Dates as tables write them, and what a calendar says of them.
 *
 * @module
 */

/** A date as it is written, on the clock of its place; `instant` counts seconds since 1970 began in UTC. */
export interface WrittenDate {
  /** Year, such as 2024. */
  readonly year: number;
  /** Month, from 1. */
  readonly month: number;
  /** Day of the month, from 1. */
  readonly day: number;
  /** Hour, minute and second of the day. */
  readonly time: readonly [hour: number, minute: number, second: number];
  /** Whole seconds since 1970 began in UTC; a date without a zone is taken for one of UTC. */
  readonly instant: number;
}

/** In which order a date with slashes is written; "unknown" where both are possible. */
export type DayOrder = "day first" | "month first" | "unknown";

const MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september"]
  .concat("october", "november", "december");
const TIME = String.raw`(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(Z|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?`;
const form = (date: string) => new RegExp(`^${date}${TIME}$`, "i");
const YEAR_FIRST = form(String.raw`(\d{4})([-/.])(\d{1,2})\2(\d{1,2})`),
  COMPACT = form(String.raw`(\d{4})(\d{2})(\d{2})`);
const YEAR_LAST = form(String.raw`(\d{1,2})([-/.])(\d{1,2})\2(\d{4})`);
const DAY_NAME = form(String.raw`(\d{1,2})[ -]([a-z]{3,9})\.?,?[ -](\d{4})`);
const NAME_DAY = form(String.raw`([a-z]{3,9})\.? (\d{1,2}),? (\d{4})`);

/** The two numbers in front of a year, where a date is written so: with points the day comes first. */
export function dayOrderOf(text: string): DayOrder | null {
  const found = YEAR_LAST.exec(text);
  if (found === null) return null;
  if (found[2] === ".") return "day first";
  if (Number(found[1]) > 12) return "day first";
  return Number(found[3]) > 12 ? "month first" : "unknown";
}

/** The date that a text says, null where it is none. */
export function dateOf(text: string, dayFirst: boolean): WrittenDate | null {
  let found: readonly (string | undefined)[] | null, parts: (string | undefined)[];
  if ((found = YEAR_FIRST.exec(text)) !== null) parts = [found[1], found[3], found[4], ...found.slice(5)];
  else if ((found = COMPACT.exec(text)) !== null) parts = found.slice(1);
  else if ((found = YEAR_LAST.exec(text)) !== null) {
    const day = dayFirst || found[2] === ".";
    parts = [found[4], day ? found[3] : found[1], day ? found[1] : found[3], ...found.slice(5)];
  } else if ((found = DAY_NAME.exec(text)) !== null) {
    parts = [found[3], monthOf(found[2]!), found[1], ...found.slice(4)];
  } else if ((found = NAME_DAY.exec(text)) !== null) {
    parts = [found[3], monthOf(found[1]!), found[2], ...found.slice(4)];
  } else return null;
  const [year, month, day, hour, minute, second] = parts.slice(0, 6).map((part) => Number(part ?? 0)), zone = parts[6];
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  const real = month >= 1 && at.getUTCFullYear() === year && at.getUTCMonth() === month - 1 && at.getUTCDate() === day;
  if (!real || hour > 23 || minute > 59 || second > 59) return null;
  const instant = at.getTime() / 1000 + hour * 3600 + minute * 60 + second - offsetOf(zone);
  return { year, month, day, time: [hour, minute, second], instant };
}

function monthOf(name: string): string {
  return String(MONTHS.findIndex((month) => month.startsWith(name.toLowerCase())) + 1);
}

/** Seconds that a zone is ahead of UTC. */
function offsetOf(zone: string | undefined): number {
  const found = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone ?? "");
  if (found === null) return 0;
  return (found[1] === "-" ? -1 : 1) * (Number(found[2]) * 3600 + Number(found[3] ?? 0) * 60);
}

/** Days since 1970 began. */
function dayNumber(year: number, month: number, day: number): number {
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  return Math.round(at.getTime() / 86_400_000);
}

/** Place of a day in its week, from 0 for Monday. */
function weekday(days: number): number {
  return ((days + 3) % 7 + 7) % 7;
}

/** Week of the year as ISO 8601 counts: that of the year's first Thursday is week 1. */
function isoWeek(days: number): number {
  const thursday = days - weekday(days) + 3, year = new Date(thursday * 86_400_000).getUTCFullYear();
  return Math.floor((thursday - dayNumber(year, 1, 1)) / 7) + 1;
}

/** Parts of a date by fastai's names, in its order: numbers, and whether it begins or ends something. */
export const DATE_PARTS: readonly (readonly [name: string, of: (date: WrittenDate) => number | boolean])[] = [
  ["Year", ({ year }) => year],
  ["Month", ({ month }) => month],
  ["Week", ({ year, month, day }) => isoWeek(dayNumber(year, month, day))],
  ["Day", ({ day }) => day],
  ["Dayofweek", ({ year, month, day }) => weekday(dayNumber(year, month, day))],
  ["Dayofyear", ({ year, month, day }) => dayNumber(year, month, day) - dayNumber(year, 1, 1) + 1],
  ["Is_month_end", monthEnd],
  ["Is_month_start", ({ day }) => day === 1],
  ["Is_quarter_end", (date) => date.month % 3 === 0 && monthEnd(date)],
  ["Is_quarter_start", ({ month, day }) => month % 3 === 1 && day === 1],
  ["Is_year_end", ({ month, day }) => month === 12 && day === 31],
  ["Is_year_start", ({ month, day }) => month === 1 && day === 1],
];

/** Parts of a time, as {@link DATE_PARTS} has those of a date. */
export const TIME_PARTS: readonly (readonly [name: string, of: (date: WrittenDate) => number])[] = [
  ["Hour", ({ time }) => time[0]],
  ["Minute", ({ time }) => time[1]],
  ["Second", ({ time }) => time[2]],
];

function monthEnd({ year, month, day }: WrittenDate): boolean {
  return dayNumber(year, month, day) + 1 === dayNumber(month === 12 ? year + 1 : year, month === 12 ? 1 : month + 1, 1);
}
