/**
 * Values of hyper-parameters for groups of parameters: one for all, one a group, or spread between two ends.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { num, nums, type OptionKind, other } from "../base/options.ts";

/** A range of values over the groups; see {@link slice}. */
export interface Slice {
  /** What tells a slice from other values. */
  readonly kind: "slice";
  /** Value of the first group; null: a tenth of `stop` for all groups but the last. */
  readonly start: number | null;
  /** Value of the last group. */
  readonly stop: number;
}

/** What users may give for a hyper-parameter: a number, one number a group, or a {@link Slice}. */
export type HyperValue = number | readonly number[] | Slice;

/** A hyper-parameter as an option. */
export const aHyper: OptionKind<HyperValue> = other(
  "a number, one a group, or a slice",
  (v) => num.holds(v) || nums.holds(v) || (typeof v === "object" && v !== null && "kind" in v && v.kind === "slice"),
);

/** `slice(stop)`: the last group gets `stop`, the others a tenth of it. */
export function slice(stop: number): Slice;
/** `slice(start, stop)`: the groups get values from `start` to `stop`, each the same factor above the one before. */
export function slice(start: number, stop: number): Slice;
export function slice(a: number, b?: number): Slice {
  for (const v of b === undefined ? [a] : [a, b]) {
    if (!Number.isFinite(v)) throw new ConfigError(`Cannot make a slice of ${v}: its ends are finite numbers`);
  }
  // as in fastai, a start of 0 counts as none: there is no factor from 0
  return b === undefined || a === 0
    ? { kind: "slice", start: null, stop: b ?? a }
    : { kind: "slice", start: a, stop: b };
}

/** `n` numbers from `start` to `stop`, each the same factor above the one before; for one, it is `stop`. */
export function evenMults(start: number, stop: number, n: number): number[] {
  if (n === 1) return [stop];
  const factor = (stop / start) ** (1 / (n - 1));
  return Array.from({ length: n }, (_, i) => start * factor ** i);
}

/** Hyper-parameters that are not negative, and what they are at most. */
const BOUNDS: ReadonlyMap<string, number> = new Map([
  ["lr", Infinity],
  ["wd", Infinity],
  ["eps", Infinity],
  ["mom", 1],
  ["sqrMom", 1],
]);

/** One number for each of `n` groups. */
export function spread(name: string, value: HyperValue, n: number): number[] {
  let list: readonly number[];
  if (typeof value === "number") list = new Array<number>(n).fill(value);
  else if (isList(value)) list = value.length === 1 ? new Array<number>(n).fill(value[0]) : value;
  else if (value.start !== null) list = evenMults(value.start, value.stop, n);
  else list = Array.from({ length: n }, (_, i) => i === n - 1 ? value.stop : value.stop / 10);
  if (list.length !== n) {
    throw new ConfigError(`Cannot set ${name} to ${list.length} values: the optimizer has ${n} parameter groups`);
  }
  const most = BOUNDS.get(name);
  for (const v of list) {
    if (!Number.isFinite(v)) throw new ConfigError(`Cannot set ${name} to ${v}: hyper-parameters are finite numbers`);
    if (most !== undefined && !(v >= 0 && v <= most)) {
      throw new ConfigError(`Cannot set ${name} to ${v}: it is a number from 0 ${most === 1 ? "to 1" : "on"}`);
    }
  }
  return [...list];
}

function isList(value: readonly number[] | Slice): value is readonly number[] {
  return Array.isArray(value);
}
