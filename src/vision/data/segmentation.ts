/**
 * Loaders of images with masks.
 *
 * @module
 */
import { checkOptions, nums, other } from "../../base/options.ts";
import type { Label } from "../../data/labels.ts";
import type { ImageSource } from "./read_image.ts";
import { ImageDataLoaders } from "./image_loaders.ts";
import { type ImageDataLoadersOptions, LOADERS } from "./image_options.ts";
import { MaskBlock, type MaskBlockOptions } from "./mask.ts";

/** Makers of loaders of images with masks: the class of each pixel, i32 `[n, h, w]`. */
export class SegmentationDataLoaders {
  private constructor() {}

  /**
   * Loaders of images and the masks that `labelFunc` finds for them.
   *
   * @param labelFunc Path of the mask of an image: a grey picture of its size with the class of each pixel.
   * @param options `codes`, the names of the classes, and `values`, their grey values, see `MaskBlock`; the others are those
   * of {@link ImageDataLoaders}.
   */
  static async fromLabelFunc(
    path: string,
    files: readonly string[],
    labelFunc: (file: string) => ImageSource,
    options: SegmentationOptions,
  ): Promise<ImageDataLoaders> {
    const table = { ...LOADERS, codes: other<readonly Label[]>("names of the classes", Array.isArray), values: nums };
    checkOptions("load images and masks", options, table);
    const { codes, values, ...rest } = options;
    const block = MaskBlock({ codes, ...(values === undefined ? {} : { values }) });
    return await ImageDataLoaders.fromBlock(path, files, files.map(labelFunc), block, rest);
  }
}

/** Options of {@link SegmentationDataLoaders.fromLabelFunc}. */
export interface SegmentationOptions extends ImageDataLoadersOptions, MaskBlockOptions {}
