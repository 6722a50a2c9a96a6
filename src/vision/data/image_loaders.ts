/**
 * Loaders of images with classes.
 *
 * @module
 */
import { basename, dirname } from "../../base/path.ts";
import { ConfigError, DataError } from "../../base/errors.ts";
import { factsText, plainFields, shortText } from "../../base/facts.ts";
import { checkOptions, either, flag, func, num, oneOf, type OptionTable, other, text } from "../../base/options.ts";
import { type Batch, DataLoader, DataLoaders, type InputsJson } from "../../data/mod.ts";
import { CrossEntropyLoss } from "../../nn/mod.ts";
import type { Figure } from "../../plot/mod.ts";
import type { Rng, Tensor } from "../../tensor/mod.ts";
import { complain } from "../../train/output.ts";
import { type BatchTransform, batchTransformFromJson, type BatchTransformJson, intToFloat } from "./batch_tfms.ts";
import { folderLabels } from "../../data/class_folders.ts";
import { decodeImage } from "./decode.ts";
import { ImageDataset } from "./image_dataset.ts";
import { getImageFiles } from "./image_files.ts";
import { ImageStore } from "./image_store.ts";
import { imageTensor } from "./image_tensor.ts";
import { type ItemTransform, itemTransformFromJson, type ItemTransformJson } from "./item_tfms.ts";
import { codesOf, type Label, vocabOf } from "../../data/labels.ts";
import { residentColumns } from "./resident.ts";
import { showBatch, type ShowBatchOptions } from "./show_batch.ts";
import { type DataSplitter, GrandparentSplitter, RandomSplitter } from "../../data/splitters.ts";

/** Options of {@link ImageDataLoaders}; the defaults are fastai's. */
export interface ImageDataLoadersOptions {
  /** Share of images to validate on; 0.2 by default. */
  readonly validPct?: number;
  /**
   * Seed of the split, see {@link RandomSplitter}, and of the order and the random transforms of training; by default the
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

const LOADERS: OptionTable<ImageDataLoadersOptions> = {
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

/** Options of {@link ImageDataLoaders.fromFolder}. */
export interface FromFolderOptions extends ImageDataLoadersOptions {
  /** Folder of training images; `"train"` by default. Not used with `validPct`. */
  readonly train?: string;
  /** Folder of validation images; `"valid"` by default. */
  readonly valid?: string;
}

/** Options of {@link ImageDataLoaders.testDl}. */
export interface TestDlOptions {
  /** Images a batch; that of validation by default. */
  readonly bs?: number;
  /** Classes of the images; without them batches have images only. */
  readonly labels?: readonly Label[];
}

/** What {@link ImageDataLoaders.forItems} is told. */
export interface ItemsSetup {
  /** The classes in order. */
  readonly vocab: readonly Label[];
  /** Stored transforms of single images. */
  readonly itemTfms?: readonly ItemTransformJson[];
  /** Stored transforms of batches. */
  readonly batchTfms?: readonly BatchTransformJson[];
  /** Folder for the learner's files; the current one by default. */
  readonly path?: string;
  /** Whether images are turned by their EXIF orientation; true by default. */
  readonly orient?: boolean;
}

/** A set of images with their classes. */
export interface LabelledFiles {
  /** Paths of the images. */
  readonly files: readonly string[];
  /** The class of each. */
  readonly codes: Int32Array;
}

/** What {@link ImageDataLoaders} are made of. */
interface Parts {
  readonly path: string;
  readonly train: DataLoader;
  readonly valid: DataLoader;
  readonly trainSet: LabelledFiles;
  readonly validSet: LabelledFiles;
  readonly vocab: readonly Label[];
  readonly itemTfms: readonly ItemTransform[];
  readonly batchTfms: BatchTransform[];
  readonly store: ImageStore;
  readonly valBs: number;
}

/**
 * Loaders of images with classes: batches of images f32 `[n, 3, h, w]` and classes i32 `[n]`.
 *
 * @example
 * ```ts ignore
 * const files = await getImageFiles(join(path, "images"));
 * const dls = await ImageDataLoaders.fromNameFunc(path, files, (name) => /^[A-Z]/.test(name), {
 *   itemTfms: [new Resize(224)],
 * });
 * ```
 */
export class ImageDataLoaders extends DataLoaders {
  /** The classes; the number of a class is its place here. */
  readonly vocab: readonly Label[];
  /** Images to train on. */
  readonly trainSet: LabelledFiles;
  /** Images to validate on. */
  readonly validSet: LabelledFiles;
  /** Transforms of single images, in their order. */
  readonly itemTfms: readonly ItemTransform[];
  readonly #batchTfms: BatchTransform[];
  readonly #store: ImageStore;
  readonly #valBs: number;

