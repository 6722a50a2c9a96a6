/**
 * Dividing files in those to train on and those to validate on.
 *
 * @module
 */
import { basename, dirname } from "../base/path.ts";
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, num, text } from "../base/options.ts";
import { splitOrder } from "./random_split.ts";
import { defaultRng } from "../tensor/mod.ts";
import { torchPermutation } from "./torch_rng.ts";

/** Divides items, such as paths: positions of those to train on, and of those to validate on. */
export type DataSplitter = (items: readonly string[]) => readonly [train: readonly number[], valid: readonly number[]];

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
export function RandomSplitter(validPct: number = 0.2, options: RandomSplitterOptions = {}): DataSplitter {
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
export function IndexSplitter(validIdx: readonly number[]): DataSplitter {
  return ({ length }) => {
    const bad = validIdx.find((i) => !Number.isInteger(i) || i < 0 || i >= length);
    if (bad !== undefined) throw new ConfigError(`Cannot validate on item ${bad}: there are ${length}, counted from 0`);
    const held = new Set(validIdx);
    return [Array.from({ length }, (_, i) => i).filter((i) => !held.has(i)), [...held]];
  };
}

/** The items for which `isValid` holds for validation, the others for training. */
export function FuncSplitter(isValid: (item: string) => boolean): DataSplitter {
  return (items) => IndexSplitter(items.flatMap((item, i) => isValid(item) ? [i] : []))(items);
}
