/**
 * What interpretations of learners have in common: classes that are taken for each other, and the worst items.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkArgument, whole } from "../base/options.ts";
import { readAll } from "../tensor/mod.ts";
import type { Learner } from "./learner.ts";

/** What a learner that tells classes apart makes of each validation item. */
export interface JudgedClasses {
  readonly predicted: Int32Array;
  readonly actual: Int32Array;
  readonly losses: Float32Array;
  /** Of the predicted class. */
  readonly probabilities: Float32Array;
}

/**
 * Predicts the validation set of `learn`.
 *
 * @param classes How many it tells apart.
 * @throws ConfigError Where it does not.
 */
export async function judgeClasses(learn: Pick<Learner, "getPreds">, classes: number): Promise<JudgedClasses> {
  const { preds, targs, losses } = await learn.getPreds({ withLoss: true });
  if (preds.shape.length !== 2 || preds.shape[1] !== classes || losses === undefined) {
    throw new ConfigError(`Cannot interpret this learner: it does not tell ${classes} classes apart`);
  }
  const [predicted, actual, values, best] = await readAll([
    preds.argmax({ axis: 1 }),
    targs,
    losses,
    preds.max({ axis: 1 }),
  ]);
  return {
    predicted: Int32Array.from(predicted),
    actual: Int32Array.from(actual),
    losses: Float32Array.from(values),
    probabilities: Float32Array.from(best),
  };
}

/** How many items of each class (row) were taken for each class (column). */
export function countConfusions(
  classes: number,
  { actual, predicted }: { readonly actual: ArrayLike<number>; readonly predicted: ArrayLike<number> },
): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < actual.length; i++) counts[actual[i]][predicted[i]]++;
  return counts;
}

/** Two classes that are taken for each other. */
export interface MostConfused {
  /** The class that items have. */
  readonly actual: string;
  /** The class that they were taken for. */
  readonly predicted: string;
  /** How often. */
  readonly count: number;
}

/** Pairs of different classes, the most frequent first; those that occur at least `minCount` times. */
export function confusedPairs(
  counts: readonly (readonly number[])[],
  vocab: readonly string[],
  minCount: number,
): MostConfused[] {
  return counts
    .flatMap((row, a) => row.flatMap((count, p) => a === p ? [] : [{ actual: vocab[a], predicted: vocab[p], count }]))
    .filter(({ count }) => count >= minCount)
    .sort((a, b) => b.count - a.count);
}

/** The `k` items of the largest losses, largest first, or all; a loss that is no number is the largest. */
export function worstFirst<T>(items: readonly T[], lossOf: (item: T) => number, k: number = items.length): T[] {
  checkArgument("list the largest losses", "k", k, whole(0));
  const worth = (item: T) => Number.isNaN(lossOf(item)) ? Infinity : lossOf(item);
  return items.toSorted((a, b) => worth(a) === worth(b) ? 0 : worth(b) - worth(a)).slice(0, k);
}