  private constructor(parts: Parts) {
    super(parts.train, parts.valid, { nInp: 1, path: parts.path, lossFunc: new CrossEntropyLoss() });
    this.vocab = parts.vocab;
    this.trainSet = parts.trainSet;
    this.validSet = parts.validSet;
    this.itemTfms = parts.itemTfms;
    this.#batchTfms = parts.batchTfms;
    this.#store = parts.store;
    this.#valBs = parts.valBs;
  }

  /** Number of classes. */
  get c(): number {
    return this.vocab.length;
  }

  /** Channels of an image: 3, red, green and blue. */
  get nIn(): number {
    return 3;
  }

  /** Transforms of batches, in their order. */
  get batchTfms(): readonly BatchTransform[] {
    return this.#batchTfms;
  }

  /** Adds transforms of batches, for all loaders from now on. */
  addBatchTfms(tfms: BatchTransform | readonly BatchTransform[]): void {
    this.#batchTfms.push(...[tfms].flat());
    this.#batchTfms.sort(inOrder);
  }

  /** Loaders whose labels are made of the images' file names. */
  static fromNameFunc(
    path: string,
    files: readonly string[],
    labelFunc: (name: string) => Label,
    options: ImageDataLoadersOptions = {},
  ): Promise<ImageDataLoaders> {
    checkOptions("load images", options, LOADERS);
    return ImageDataLoaders.fromPathFunc(path, files, (file) => labelFunc(basename(file)), options);
  }

  /** Loaders whose labels are made of the images' paths. */
  static async fromPathFunc(
    path: string,
    files: readonly string[],
    labelFunc: (file: string) => Label,
    options: ImageDataLoadersOptions = {},
  ): Promise<ImageDataLoaders> {
    checkOptions("load images", options, LOADERS);
    return await ImageDataLoaders.fromLists(path, files, files.map((file) => labelFunc(file)), options);
  }

