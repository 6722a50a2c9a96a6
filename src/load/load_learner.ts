/**
 * Learners out of files; the code, and that of all that a file may name, comes with the first file.
 *
 * @module
 */
import type { Learner } from "../learner/mod.ts";
import type { Logger, LossFunc, Model } from "../train/mod.ts";

/** Options of {@link loadLearner}. */
export interface LoadLearnerOptions {
  /** The model, where it is code of your own: made as it was for training, with any weights. */
  readonly model?: Model;
  /** The loss, where it is code of your own: predictions pass through its `activation` and `decodes`. */
  readonly lossFunc?: LossFunc;
  /** Where the learner's rows and messages go; standard output by default. */
  readonly logger?: Logger;
}

/**
 * The learner that `learn.export()` or `anneal export` wrote, for predictions: its loaders are empty, `predict` takes what
 * its data takes (a row of a table, an image's path, a text, one item of arrays, tensors), and `dls.testDl` many of them. A file is
 * data only: layers of the library are built from their description, nothing in the file is run.
 *
 * @param file Path of the file; with or without `.safetensors`.
 * @throws CheckpointError If the file is missing, no exported learner, or damaged; or if its model or loss is code of your
 * own that was not given, or has other weights.
 * @example
 * ```ts ignore
 * const learn = await loadLearner("adult.safetensors");
 * const { label, pred } = await learn.predict({ age: 49, workclass: "Private" });
 * ```
 */
export async function loadLearner(file: string, options: LoadLearnerOptions = {}): Promise<Learner> {
  const { restoreLearner } = await import("./restore_learner.ts");
  return await restoreLearner(file, options);
}
