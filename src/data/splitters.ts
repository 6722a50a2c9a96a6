/**
 * Dividing files in those to train on and those to validate on.
 *
 * @module
 */
import { basename, dirname } from "../base/path.ts";
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, func, num, shown, text } from "../base/options.ts";
import { splitOrder } from "./random_split.ts";
import { defaultRng, Rng } from "../tensor/mod.ts";
import { torchPermutation } from "./torch_rng.ts";

/** Divides items, such as paths: positions of those to train on, and of those to validate on. */
export type DataSplitter<Item = string> = (
  items: readonly Item[],
) => readonly [train: readonly number[], valid: readonly number[]];

/** What {@link splitOf} gives. */
export interface CheckedSplit {
  /** Positions of the items to train on. */
  readonly train: readonly number[];
  /** Positions of the items to validate on. */
  readonly valid: readonly number[];
  /** What is odd about them, for people. */
  readonly notes: readonly string[];
}

/** Divides items, and looks at what a splitter gave: an item may be trained on twice, or be left out; some are trained on. */
export function splitOf<Item>(splitter: DataSplitter<Item>, items: readonly Item[]): CheckedSplit {
  const split: unknown = splitter(items);
  if (
    !Array.isArray(split) || split.length !== 2 ||
    !split.every((part) => Array.isArray(part) || ArrayBuffer.isView(part))
  ) {
    throw new ConfigError(
      `Cannot divide items: a splitter gives two lists of positions, as in [[0, 1], [2]], got ${shown(split)}`,
    );
  }
  const [train, valid] = split.map((part) => Array.from(part as number[]));
  for (const [name, part] of [["train", train], ["validate", valid]] as const) {
    const bad = part.find((i) => !Number.isInteger(i) || i < 0 || i >= items.length);
    if (bad === undefined) continue;
    throw new ConfigError(
      `Cannot ${name} on item ${shown(bad)}: positions go from 0 to ${items.length - 1}, as the splitter has them`,
    );
  }
  if (train.length === 0) {
    throw new DataError(`Cannot train: the splitter leaves none of ${items.length} items to train on`);
  }
  const trained = new Set(train), both = new Set(valid.filter((i) => trained.has(i))).size;
  const notes = both === 0 ? [] : [`${both} of ${valid.length} items to validate on are trained on, too`];
  return { train, valid, notes };
}

/** Options of {@link RandomSplitter}. */
export interface RandomSplitterOptions {
  /** Seed of the order, a whole number below 2^32; by default the default generator is drawn from. */
  readonly seed?: number;
}

/**
 * Random items for validation: the first `trunc(validPct n)` of a permutation, the others for training. With a seed it is
 * the permutation that PyTorch makes, hence the split that fastai makes of as many items.
 *
 * @param validPct Share of the items, in [0, 1).
 */
export function RandomSplitter(validPct: number = 0.2, options: RandomSplitterOptions = {}): DataSplitter<unknown> {
  const { seed } = checkOptions("split at random", options, { seed: num });
  if (!(validPct >= 0 && validPct < 1)) {
    throw new ConfigError(`Cannot validate on a share of ${validPct}: it must lie in [0, 1)`);
  }
  if (seed !== undefined && !(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)) {
    throw new ConfigError(`Cannot split by the seed ${seed}: it must be a whole number from 0 to 2^32 - 1`);
  }
  return ({ length }) => {
    const order = seed === undefined ? defaultRng().permutation(length) : torchPermutation(length, seed);
    const { train, valid } = splitOrder(order, validPct);
    return [[...train], [...valid]];
  };
}

/** Options of {@link GrandparentSplitter}. */
export interface GrandparentSplitterOptions {
  /** Folder of training images; `"train"` by default. */
  readonly trainName?: string;
  /** Folder of validation images; `"valid"` by default. */
  readonly validName?: string;
}

