/**
 * How loaders of images are made: items divided, labelled, decoded and transformed.
 *
 * @module
 */
import { ConfigError, DataError } from "../../base/errors.ts";
import { factsText, plainFields, shortText } from "../../base/facts.ts";
import type { Target, TargetBlock } from "../../block/target.ts";
import { DataLoader } from "../../data/mod.ts";
import { RandomSplitter, splitOf } from "../../data/splitters.ts";
import { applyBatchTfms } from "./apply_batch.ts";
import type { BatchTransform } from "./batch_tfms.ts";
import { ImageDataset, labelled, type LabelledImages } from "./image_dataset.ts";
import type { ImageDataLoadersOptions } from "./image_options.ts";
import { ImageStore } from "./image_store.ts";
import { inOrder, type ItemTransform } from "./item_tfms.ts";
import { residentColumns } from "./resident.ts";
import { isSpatial } from "./spatial.ts";

/** A set of images with their labels. */
export interface LabelledFiles {
  /** Paths of the images. */
  readonly files: readonly string[];
  /** The label of each, as the data has it: names of classes, paths of masks and so on. */
  readonly labels: readonly unknown[];
  /** The class of each; empty where images do not have one class each. */
  readonly codes: Int32Array;
}

/** What `ImageDataLoaders` are made of. */
export interface ImageParts {
  readonly path: string;
  readonly train: DataLoader;
  readonly valid: DataLoader;
  readonly trainSet: LabelledFiles;
  readonly validSet: LabelledFiles;
  readonly target: Target;
  readonly itemTfms: readonly ItemTransform[];
  readonly batchTfms: BatchTransform[];
  readonly store: ImageStore;
  readonly valBs: number;
  readonly notes?: readonly string[];
}

/** See `ImageDataLoaders.fromBlock`. */
export async function imageParts<Y>(
  path: string,
  files: readonly string[],
  labels: readonly Y[],
  block: TargetBlock<Y>,
  options: ImageDataLoadersOptions,
): Promise<ImageParts> {
  const { bs = 64, valBs = bs, shuffle = true, prefetch = 2, cacheBytes = 256 << 20, residentBytes = 256 << 20 } =
    options;
  const { validPct = 0.2, seed, resident = "auto" } = options;
  if (files.length === 0) throw new DataError(`Cannot make loaders for ${path}: there are no images`);
  if (files.length !== labels.length) {
    throw new DataError(`Cannot label ${files.length} images: there are ${labels.length} labels`);
  }
  if (options.splitter !== undefined && options.validPct !== undefined) {
    throw new ConfigError(
      "Cannot divide images by splitter and validPct: the splitter says which are validated on, leave validPct out",
    );
  }
  const splitter = options.splitter ?? RandomSplitter(validPct, seed === undefined ? {} : { seed });
  const { train: trainIdx, valid: validIdx, notes: odds } = splitOf(splitter, files), notes = [...odds];
  if (validIdx.length === 0 && options.splitter === undefined && validPct > 0) {
    notes.push(`No image is validated on: ${validPct} of ${files.length} is none; validPct takes more`);
  }
  const target: Target = block.setup(trainIdx.map((i) => labels[i]), trainIdx.map((i) => files[i]));
  const sets = [trainIdx, validIdx].map((idx) => labelled(idx.map((i) => files[i]), idx.map((i) => labels[i]), target));
  const [trainSet, validSet] = sets.map((set) => filesOf(set, target));
  const itemTfms = [options.itemTfms ?? []].flat().sort(inOrder);
  const batchTfms = [options.batchTfms ?? []].flat().sort(inOrder);
  const store = new ImageStore(cacheBytes, { orient: options.orient ?? true });
  if (resident === true && isSpatial(target)) {
    throw new ConfigError("Cannot keep images on the device: their labels move with them, batch by batch");
  }
  const columns = resident === false || isSpatial(target)
    ? null
    : await residentColumns(sets, target, itemTfms, store, resident === true ? Infinity : residentBytes);
  if (resident === true && columns === null) {
    throw new ConfigError("Cannot keep images on the device: a transform of training images is random");
  }
  if (columns !== null) store.clear();
  const loader = (i: 0 | 1, more: { bs: number; shuffle: boolean; dropLast: boolean }): DataLoader => {
    const training = i === 0;
    return new DataLoader({
      ...(columns === null
        ? { dataset: new ImageDataset({ ...sets[i], target, itemTfms, training, store }) }
        : { columns: columns[i] }),
      ...more,
      prefetch,
      random: training,
      batchTfm: (batch, rng) => applyBatchTfms(batch, batchTfms, target, training, rng),
      evalTfm: (batch, rng) => applyBatchTfms(batch, batchTfms, target, false, rng),
      fingerprint: () => ({
        ...(target.kind === "category" ? {} : { labels: `${target.kind} of ${target.c}` }),
        classes: shortText(target.vocab.join(", ")),
        ...(store.orient ? {} : { "EXIF orientation": "left as it is" }),
        "item transforms": tfmsText(itemTfms),
        "batch transforms": tfmsText(batchTfms),
      }),
      ...(!training ? { seed: 0 } : seed === undefined ? {} : { seed }),
    });
  };
  const dropLast = options.dropLast ?? (shuffle && trainSet.files.length >= bs);
  const train = loader(0, { bs, shuffle, dropLast }),
    valid = loader(1, { bs: valBs, shuffle: false, dropLast: false });
  return {
    path,
    train,
    valid,
    trainSet,
    validSet,
    target,
    itemTfms,
    batchTfms,
    store,
    valBs,
    notes,
  };
}

/** Transforms and their options. */
function tfmsText(tfms: readonly (ItemTransform | BatchTransform)[]): string {
  return tfms.map((t) => factsText(t.constructor.name, t.toJSON() ?? plainFields(t))).join(", ") || "none";
}

function filesOf({ files, labels, parts }: LabelledImages, target: Target): LabelledFiles {
  const codes = Int32Array.from(target.kind === "category" ? parts as readonly number[] : []);
  return { files, labels: labels ?? [], codes };
}
