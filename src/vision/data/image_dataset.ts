/**
 * Images and their labels as a data set: got one by one, decoded and brought to one size.
 *
 * @module
 */
import { DataError } from "../../base/errors.ts";
import { textHash } from "../../base/checksum.ts";
import type { Dataset, ItemPart } from "../../data/mod.ts";
import type { PixelImage } from "../../plot/mod.ts";
import { Rng } from "../../tensor/mod.ts";
import { filesFacts } from "./files_facts.ts";
import type { ImageStore } from "./image_store.ts";
import type { ItemContext, ItemTransform } from "./item_tfms.ts";
import { applyOps } from "./pixel_ops.ts";

/** An image after its transforms, in their order. */
export function transformed(image: PixelImage, tfms: readonly ItemTransform[], context: ItemContext): PixelImage {
  for (const tfm of tfms) image = applyOps(image, tfm.plan(image, context));
  return image;
}

/** Whether every transform gives an image like this one the same pixels each time. */
export function steady(image: PixelImage, tfms: readonly ItemTransform[]): boolean {
  const context = { training: false, rng: new Rng() };
  for (const tfm of tfms) {
    if (!tfm.steady(image)) return false;
    image = applyOps(image, tfm.plan(image, context));
  }
  return true;
}

/** What an {@link ImageDataset} is made of. */
export interface ImageDatasetOptions {
  /** Paths of the images. */
  readonly files: readonly string[];
  /** The class of each image; null for images without labels. */
  readonly codes: Int32Array | null;
  /** Transforms, in order. */
  readonly itemTfms: readonly ItemTransform[];
  /** Whether the images are trained on. */
  readonly training: boolean;
  /** Where images come from. */
  readonly store: ImageStore;
}

/** Items are the image, u8 `[height, width, 3]`, and its class, i32, where there is one. */
export class ImageDataset implements Dataset {
  /** See {@link Dataset.dtypes}. */
  readonly dtypes = ["u8", "i32"] as const;
  readonly #options: ImageDatasetOptions;
  #shape: { readonly image: PixelImage; readonly file: string } | null = null;

  /** @param options See {@link ImageDatasetOptions}. */
  constructor(options: ImageDatasetOptions) {
    this.#options = options;
  }

  /** See {@link Dataset.evaluation}. */
  get evaluation(): Dataset {
    return this.#options.training ? new ImageDataset({ ...this.#options, training: false }) : this;
  }

  /** Number of images. */
  get length(): number {
    return this.#options.files.length;
  }

  /** Names, sizes and order of the files, their classes, and what is in them; see {@link filesFacts}. */
  async fingerprint(): Promise<Readonly<Record<string, string>>> {
    const { files, codes } = this.#options;
    return { ...await filesFacts(files), labels: codes === null ? "none" : `#${textHash(codes.join())}` };
  }

  /** The image of item `i` after its transforms. */
  async image(i: number, rng: Rng): Promise<PixelImage> {
    const { files, store, itemTfms, training } = this.#options;
    const image = transformed(await store.load(files[i]), itemTfms, { training, rng });
    const first = this.#shape ??= { image, file: files[i] };
    if (first.image.width !== image.width || first.image.height !== image.height) {
      const size = (x: PixelImage) => `${x.width} x ${x.height}`;
      throw new DataError(
        `Cannot put ${first.file} and ${files[i]} into one batch: images must have one size, got ` +
          `${size(first.image)} and ${size(image)}; use itemTfms: [new Resize(224)]`,
      );
    }
    return image;
  }

  /** See {@link Dataset.get}. */
  async get(i: number, rng: Rng): Promise<readonly ItemPart[]> {
    const { codes } = this.#options;
    const { data, width, height } = await this.image(i, rng);
    const pixels = { data, shape: [height, width, 3] };
    return codes === null ? [pixels] : [pixels, codes[i]];
  }
}