/** Divides by the folder above the folder of an image: `train/cat/1.png` is for training. Other images are left out. */
export function GrandparentSplitter(options: GrandparentSplitterOptions = {}): DataSplitter {
  checkOptions("split by folders", options, { trainName: text, validName: text });
  const { trainName = "train", validName = "valid" } = options;
  return (items) => {
    const of = (name: string): number[] =>
      items.flatMap((path, i) => basename(dirname(dirname(path))) === name ? [i] : []);
    const train = of(trainName), valid = of(validName);
    for (const [name, found] of [[trainName, train], [validName, valid]] as const) {
      if (found.length === 0) {
        throw new DataError(
          `Cannot split by folders: no image lies in ${name}/<class>/, got ${items[0] ?? "no images"}`,
        );
      }
    }
    return [train, valid];
  };
}

/** The items at these positions for validation, the others for training. */
export function IndexSplitter(validIdx: readonly number[]): DataSplitter<unknown> {
  return ({ length }) => {
    const bad = validIdx.find((i) => !Number.isInteger(i) || i < 0 || i >= length);
    if (bad !== undefined) throw new ConfigError(`Cannot validate on item ${bad}: there are ${length}, counted from 0`);
    const held = new Set(validIdx);
    return [Array.from({ length }, (_, i) => i).filter((i) => !held.has(i)), [...held]];
  };
}

/** The items for which `isValid` holds for validation, the others for training. */
export function FuncSplitter<Item = string>(isValid: (item: Item) => boolean): DataSplitter<Item> {
  return (items) => IndexSplitter(items.flatMap((item, i) => isValid(item) ? [i] : []))(items);
}

/**
 * Rows of tables by a column: those where it is true, 1, "true" or "True" for validation.
 *
 * @param column Its name; "is_valid" by default.
 */
export function ColSplitter(column: string = "is_valid"): DataSplitter<Readonly<Record<string, unknown>>> {
  return (rows) =>
    IndexSplitter(rows.flatMap((row, i) => {
      const value = row[column];
      if ([true, 1, "1", "true", "True"].includes(value as string)) return [i];
      if ([false, 0, "0", "false", "False"].includes(value as string)) return [];
      throw new DataError(
        `Cannot split by the column ${shown(column)}: it has true or false, row ${i} ${shown(value)}`,
      );
    }))(rows);
}

/** Options of {@link TrainTestSplitter}. */
export interface TrainTestSplitterOptions<Item = unknown> {
  /** Share of the items to validate on, in (0, 1); 0.2 by default. */
  readonly testSize?: number;
  /** Seed of the order; by default the default generator is drawn from. */
  readonly seed?: number;
  /** The class of an item: each class gives its share to validation, as exactly as whole items allow. */
  readonly stratify?: (item: Item) => unknown;
}

/** Random items for validation, as many of each class as its share of all, where `stratify` tells classes. */
export function TrainTestSplitter<Item = unknown>(options: TrainTestSplitterOptions<Item> = {}): DataSplitter<Item> {
  const { testSize = 0.2, seed, stratify } = checkOptions("split at random", options, {
    testSize: num,
    seed: num,
    stratify: func(),
  });
  if (!(testSize > 0 && testSize < 1)) {
    throw new ConfigError(`Cannot validate on a share of ${testSize}: it must lie in (0, 1)`);
  }
  return (items) => {
    const rng = seed === undefined ? defaultRng() : new Rng(seed);
    const order = [...rng.permutation(items.length)];
    const groups = new Map<unknown, number[]>();
    for (const i of order) {
      const key = stratify?.(items[i]), group = groups.get(key);
      if (group === undefined) groups.set(key, [i]);
      else group.push(i);
    }
    const held = shares([...groups.values()].map(({ length }) => length), Math.round(testSize * items.length));
    const valid = [...groups.values()].flatMap((group, g) => group.slice(0, held[g]));
    const [train] = IndexSplitter(valid)(items);
    return [train, valid];
  };
}

/** `total` divided as `sizes` are, in whole numbers: the largest remainders are rounded up. */
function shares(sizes: readonly number[], total: number): number[] {
  const all = sizes.reduce((a, b) => a + b, 0), exact = sizes.map((n) => all === 0 ? 0 : n * total / all);
  const out = exact.map(Math.floor);
  const order = sizes.map((_, g) => g).sort((a, b) => exact[b] - out[b] - (exact[a] - out[a]) || a - b);
  for (let k = 0, left = total - out.reduce((a, b) => a + b, 0); k < left; k++) out[order[k]]++;
  return out;
}
