/**
 * Options of loaders of images.
 *
 * @module
 */
import { either, flag, func, num, oneOf, type OptionTable, other } from "../../base/options.ts";
import type { Label } from "../../data/labels.ts";
import type { DataSplitter } from "../../data/splitters.ts";
import type { BatchTransform, BatchTransformJson } from "./batch_tfms.ts";
import type { ItemTransform, ItemTransformJson } from "./item_tfms.ts";

/** Options of `ImageDataLoaders`; the defaults are fastai's. */
export interface ImageDataLoadersOptions {
  /** Share of images to validate on; 0.2 by default. */
  readonly validPct?: number;
  /**
   * Seed of the split, see `RandomSplitter`, and of the order and the random transforms of training; by default the
   * default generator is drawn from, see `setSeed`.
   */
  readonly seed?: number;
  /** Divides the images, instead of `validPct`. */
  readonly splitter?: DataSplitter;
  /** Images a batch; 64 by default. */
  readonly bs?: number;
  /** Images a batch in validation; `bs` by default. */
  readonly valBs?: number;
  /** Transforms of single images, on the CPU, such as `new Resize(224)`. */
  readonly itemTfms?: ItemTransform | readonly ItemTransform[];
  /** Transforms of batches, on the device, such as `augTransforms()`. */
  readonly batchTfms?: BatchTransform | readonly BatchTransform[];
  /** Whether training epochs are shuffled; true by default. */
  readonly shuffle?: boolean;
  /** Whether a last, shorter training batch is left out; by default where there is a full one. */
  readonly dropLast?: boolean;
  /** The classes in order; by default those of the training images, sorted. */
  readonly vocab?: readonly Label[];
  /** Batches that are made ahead of time; 2 by default. */
  readonly prefetch?: number;
  /** Most bytes of decoded images that are kept in memory for the next epoch; 256 MiB by default. */
  readonly cacheBytes?: number;
  /**
   * Whether images are decoded once and lie on the device, u8. `"auto"` (the default) does so where their transforms have
   * nothing random and all of them take no more than `residentBytes`.
   */
  readonly resident?: boolean | "auto";
  /** Most bytes of images on the device; 256 MiB by default. */
  readonly residentBytes?: number;
  /** Whether images are turned by their EXIF orientation; true by default. Pillow, and with it fastai, does not. */
  readonly orient?: boolean;
}

/** What the options of every maker of `ImageDataLoaders` may be. */
export const LOADERS: OptionTable<ImageDataLoadersOptions> = {
  validPct: num,
  seed: num,
  splitter: func(),
  bs: num,
  valBs: num,
  itemTfms: other("a transform of images, as in new Resize(224), or several", (v) => areTransforms(v, "plan")),
  batchTfms: other("a transform of batches, as in new Normalize(…), or several", (v) => areTransforms(v, "apply")),
  shuffle: flag,
  dropLast: flag,
  vocab: other("classes", Array.isArray),
  prefetch: num,
  cacheBytes: num,
  resident: either(flag, oneOf("auto")),
  residentBytes: num,
  orient: flag,
};

/** Whether these are objects with a method, one or several. */
function areTransforms(value: unknown, method: "plan" | "apply"): boolean {
  return [value].flat().every((v) =>
    typeof v === "object" && v !== null && typeof (v as Readonly<Record<string, unknown>>)[method] === "function"
  );
}

/** Options of `ImageDataLoaders.fromFolder`. */
export interface FromFolderOptions extends ImageDataLoadersOptions {
  /** Folder of training images; `"train"` by default. Not used with `validPct`. */
  readonly train?: string;
  /** Folder of validation images; `"valid"` by default. */
  readonly valid?: string;
}

/** Options of `ImageDataLoaders.testDl`. */
export interface TestDlOptions {
  /** Images a batch; that of validation by default. */
  readonly bs?: number;
  /** Changes images at random, as in training, by this seed; by default they stay as they are. */
  readonly augment?: number;
  /** Labels of the images, as training has them; without them batches have images only. */
  readonly labels?: readonly unknown[];
}

/** What `ImageDataLoaders.forItems` is told. */
export interface ItemsSetup {
  /** The classes in order. */
  readonly vocab: readonly Label[];
  /** What labels are; one class an image by default. */
  readonly target?: TargetJson;
  /** Stored transforms of single images. */
  readonly itemTfms?: readonly ItemTransformJson[];
  /** Stored transforms of batches. */
  readonly batchTfms?: readonly BatchTransformJson[];
  /** Folder for the learner's files; the current one by default. */
  readonly path?: string;
  /** Whether images are turned by their EXIF orientation; true by default. */
  readonly orient?: boolean;
}

/** What labels are, stored. */
export interface TargetJson {
  /** The kind of a `Target`. */
  readonly kind: string;
  /** Outputs of a model. */
  readonly c: number;
}
