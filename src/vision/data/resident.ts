/**
 * Sets of small images that lie on the device as a whole.
 *
 * @module
 */
import type { Column, ItemPart } from "../../data/mod.ts";
import type { PixelImage } from "../../plot/mod.ts";
import type { Target } from "../../block/target.ts";
import { type Dtype, Rng, type Tensor, tensor } from "../../tensor/mod.ts";
import { type LabelledImages, steady, transformed } from "./image_dataset.ts";
import type { ImageStore } from "./image_store.ts";
import type { ItemTransform } from "./item_tfms.ts";
import { DataError } from "../../base/errors.ts";

/** Images to be decoded together, between two looks at whether it makes sense to go on. */
const BLOCK = 256;

/**
 * Columns of all images u8 `[n, h, w, 3]` and their classes, for each set; null where training images would not come out the
 * same every time, or all together would take more than `limit` bytes.
 */
export async function residentColumns(
  sets: readonly LabelledImages[],
  target: Target,
  itemTfms: readonly ItemTransform[],
  store: ImageStore,
  limit: number,
): Promise<readonly (readonly Column[])[] | null> {
  const total = sets.reduce((n, { files }) => n + files.length, 0);
  const context = { training: false, rng: new Rng() };
  let first: { readonly image: PixelImage; readonly file: string } | null = null;
  const columns: Column[][] = [];
  for (const [s, { files, parts }] of sets.entries()) {
    let data = new Uint8Array(0);
    // the first image alone: it mostly tells whether to go on
    for (let from = 0, to = s === 0 ? 1 : BLOCK; from < files.length; from = to, to += BLOCK) {
      const block = await Promise.all(
        files.slice(from, to).map(async (file) => {
          const image = await store.load(file);
          return s === 0 && !steady(image, itemTfms) ? null : transformed(image, itemTfms, context);
        }),
      );
      for (const [i, image] of block.entries()) {
        if (image === null) return null;
        const file = files[from + i];
        first ??= { image, file };
        const bytes = image.data.length;
        if (image.width !== first.image.width || image.height !== first.image.height) {
          if (limit !== Infinity) return null; // told when such a batch is made
          throw new DataError(
            `Cannot keep ${first.file} and ${file} on the device: images must have one size; use itemTfms: [new Resize(224)]`,
          );
        }
        if (total * bytes > limit) return null;
        if (data.length === 0) data = new Uint8Array(files.length * bytes);
        data.set(image.data, (from + i) * bytes);
      }
    }
    const { width, height } = first?.image ?? { width: 1, height: 1 };
    columns.push([
      { tensor: tensor(data, { shape: [files.length, height, width, 3] }) },
      { tensor: labelsOf(parts, target.dtype) },
    ]);
  }
  return columns;
}

/** Labels that are numbers, or vectors of one length. */
function labelsOf(parts: readonly ItemPart[], dtype: Dtype): Tensor {
  const lists = parts.filter((part): part is Float32Array => part instanceof Float32Array);
  if (lists.length === 0) return tensor(parts as number[], { shape: [parts.length], dtype });
  const length = lists[0].length, all = new Float32Array(lists.length * length);
  lists.forEach((list, i) => all.set(list, i * length));
  return tensor(all, { shape: [lists.length, length] });
}
