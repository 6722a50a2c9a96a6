/**
 * Loaders of images with classes.
 *
 * @module
 */
import { basename, dirname } from "../../base/path.ts";
import { ConfigError, DataError } from "../../base/errors.ts";
import { checkOptions, checkPath, num, other, text } from "../../base/options.ts";
import { RegexLabeller } from "../../block/labellers.ts";
import { CategoryBlock, type Target, type TargetBlock } from "../../block/target.ts";
import type { Label } from "../../data/labels.ts";
import { type Batch, DataLoader, DataLoaders, type InputsJson } from "../../data/mod.ts";
import { drawnFromBoth, folderLabels, withWayToSplit } from "../../data/class_folders.ts";
import { GrandparentSplitter } from "../../data/splitters.ts";
import type { Figure } from "../../plot/mod.ts";
import type { Tensor } from "../../tensor/mod.ts";
import { complain } from "../../train/output.ts";
import { applyBatchTfms } from "./apply_batch.ts";
import type { BatchTransform } from "./batch_tfms.ts";
import { decodeImage } from "./read_image.ts";
import { ImageDataset, labelled, mixed } from "./image_dataset.ts";
import { getImageFiles } from "./image_files.ts";
import {
  type FromFolderOptions,
  type ImageDataLoadersOptions,
  type ItemsSetup,
  LOADERS,
  type TestDlOptions,
} from "./image_options.ts";
import type { ImageParts, LabelledFiles } from "./image_parts.ts";
import { ImageStore } from "./image_store.ts";
import { imageTensor } from "./image_tensor.ts";
import { inOrder, type ItemTransform, itemTransformFromJson } from "./item_tfms.ts";
import type { ShowBatchOptions } from "./show_batch.ts";
import { targetOf } from "./stored_target.ts";
import { batchTransformFromJson } from "./tfm_json.ts";

export type { LabelledFiles };