  /** Loaders whose labels are the first group of `pattern` in the images' file names. */
  static fromNameRe(
    path: string,
    files: readonly string[],
    pattern: RegExp,
    options: ImageDataLoadersOptions = {},
  ): Promise<ImageDataLoaders> {
    checkOptions("load images", options, LOADERS);
    return ImageDataLoaders.fromPathFunc(path, files, (file) => {
      const label = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, "")).exec(basename(file))?.[1];
      if (label === undefined) {
        throw new DataError(`Cannot label ${file}: its name must match ${pattern} with a group for the label`);
      }
      return label;
    }, options);
  }

  /**
   * Loaders of folders named as their class, inside `train` and `valid`; with `validPct` or a `splitter`, of all folders
   * named as their class.
   *
   * @throws {DataError} With `validPct` or a `splitter`, where an image lies in no folder that could be a class: in `path`
   * itself, or in a `test` beside classes that lie deeper.
   */
  static async fromFolder(path: string, options: FromFolderOptions = {}): Promise<ImageDataLoaders> {
    checkOptions("load a folder", options, { ...LOADERS, train: text, valid: text });
    const { train = "train", valid = "valid", ...others } = options;
    const mixed = options.validPct !== undefined || options.splitter !== undefined;
    if (mixed) {
      const all = await getImageFiles(path);
      return await ImageDataLoaders.fromLists(path, all, folderLabels(path, all), others);
    }
    const found = await getImageFiles(path, { folders: [train, valid] });
    const named = (file: string) => [train, valid].includes(basename(dirname(dirname(file))));
    const files = found.filter(named);
    if (files.length < found.length && files.length > 0) {
      const some = `${found.length - files.length} such as ${found.find((file) => !named(file))}`;
      complain(
        `Images that lie in no folder of ${train} or ${valid} that is named as their class are left out: ${some}`,
      );
    }
    return await ImageDataLoaders.fromPathFunc(
      path,
      files.length > 0 ? files : found,
      (file) => basename(dirname(file)),
      {
        ...others,
        splitter: GrandparentSplitter({ trainName: train, validName: valid }),
      },
    );
  }

  /**
   * Loaders of images with given labels.
   *
   * @param path Folder for the learner's files.
   * @param files Paths of the images, as they are opened.
   * @throws {DataError} If there are no images, fewer than two classes in training, or a label that only occurs in validation.
   */
  static async fromLists(
    path: string,
    files: readonly string[],
    labels: readonly Label[],
    options: ImageDataLoadersOptions = {},
  ): Promise<ImageDataLoaders> {
    checkOptions("load images", options, LOADERS);
    const { bs = 64, valBs = bs, shuffle = true, prefetch = 2, cacheBytes = 256 << 20, residentBytes = 256 << 20 } =
      options;
    const { validPct = 0.2, seed, resident = "auto" } = options;
    if (files.length === 0) throw new DataError(`Cannot make loaders for ${path}: there are no images`);
    if (files.length !== labels.length) {
      throw new DataError(`Cannot label ${files.length} images: there are ${labels.length} labels`);
    }
    const splitter = options.splitter ?? RandomSplitter(validPct, seed === undefined ? {} : { seed });
    const [trainIdx, validIdx] = splitter(files);
    const vocab = options.vocab ?? vocabOf(trainIdx.map((i) => labels[i]));
    const part = (idx: readonly number[]): LabelledFiles => {
      const some = idx.map((i) => files[i]);
      return { files: some, codes: codesOf(idx.map((i) => labels[i]), vocab, some) };
    };
    const trainSet = part(trainIdx), validSet = part(validIdx);
    const itemTfms = [options.itemTfms ?? []].flat().sort(inOrder);
    const batchTfms = [options.batchTfms ?? []].flat().sort(inOrder);
    const store = new ImageStore(cacheBytes, { orient: options.orient ?? true });
    const columns = resident === false
      ? null
      : await residentColumns([trainSet, validSet], itemTfms, store, resident === true ? Infinity : residentBytes);
    if (resident === true && columns === null) {
      throw new ConfigError("Cannot keep images on the device: a transform of training images is random");
    }
    if (columns !== null) store.clear();
    const loader = (i: 0 | 1, more: { bs: number; shuffle: boolean; dropLast: boolean }): DataLoader => {
      const training = i === 0, { files, codes } = [trainSet, validSet][i];
      return new DataLoader({
        ...(columns === null
          ? { dataset: new ImageDataset({ files, codes, itemTfms, training, store }) }
          : { columns: columns[i] }),
        ...more,
        prefetch,
        random: training,
        batchTfm: (batch, rng) => applyBatchTfms(batch, batchTfms, training, rng),
        evalTfm: (batch, rng) => applyBatchTfms(batch, batchTfms, false, rng),
        fingerprint: () => ({
          classes: shortText(vocab.join(", ")),
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
    return new ImageDataLoaders({
      path,
      train,
      valid,
      trainSet,
      validSet,
      vocab,
      itemTfms,
      batchTfms,
      store,
      valBs,
    });
  }

  /** Loaders without images, whose {@link ImageDataLoaders.testDl} transforms images as stored. */
  static forItems({ vocab, itemTfms = [], batchTfms = [], path = ".", orient = true }: ItemsSetup): ImageDataLoaders {
    const none: LabelledFiles = { files: [], codes: new Int32Array(0) };
    const items = itemTfms.map(itemTransformFromJson).sort(inOrder);
    const batches = batchTfms.map(batchTransformFromJson).sort(inOrder);
    const store = new ImageStore(0, { orient });
    const loader = (training: boolean): DataLoader =>
      new DataLoader({ dataset: new ImageDataset({ ...none, itemTfms: items, training, store }), bs: 64, seed: 0 });
    return new ImageDataLoaders({
      path,
      train: loader(true),
      valid: loader(false),
      trainSet: none,
      validSet: none,
      vocab,
      itemTfms: items,
      batchTfms: batches,
      store,
      valBs: 64,
    });
  }

  /** A loader of other images, in order, transformed as in validation; without labels its batches have images only. */
  testDl(files: readonly string[], options: TestDlOptions & { labels: readonly Label[] }): DataLoader;
  /** The same, without labels. */
  testDl(files: readonly string[], options?: TestDlOptions): DataLoader<Batch>;
  testDl(files: readonly string[], options: TestDlOptions = {}): DataLoader<Batch> {
    checkOptions("load images", options, { bs: num, labels: other("labels", Array.isArray) });
    const { bs = this.#valBs, labels } = options;
    if (files.length === 0) throw new DataError("Cannot make a loader: there are no images");
    const codes = labels === undefined ? null : codesOf(labels, this.vocab, files);
    return new DataLoader<Batch>({
      dataset: new ImageDataset({ files, codes, itemTfms: this.itemTfms, training: false, store: this.#store }),
      bs,
      seed: 0,
      batchTfm: (batch, rng) => applyBatchTfms(batch, this.#batchTfms, false, rng),
    });
  }

  /** Transforms that make inputs of images; random changes, which are for training, are left out. */
  override inputsJson(): InputsJson {
    const stored = <T>(tfm: object, json: T | null): T => {
      if (json !== null) return json;
      throw new ConfigError(`Cannot export this learner: the transform ${tfm.constructor.name} cannot be stored`);
    };
    return {
      kind: "images",
      ...(this.#store.orient ? {} : { orient: false }),
      itemTfms: this.itemTfms.map((t) => stored(t, t.toJSON())),
      batchTfms: this.#batchTfms.filter((t) => !t.random).map((t) => stored(t, t.toJSON())),
    };
  }

  /** An image: a file's path, its `file:` URL or its bytes; or a tensor `[3, h, w]` as batches have it. */
  override async itemInputs(item: readonly unknown[]): Promise<readonly Tensor[]> {
    const [source] = item;
    const image = typeof source === "string" || source instanceof URL || source instanceof Uint8Array;
    if (item.length !== 1 || !image) return await super.itemInputs(item);
    const batch = imageTensor(this, await decodeImage(source, { orient: this.#store.orient }));
    return [batch.reshape(batch.shape.slice(1))];
  }

  /** See `DataLoaders.itemForm`. */
  protected override get itemForm(): string {
    return "the path, URL or bytes of an image, or a tensor [3, height, width]";
  }

  /** Images of a batch f32 `[n, 3, h, w]` as they were before `Normalize` and the like: in [0, 1]. */
  decodeImages(x: Tensor): Tensor {
    for (const tfm of this.#batchTfms.toReversed()) x = tfm.decode(x);
    return x;
  }

  /** The name of a class. */
  label(code: number): string {
    return String(this.vocab[code]);
  }

  /** A figure of images with their labels, of the first training batch. */
  showBatch(options: ShowBatchOptions = {}): Promise<Figure> {
    return showBatch(this, options);
  }
}

/** Transforms and their options. */
function tfmsText(tfms: readonly (ItemTransform | BatchTransform)[]): string {
  return tfms.map((t) => factsText(t.constructor.name, t.toJSON() ?? plainFields(t))).join(", ") || "none";
}

function inOrder(a: { readonly order: number }, b: { readonly order: number }): number {
  return a.order - b.order;
}

function applyBatchTfms(batch: Batch, tfms: readonly BatchTransform[], training: boolean, rng: Rng): Batch {
  let x = intToFloat(batch[0]);
  for (const tfm of tfms) x = tfm.apply(x, { training, rng });
  return [x, ...batch.slice(1)];
}
