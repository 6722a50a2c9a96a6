/**
 * What is done to the columns of a table before they are inputs, by fastai's names.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, flag, oneOf, type OptionKind, other, shown } from "../base/options.ts";

/** Names of what is done to columns. */
export type ProcName = "Categorify" | "FillMissing" | "Normalize";

/** Something that is done to columns: its name, or `Categorify`, `FillMissing`, `Normalize` themselves. */
export type TableProc = ProcName | { readonly proc: ProcName };

const NAMES: readonly ProcName[] = ["Categorify", "FillMissing", "Normalize"];

/** Words become their places in a list of them; 0 is for those that are missing or unseen. */
export class Categorify {
  /** See {@link TableProc}. */
  static readonly proc = "Categorify";
}

/** What a number that is missing becomes: the median or the most frequent of the training rows, or a number that is given. */
export type FillStrategy = "median" | "mode" | "constant";

/** Options of {@link FillMissing}. */
export interface FillMissingOptions {
  /** What a missing number becomes; "median" by default, "constant" with `fillVals`. */
  readonly fillStrategy?: FillStrategy;
  /** The number for "constant", of all columns or by column; 0 by default. */
  readonly fillVals?: number | Readonly<Record<string, number>>;
  /** Whether a column `<name>_na` says which were missing, where training rows miss some; true by default. */
  readonly addCol?: boolean;
}

const FILL_VALS = other<number | Readonly<Record<string, number>>>(
  "a number, or numbers by column",
  (v) =>
    typeof v === "number" ? Number.isFinite(v) : typeof v === "object" && v !== null && !Array.isArray(v) &&
      Object.values(v).every((n) => Number.isFinite(n)),
);

/** Numbers that are missing are filled. */
export class FillMissing {
  /** See {@link TableProc}. */
  static readonly proc = "FillMissing";
  /** See {@link TableProc}. */
  readonly proc = "FillMissing";
  /** See {@link FillMissingOptions.fillStrategy}. */
  readonly fillStrategy: FillStrategy;
  /** See {@link FillMissingOptions.fillVals}. */
  readonly fillVals: number | Readonly<Record<string, number>>;
  /** See {@link FillMissingOptions.addCol}. */
  readonly addCol: boolean;

  /** Takes how to fill. */
  constructor(options: FillMissingOptions = {}) {
    checkOptions("make FillMissing", options, {
      fillStrategy: oneOf("median", "mode", "constant"),
      fillVals: FILL_VALS,
      addCol: flag,
    });
    const { fillVals = 0, fillStrategy = options.fillVals === undefined ? "median" : "constant", addCol = true } =
      options;
    if (options.fillVals !== undefined && fillStrategy !== "constant") {
      throw new ConfigError(
        `Cannot fill missing numbers with fillVals by the ${fillStrategy}: fillVals are for { fillStrategy: "constant" }`,
      );
    }
    this.fillStrategy = fillStrategy;
    this.fillVals = fillVals;
    this.addCol = addCol;
  }

  /** The number of `fillVals` for a column. */
  constantOf(name: string): number {
    const { fillVals } = this;
    return typeof fillVals === "number" ? fillVals : Object.hasOwn(fillVals, name) ? fillVals[name] : 0;
  }
}

/** What is done to columns. */
export interface Preparation {
  /** Whether words become numbers. */
  readonly categorify: boolean;
  /** How missing numbers are filled; null where they are not. */
  readonly fill: FillMissing | null;
  /** Whether numbers are scaled to mean 0 and deviation 1. */
  readonly normalize: boolean;
}

function nameOf(proc: unknown): ProcName | undefined {
  const name = typeof proc === "string"
    ? proc
    : typeof proc === "function" || typeof proc === "object" && proc !== null
    ? (proc as { proc?: unknown }).proc
    : undefined;
  return NAMES.find((known) => known === name);
}

/** What `procs` may be. */
export const PROCS: OptionKind<readonly TableProc[]> = other(
  "a list of Categorify, FillMissing and Normalize",
  (v) => Array.isArray(v) && v.every((proc) => nameOf(proc) !== undefined),
);

/** What a list of procs asks for, in whatever order it stands; all three where none is given. */
export function preparationOf(procs: readonly TableProc[] = NAMES): Preparation {
  const names = procs.map((proc) => nameOf(proc));
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new ConfigError(`Cannot prepare columns by ${shown(procs)}: it names ${twice} twice`);
  const fill = procs.find((proc) => nameOf(proc) === "FillMissing");
  return {
    categorify: names.includes("Categorify"),
    fill: fill === undefined ? null : fill instanceof FillMissing ? fill : new FillMissing(),
    normalize: names.includes("Normalize"),
  };
}
