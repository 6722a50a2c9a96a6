/**
 * Options: their names, what each may be, and what was probably meant by a wrong name. `deno run` does not check types, so
 * a misspelt option, one under another library's name, or `"0.1"` for 0.1 would go unnoticed.
 *
 * @module
 */
import { ConfigError } from "./errors.ts";
import { ALIASES } from "./option_aliases.ts";

/** What an option may be. */
export interface OptionKind<T> {
  /** In words, as in "a number". */
  readonly takes: string;
  /** Whether a value is one. */
  readonly holds: (value: unknown) => boolean;
  /** Only a type: a kind that takes less than its option, or more, does not compile. */
  readonly type?: (value: T) => T;
}

/** Each option of `O`, and what it may be. One that is missing here, or that `O` does not have, does not compile. */
export type OptionTable<O> = { readonly [K in keyof O]-?: OptionKind<Exclude<O[K], undefined>> };

const kind = <T>(takes: string, holds: (value: unknown) => boolean): OptionKind<T> => ({ takes, holds });

/** True or false. */
export const flag: OptionKind<boolean> = kind("true or false", (v) => typeof v === "boolean");
/** A number, infinite ones too. */
export const num: OptionKind<number> = kind("a number", (v) => typeof v === "number" && !Number.isNaN(v));
/** A finite number above 0. */
export const positive: OptionKind<number> = kind(
  "a finite number above 0",
  (v) => Number.isFinite(v) && (v as number) > 0,
);
/** A share that is not all of it. */
export const fraction: OptionKind<number> = kind(
  "a number from 0, below 1",
  (v) => typeof v === "number" && v >= 0 && v < 1,
);
/** A share. */
export const share: OptionKind<number> = kind("a number from 0 to 1", (v) => typeof v === "number" && v >= 0 && v <= 1);
/** A whole number, from `least` on. */
export function whole(least: number): OptionKind<number> {
  return kind(`a whole number from ${least}`, (v) => Number.isSafeInteger(v) && (v as number) >= least);
}
/** A whole number, such as an axis, counted from the end where it is negative. */
export const integer: OptionKind<number> = kind("a whole number", (v) => Number.isSafeInteger(v));
/** A string. */
export const text: OptionKind<string> = kind("a string", (v) => typeof v === "string");
/** A path of a file or folder of this machine. */
export const pathText: OptionKind<string> = kind(
  "a path, not a URL",
  (v) => typeof v === "string" && schemeOf(v) === null,
);
/** Several numbers. */
export const nums: OptionKind<readonly number[]> = listOf(num, "numbers");
/** Several strings. */
export const texts: OptionKind<readonly string[]> = listOf(text, "strings");

/** A function. */
export function func<T>(): OptionKind<T> {
  return kind("a function", (v) => typeof v === "function");
}

