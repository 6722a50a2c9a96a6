/**
 * Images in data blocks.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import type { BlockSet, InputBlock } from "../../block/mod.ts";
import { Rng } from "../../tensor/mod.ts";
import { decodeImage } from "./read_image.ts";
import { transformed } from "./image_dataset.ts";
import { ImageDataLoaders } from "./image_loaders.ts";
import type { ImageDataLoadersOptions } from "./image_options.ts";
import type { BatchTransform } from "./batch_tfms.ts";
import type { ItemTransform } from "./item_tfms.ts";

/** Options of a data block's loaders of images: those of {@link ImageDataLoaders} that the block does not have. */
export type ImageBlockOptions = Omit<
  ImageDataLoadersOptions,
  "splitter" | "validPct" | "itemTfms" | "batchTfms" | "vocab"
>;

function loaders(set: BlockSet<string>, options: ImageBlockOptions): Promise<ImageDataLoaders> {
  for (const name of ["splitter", "validPct", "itemTfms", "batchTfms", "vocab"]) {
    if (!(name in options)) continue;
    const where = name === "vocab"
      ? "CategoryBlock({ vocab })"
      : `new DataBlock({ ${name === "validPct" ? "splitter" : name} })`;
    throw new ConfigError(`Cannot make loaders of a data block with { ${name} }: it belongs to ${where}`);
  }
  return ImageDataLoaders.fromBlock(set.path, set.x, set.y, set.target, {
    ...options,
    splitter: () => set.split,
    itemTfms: set.itemTfms as readonly ItemTransform[],
    batchTfms: set.batchTfms as readonly BatchTransform[],
  });
}

/** The block of images: inputs are the paths of their files. */
export function ImageBlock(): InputBlock<string, ImageDataLoaders, ImageBlockOptions> {
  return {
    name: "ImageBlock",
    loaders,
    read: (file) => decodeImage(file),
    async *walk(set, options) {
      const [at] = set.split[0];
      const image = await decodeImage(set.x[at]);
      yield `Image ${set.x[at]}: ${image.width} x ${image.height}`;
      let now = image;
      for (const tfm of [...set.itemTfms as readonly ItemTransform[]].sort((a, b) => a.order - b.order)) {
        now = transformed(now, [tfm], { training: true, rng: new Rng(0) });
        yield `  ${tfm.constructor.name}: ${now.width} x ${now.height}`;
      }
      const dls = await loaders(set, { ...options, resident: false });
      const batch = await dls.train.peek();
      if (batch === null) {
        yield `There is no batch: ${
          set.split[0].length
        } items are fewer than bs ${dls.train.bs}, and the last is left out`;
        return;
      }
      const [xb, yb] = batch;
      await xb.data();
      yield `Batch of ${xb.shape[0]}: image ${xb.dtype} [${xb.shape.join(", ")}], ${dls.target.kind} ${yb.dtype} [${
        yb.shape.join(", ")
      }]`;
    },
  };
}
