/**
 * What an object's plain fields say of it, as text: for telling a run's options from others.
 *
 * @module
 */
import { textHash } from "./checksum.ts";

/** Longest text that stands for itself; of longer ones a beginning and a checksum. */
const LONGEST = 160;
/** Most elements of a list that are looked at, and the deepest nesting. */
const MOST = 256, DEEPEST = 4;

/** Text for a message: itself, or its beginning and a checksum. */
export function shortText(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 40)}… #${textHash(text)}`;
}

/** A function's source, without layout and comments. */
export function sourceOf(fn: (...args: never[]) => unknown): string {
  return String(fn).replace(/\/\*[^]*?\*\/|(?<![:"'`\w])\/\/.*$/gm, "").replace(/\s+/g, " ").replace(
    / ?([^\w ]) ?/g,
    "$1",
  )
    .trim();
}

/**
 * The plain values among an object's own fields: numbers, texts, flags, lists and objects of them, sources of functions.
 * Others, such as tensors, are passed over, and so are the names in `except`.
 */
export function plainFields(value: object, except: readonly string[] = []): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    if (except.includes(name)) continue;
    const plain = plainValue(field, 0);
    if (plain !== undefined) out[name] = plain;
  }
  return out;
}

function plainValue(value: unknown, depth: number): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "function") return sourceOf(value as () => unknown);
  if (typeof value !== "object" || depth >= DEEPEST) return undefined;
  if (Array.isArray(value)) {
    const all = value.slice(0, MOST).map((v) => plainValue(v, depth + 1));
    return all.some((v) => v === undefined) ? undefined : all;
  }
  const proto = Object.getPrototypeOf(value);
  if (proto !== Object.prototype && proto !== null) return undefined;
  const entries = Object.entries(value).map(([k, v]) => [k, plainValue(v, depth + 1)] as const);
  return Object.fromEntries(entries.filter(([, v]) => v !== undefined));
}

/** A class's name and options as one text, such as `Resize {"size":224}`. */
export function factsText(name: string, facts: object): string {
  const text = JSON.stringify(facts);
  return shortText(text === "{}" ? name : `${name} ${text}`);
}