/** One of some strings. */
export function oneOf<const T extends string>(...names: readonly T[]): OptionKind<T> {
  const quoted = names.map((n) => `"${n}"`);
  const takes = quoted.length === 1 ? quoted[0] : `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
  return kind(takes, (v) => (names as readonly unknown[]).includes(v));
}

/** An array of values of one kind. */
export function listOf<T>(element: OptionKind<T>, plural: string): OptionKind<readonly T[]> {
  return kind(`an array of ${plural}`, (v) => Array.isArray(v) && v.every((e) => element.holds(e)));
}

/** One kind or another. */
export function either<A, B>(a: OptionKind<A>, b: OptionKind<B>): OptionKind<A | B> {
  return kind(`${a.takes} or ${b.takes}`, (v) => a.holds(v) || b.holds(v));
}

/** A kind, or null. */
export function orNull<T>(of: OptionKind<T>): OptionKind<T | null> {
  return kind(`${of.takes} or null`, (v) => v === null || of.holds(v));
}

/** An object of a class. */
export function instanceOf<T>(Class: abstract new (...args: never[]) => T, takes: string): OptionKind<T> {
  return kind(takes, (v) => v instanceof Class);
}

/** A signal of the platform. */
export const abortSignal: OptionKind<AbortSignal> = kind("an AbortSignal", (v) => v instanceof AbortSignal);

/** An object with some members, whatever its class. */
export function objectWith<T>(takes: string, ...members: readonly (keyof T & string)[]): OptionKind<T> {
  return kind(takes, (v) => typeof v === "object" && v !== null && members.every((m) => m in v));
}

/** What the function that has the option checks itself. */
export function other<T>(takes: string, holds: (value: unknown) => boolean = () => true): OptionKind<T> {
  return kind(takes, holds);
}

/**
 * Gives `options` back, once they are an object in which every name is known and every value may be what it is; a value of
 * `undefined` is an option left out.
 *
 * @param what What was to be done, as in "fit" or "make Linear".
 * @throws {ConfigError} If they are not, with what is wrong and what was probably meant.
 */
export function checkOptions<O extends object>(what: string, options: O, table: OptionTable<O>): O {
  checkNamed(what, options, Object.keys(table)[0]);
  for (const name in options) {
    const option: OptionKind<unknown> | undefined = Object.hasOwn(table, name)
      ? table[name as keyof O] as OptionKind<unknown>
      : undefined;
    if (option === undefined) throw unknownOption(what, name, Object.keys(table));
    const value: unknown = options[name as keyof O];
    if (value !== undefined && !option.holds(value)) {
      throw new ConfigError(`Cannot ${what} with ${name} ${shown(value)}: it takes ${option.takes}`);
    }
  }
  return options;
}

/** Throws where an argument that is given by its place is none of its kind, as options of a wrong kind do. */
export function checkArgument<T>(what: string, name: string, value: T, of: OptionKind<T>): void {
  if (!of.holds(value)) throw new ConfigError(`Cannot ${what} with ${name} ${shown(value)}: it takes ${of.takes}`);
}

/**
 * Throws where a path of a file or folder of this machine is none: empty, a URL, or no string at all.
 *
 * @throws {ConfigError} With the way from a URL to a path.
 */
export function checkPath(what: string, path: unknown, name: string = "path"): asserts path is string {
  const scheme = schemeOf(path instanceof URL ? path.href : path);
  if (typeof path === "string" && path !== "" && scheme === null) return;
  const way = scheme === null
    ? ""
    : scheme === "file"
    ? ", not a URL: fromFileUrl() of @std/path makes one of it"
    : ", not a URL: fetchCached(url, { dest }) fetches a file and gives its path";
  throw new ConfigError(
    `Cannot ${what} with ${name} ${path instanceof URL ? path.href : shown(path)}: it takes a path${way}`,
  );
}

/** The scheme of a URL, in small letters; null of paths, and of what is no string. */
function schemeOf(value: unknown): string | null {
  const scheme = typeof value === "string" ? /^([a-z][a-z0-9+.-]+):\/\//i.exec(value)?.[1] : undefined;
  return scheme?.toLowerCase() ?? null;
}

/** Throws where the constructor of an object got arguments that it takes none of; `given` are those. */
export function refuseArguments(made: object, given: readonly unknown[]): void {
  if (given.length === 0 || given.every((value) => value === undefined)) return;
  throw new ConfigError(
    `Cannot make ${made.constructor.name} with ${given.map(shown).join(", ")}: it takes no arguments`,
  );
}

/** Throws where options are no object; `example` is an option that there is. */
export function checkNamed(what: string, options: unknown, example: string): void {
  if (typeof options === "object" && options !== null && !Array.isArray(options)) return;
  throw new ConfigError(`Cannot ${what} with ${shown(options)}: options are named, as in { ${example}: … }`);
}

/** The error of an option that is none of `known`. */
export function unknownOption(what: string, name: string, known: readonly string[]): ConfigError {
  return new ConfigError(
    `Cannot ${what} with ${name}: the options are ${known.join(", ")}${didYouMean(name, known)}`,
  );
}

/** "; did you mean x?" for the entry of `known` that `name` probably stands for; nothing where none is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const meant = known.length === 0 ? null : meantName(name, known);
  return meant === null ? "" : `; did you mean ${meant}?`;
}

/** The entry of `known` that stands for `name` here, or that it was misspelt from; null where none is near. */
function meantName(name: string, known: readonly string[]): string | null {
  const plain = (n: string): string => n.replaceAll(/[_-]/g, "").toLowerCase();
  const same = known.find((k) => plain(k) === plain(name));
  if (same !== undefined) return same;
  const alias = ALIASES.get(plain(name))?.find((a) => known.includes(a));
  if (alias !== undefined) return alias;
  const longer = known.find((k) => plain(name).length > 1 && plain(k).startsWith(plain(name)));
  if (longer !== undefined) return longer;
  const nearest = nearestName(name, known), edits = editDistance(plain(name), plain(nearest));
  // where as many letters change as there are, the two have nothing in common
  return edits <= Math.max(2, nearest.length / 2) && edits < Math.max(name.length, nearest.length) ? nearest : null;
}

/** A value as an error shows it. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "function") return value.name === "" ? "a function" : value.name;
  if (Array.isArray(value)) {
    return value.length > 4 ? `an array of ${value.length}` : `[${value.map(shown).join(", ")}]`;
  }
  if (typeof value !== "object" || value === null) return String(value);
  return Object.getPrototypeOf(value) === Object.prototype ? "an object" : `a ${value.constructor?.name ?? "value"}`;
}

/** The entry of `names` that `name` was probably meant to be: the one at the smallest editing distance. */
export function nearestName(name: string, names: readonly string[]): string {
  return names.reduce((best, n) => editDistance(name, n) < editDistance(name, best) ? n : best);
}

/** Whether `name` is at most two edits away from `other`, whatever the case. */
export function isNear(name: string, other: string): boolean {
  return Math.abs(name.length - other.length) <= 2 && editDistance(name, other) <= 2;
}

/** Insertions, deletions and substitutions that make `b` of `a`, whatever the case (Levenshtein). */
function editDistance(a: string, b: string): number {
  const x = a.toLowerCase(), y = b.toLowerCase();
  let row = Array.from({ length: y.length + 1 }, (_, j) => j);
  for (let i = 1; i <= x.length; i++) {
    const next = [i];
    for (let j = 1; j <= y.length; j++) {
      next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (x[i - 1] === y[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[y.length];
}
