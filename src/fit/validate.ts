/**
 * Evaluation on a set.
 *
 * @module
 */
import { abortSignal, checkOptions, type OptionTable, other } from "../base/options.ts";
import { DataLoader } from "../data/loader.ts";
import type { Batch } from "../data/mod.ts";
import { type CallbackLike, type MetricValue, throwIfAborted, type TrainLoop } from "../train/mod.ts";
import { inPhase } from "./fine_tune.ts";
import { looking } from "./states.ts";

/** Options of {@link validate}. */
export interface ValidateOptions {
  /** 0 is the training set, 1 the validation set; 1 by default. */
  readonly dsIdx?: 0 | 1;
  /** Another loader instead. */
  readonly dl?: DataLoader<Batch>;
  /** Callbacks for this evaluation only. */
  readonly cbs?: CallbackLike | readonly CallbackLike[];
  /** Stops it after the batch under way once it is aborted, with an `InterruptedError` whose `cause` is the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What the options of {@link validate} may be. */
export const VALIDATE: OptionTable<ValidateOptions> = {
  dsIdx: other("0 for the training set or 1 for the validation set", (v) => v === 0 || v === 1),
  dl: other("a DataLoader", (v) => v instanceof DataLoader),
  cbs: other("a callback or several"),
  signal: abortSignal,
};

/**
 * The loss and the metrics of a set, in the order `[loss, ...metrics]`; null where there is no data. Every item counts
 * once, as it is validated on: the training set in its own order, without random changes. Only the events of validation
 * happen, and afterwards everything that a fit depends on is as it was: random numbers, loaders, callbacks' states, what the
 * recorder has of fits.
 */
export async function validate(learn: TrainLoop, options: ValidateOptions = {}): Promise<readonly MetricValue[]> {
  const { cbs = [], signal } = checkOptions("validate", options, VALIDATE);
  throwIfAborted(signal, "validate");
  const dl = loaderOf(learn, options);
  return await learn.runs.take(
    "validate",
    () =>
      looking(learn, () =>
        inPhase(learn, "eval", () =>
          learn.addedCbs(cbs, async () => {
            await learn.runValidate(dl, { signal });
            return await learn.recorder.validValues();
          }))),
  );
}

/** The loader that evaluation options ask for: every item once, in order, as it is validated on. */
export function loaderOf(learn: TrainLoop, { dl, dsIdx = 1 }: ValidateOptions): DataLoader<Batch> {
  return (dl ?? (dsIdx === 0 ? learn.dls.train : learn.dls.valid)).inOrder();
}
