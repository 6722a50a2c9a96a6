/**
 * Predictions of images that are changed as in training, averaged.
 *
 * @module
 */
import type { Preds } from "../fit/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { TrainLoop } from "../train/mod.ts";
import { inTurn } from "../train/runs.ts";

/** Options of {@link tta}; the defaults are fastai's. */
export interface TtaOptions {
  /** How often each image is changed and predicted; 4 by default. */
  readonly n?: number;
  /** Share of the prediction of the unchanged image; 0.25 by default. Null gives the mean of the changed ones beside it. */
  readonly beta?: number | null;
  /** Whether the largest of both counts, not their mean; false by default. */
  readonly useMax?: boolean;
  /** Paths of other images; those of validation by default. */
  readonly files?: readonly string[];
  /** Their labels, where they have some. */
  readonly labels?: readonly unknown[];
  /** Seed of the changes; 0 by default. */
  readonly seed?: number;
}

/** What {@link tta} gives: predictions of changed and unchanged images together, and targets. */
export interface TtaPreds extends Omit<Preds, "inputs" | "decoded" | "losses"> {
  /** The mean over the changed images alone, `[n, ...]`; with `beta: null`. */
  readonly augmented?: Tensor;
}

/**
 * Test-time augmentation: each image is predicted as it is and `n` times as training changes it, and the predictions are
 * averaged; for classes that mostly errs less. For labels that move with their image (masks, points) it makes no sense.
 *
 * @throws {ConfigError} If the learner's data are no images with classes or numbers.
 */
export async function tta(learn: TrainLoop, options: TtaOptions = {}): Promise<TtaPreds> {
  return await inTurn(learn, "getPreds", async () => {
    const { tta } = await import("./later.ts"); // code that training does without
    return await tta(learn, options);
  });
}
