/**
 * Single images, as validation sees them.
 *
 * @module
 */
import type { PixelImage } from "../../plot/mod.ts";
import { Rng, type Tensor, tensor } from "../../tensor/mod.ts";
import { intToFloat } from "./batch_tfms.ts";
import { transformed } from "./image_dataset.ts";
import type { ImageDataLoaders } from "./image_loaders.ts";

/** A batch f32 `[1, 3, h, w]` of one image, through the transforms of `dls` as in validation. */
export function imageTensor(dls: ImageDataLoaders, image: PixelImage): Tensor {
  const context = { training: false, rng: new Rng(0) };
  const { data, width, height } = transformed(image, dls.itemTfms, context);
  let x = intToFloat(tensor(data, { shape: [1, height, width, 3] }));
  for (const tfm of dls.batchTfms) x = tfm.apply(x, context);
  return x;
}
