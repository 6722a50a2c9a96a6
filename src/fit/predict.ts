/**
 * Predictions of single items.
 *
 * @module
 */
import type { TableRow } from "../data/mod.ts";
import type { Tensor, TypedArray } from "../tensor/mod.ts";
import type { TrainLoop } from "../train/mod.ts";

/** What the model makes of one item. */
export interface Prediction {
  /** The decision: what the loss's `decodes` makes of the activated prediction, such as the class. */
  readonly decoded: Tensor;
  /** The activated prediction, such as the probability of each class, or a number in the unit of the data. */
  readonly pred: Tensor;
  /** The class that was decided for; null where the data has no classes with names. */
  readonly label: string | number | boolean | null;
  /** The classes that were decided for, where an item may have several and the data names them. */
  readonly labels?: readonly (string | number | boolean)[];
}

/**
 * One input of an item: a tensor as batches have it, without the batch axis; or what the learner's data makes inputs of: a
 * row of a table by column name, an image's path, URL or bytes, one item of arrays.
 */
export type PredictInput =
  | Tensor
  | TableRow
  | string
  | URL
  | Uint8Array
  | { readonly data: TypedArray; readonly shape: readonly number[] }
  | readonly unknown[];

/**
 * What the model makes of one item, given as its data has it, or as the tensors of its inputs without the batch axis.
 *
 * @example
 * ```ts ignore
 * const { decoded, pred } = await predict(learn, image);
 * console.log(await decoded.item());
 * ```
 */
export async function predict(learn: TrainLoop, ...item: PredictInput[]): Promise<Prediction> {
  return await learn.runs.take("predict", async () => {
    const { predictItem } = await import("./later.ts"); // code that training does without
    return await predictItem(learn, item);
  });
}

/** Names of the classes of some data, in the order of their numbers; null where it has none. */
export function classesOf(dls: object): readonly (string | number | boolean)[] | null {
  if (!("vocab" in dls) || !Array.isArray(dls.vocab) || dls.vocab.length === 0) return null;
  return dls.vocab;
}
