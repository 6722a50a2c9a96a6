/**
 * Which parts of an image a classifier looks at.
 *
 * @module
 * @see Zhou et al. 2015, arXiv:1512.04150; Selvaraju et al. 2016, arXiv:1610.02391
 */
import type { AnyModule } from "../nn/mod.ts";
import type { Figure } from "../plot/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { Model } from "../train/mod.ts";
import { inTurn } from "../train/runs.ts";
import type { ImageSource } from "./data/mod.ts";
import type { VisionLearner } from "./learner.ts";

/** Options of {@link activationMap}. */
export interface ActivationMapOptions {
  /**
   * `"gradCam"` (the default) weighs channels by the mean of their gradients, for any layer; `"cam"` by the weights of the
   * model's last linear layer, which must come after nothing but a mean over the image.
   */
  readonly method?: "gradCam" | "cam";
  /** The layer whose channels are weighed; the body of a vision model by default. */
  readonly layer?: AnyModule;
  /** The class; the one that is predicted by default. */
  readonly label?: number;
}

/** Where a class was seen. */
export interface ActivationMap {
  /** The class, by its number. */
  readonly label: number;
  /** How much each place counts for the class, `[h, w]` of the layer, row by row; not negative with "gradCam". */
  readonly values: Float32Array;
  /** Places in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** The image as the model got it, with the map over it: yellow where the class was seen. */
  readonly figure: Figure;
}

/**
 * A class activation map: which places of an image speak for a class. The model is called in evaluation mode and stays as
 * it is.
 *
 * @param item A file's path, URL or bytes, or a tensor `[c, h, w]` as batches have it.
 */
export async function activationMap<M extends Model>(
  learn: VisionLearner<M>,
  item: ImageSource | Tensor,
  options: ActivationMapOptions = {},
): Promise<ActivationMap> {
  return await inTurn(learn, "predict", async () => {
    const { activationMap } = await import("./later.ts"); // code that training does without
    return await activationMap(learn, item, options);
  });
}
