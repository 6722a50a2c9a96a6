/**
 * Predictions for a whole set.
 *
 * @module
 */
import { checkOptions, flag, func, type OptionTable } from "../base/options.ts";
import type { Tensor } from "../tensor/mod.ts";
import { throwIfAborted, type TrainLoop } from "../train/mod.ts";
import { VALIDATE, type ValidateOptions } from "./validate.ts";

/** Options of {@link getPreds}. */
export interface GetPredsOptions extends ValidateOptions {
  /** Whether to give the inputs too; false by default. */
  readonly withInput?: boolean;
  /** Whether to give decisions too; false by default. */
  readonly withDecoded?: boolean;
  /** Whether to give each item's loss too; false by default. The loss must have `items` or a `reduction`. */
  readonly withLoss?: boolean;
  /** What is applied to predictions; by default the loss's activation. */
  readonly act?: (pred: Tensor) => Tensor;
}

/** What the options of {@link getPreds} may be. */
export const GET_PREDS: OptionTable<GetPredsOptions> = {
  ...VALIDATE,
  withInput: flag,
  withDecoded: flag,
  withLoss: flag,
  act: func(),
};

/** What {@link getPreds} gives, items in the order of the set. */
export interface Preds {
  /** Activated predictions, `[n, ...]`, in the unit of the data. */
  readonly preds: Tensor;
  /** Targets, `[n, ...]`, in the unit of the data. */
  readonly targs: Tensor;
  /** Inputs; with `withInput`. */
  readonly inputs?: Tensor;
  /** Decisions; with `withDecoded`. */
  readonly decoded?: Tensor;
  /** Each item's loss, `[n]`, in the unit of the data; with `withLoss`. */
  readonly losses?: Tensor;
}

/**
 * Predictions for the validation set, or another one, with dropout and the like off. The callbacks see the events of
 * validation; what the recorder has of fits stays.
 */
export async function getPreds(learn: TrainLoop, options: GetPredsOptions = {}): Promise<Preds> {
  checkOptions("getPreds", options, GET_PREDS);
  throwIfAborted(options.signal, "getPreds");
  return await learn.runs.take("getPreds", async () => {
    const { gatherPreds } = await import("./later.ts"); // code that training does without
    return await gatherPreds(learn, options);
  });
}