/**
 * Loaders of images with labels: batches of images f32 `[n, 3, h, w]` and classes i32 `[n]`, or what else a `DataBlock` or
 * {@link SegmentationDataLoaders} pair them with.
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
  /** What images are paired with. */
  readonly target: Target;
  /** Images to train on. */
  readonly trainSet: LabelledFiles;
  /** Images to validate on. */
  readonly validSet: LabelledFiles;
  /** Transforms of single images, in their order. */
  readonly itemTfms: readonly ItemTransform[];
  readonly #batchTfms: BatchTransform[];
  readonly #store: ImageStore;
  readonly #valBs: number;

  private constructor(parts: ImageParts) {
    const { train, valid, path, notes = [] } = parts;
    super(train, valid, { nInp: 1, path, lossFunc: parts.target.lossFunc(), notes });
    this.target = parts.target;
    this.trainSet = parts.trainSet;
    this.validSet = parts.validSet;
    this.itemTfms = parts.itemTfms;
    this.#batchTfms = parts.batchTfms;
    this.#store = parts.store;
    this.#valBs = parts.valBs;
  }

  /** The classes; the number of a class is its place here. Empty where labels are no classes. */
  get vocab(): readonly Label[] {
    return this.target.vocab;
  }

  /** Outputs of a model: the number of classes, or of numbers an image. */
  get c(): number {
    return this.target.c;
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
    return ImageDataLoaders.fromPathFunc(path, files, RegexLabeller(pattern), options);
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
    checkPath("load a folder", path);
    const { train = "train", valid = "valid", ...others } = options;
    const mixed = options.validPct !== undefined || options.splitter !== undefined;
    if (mixed) {
      const all = await getImageFiles(path), both = drawnFromBoth(path, all, train, valid);
      if (both !== null && options.splitter === undefined) complain(both);
      return await ImageDataLoaders.fromLists(path, all, folderLabels(path, all), others);
    }
    const found = await getImageFiles(path, { folders: [train, valid] }).catch((error) => {
      throw withWayToSplit(error);
    });
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
    const { vocab } = options;
    return await ImageDataLoaders.fromBlock(
      path,
      files,
      labels,
      CategoryBlock(vocab === undefined ? {} : { vocab }),
      options,
    );
  }

  /**
   * Loaders of images with labels of any kind; `DataBlock` makes them, too.
   *
   * @param block What labels are: `CategoryBlock()`, `MaskBlock({ codes })` and so on.
   * @throws {DataError} If there are no images, or a label is none of its kind.
   */
  static async fromBlock<Y>(
    path: string,
    files: readonly string[],
    labels: readonly Y[],
    block: TargetBlock<Y>,
    options: ImageDataLoadersOptions = {},
  ): Promise<ImageDataLoaders> {
    checkOptions("load images", options, LOADERS);
    checkPath("load images", path);
    const { imageParts } = await import("./later.ts");
    return new ImageDataLoaders(await imageParts(path, files, labels, block, options));
  }

  /** Loaders without images, whose {@link ImageDataLoaders.testDl} transforms images as stored. */
  static forItems(setup: ItemsSetup): ImageDataLoaders {
    const { vocab, itemTfms = [], batchTfms = [], path = ".", orient = true } = setup;
    const target = targetOf(vocab, setup.target);
    const none: LabelledFiles = { files: [], labels: [], codes: new Int32Array(0) };
    const items = itemTfms.map(itemTransformFromJson).sort(inOrder);
    const batches = batchTfms.map(batchTransformFromJson).sort(inOrder);
    const store = new ImageStore(0, { orient });
    const loader = (training: boolean): DataLoader => {
      const dataset = new ImageDataset({ ...labelled([], [], target), target, itemTfms: items, training, store });
      return new DataLoader({ dataset, bs: 64, seed: 0 });
    };
    return new ImageDataLoaders({
      path,
      train: loader(true),
      valid: loader(false),
      trainSet: none,
      validSet: none,
      target,
      itemTfms: items,
      batchTfms: batches,
      store,
      valBs: 64,
    });
  }

  /** The paths of these validation images. */
  override validItems(at: readonly number[]): Promise<readonly unknown[]> {
    return Promise.resolve(at.map((i) => this.validSet.files[i]));
  }

  /** A loader of other images, in order, transformed as in validation; without labels its batches have images only. */
  testDl(files: readonly string[], options: TestDlOptions & { labels: readonly unknown[] }): DataLoader;
  /** The same, without labels. */
  testDl(files: readonly string[], options?: TestDlOptions): DataLoader<Batch>;
  testDl(files: readonly string[], options: TestDlOptions = {}): DataLoader<Batch> {
    checkOptions("load images", options, { bs: num, labels: other("labels", Array.isArray), augment: num });
    const { bs = this.#valBs, labels, augment } = options, training = augment !== undefined;
    if (files.length === 0) throw new DataError("Cannot make a loader: there are no images");
    if (labels !== undefined && labels.length !== files.length) {
      throw new DataError(`Cannot label ${files.length} images: there are ${labels.length} labels`);
    }
    const { target, itemTfms } = this, set = labelled(files, labels ?? null, target);
    return new DataLoader<Batch>({
      dataset: new ImageDataset({
        ...set,
        target,
        itemTfms,
        training,
        store: this.#store,
        ...(augment === undefined ? {} : { augment }),
      }),
      bs,
      seed: 0,
      random: training,
      batchTfm: (batch, rng) =>
        applyBatchTfms(batch, this.#batchTfms, target, training, augment === undefined ? rng : mixed(rng, augment)),
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
      ...(this.target.kind === "category" ? {} : { target: { kind: this.target.kind, c: this.c } }),
      itemTfms: this.itemTfms.map((t) => stored(t, t.toJSON())),
      batchTfms: this.#batchTfms.filter((t) => t.evaluated).map((t) => stored(t, t.toJSON())),
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
  async showBatch(options: ShowBatchOptions = {}): Promise<Figure> {
    const { showBatch } = await import("./later.ts"); // code that training does without
    return await showBatch(this, options);
  }
}
