/**
 * What a model makes of images, as pictures.
 *
 * @module
 */
import type { Figure } from "../../plot/mod.ts";
import type { TrainLoop } from "../../train/mod.ts";
import { inTurn } from "../../train/runs.ts";

/** Options of {@link showResults}. */
export interface ShowResultsOptions {
  /** Most images; 9 by default. */
  readonly maxN?: number;
  /** Images in a row; about as many as rows by default. */
  readonly columns?: number;
}

/**
 * The first validation images as the model gets them, but for the scaling, with their labels, and what the model takes
 * them for where it is wrong. Masks and points are drawn into the images: those of the data, then those of the model.
 *
 * @throws {ConfigError} If the learner's data are no {@link ImageDataLoaders}, or have no validation images.
 */
export async function showResults(learn: TrainLoop, options: ShowResultsOptions = {}): Promise<Figure> {
  return await inTurn(learn, "getPreds", async () => {
    const { showResults } = await import("./later.ts"); // code that training does without
    return await showResults(learn, options);
  });
}
