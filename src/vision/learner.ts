/**
 * Learners for images: a body of a known architecture, a new head, and what fits them.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, flag, num, type OptionTable } from "../base/options.ts";
import { withoutUndefined } from "../base/without_undefined.ts";
import type { Batch, DataLoaders } from "../data/mod.ts";
import type { Prediction } from "../fit/mod.ts";
import { Learner } from "../learner/mod.ts";
import type { Sequential } from "../nn/mod.ts";
import type { Figure } from "../plot/mod.ts";
import { Tensor } from "../tensor/mod.ts";
import { checkData, learnerOptions, type Model, type TrainLoopOptions } from "../train/mod.ts";
import {
  ImageDataLoaders,
  type ImageSource,
  type Label,
  Normalize,
  showResults,
  type ShowResultsOptions,
} from "./data/mod.ts";
import type { Arch } from "./models/arch.ts";
import { archOf } from "./models/named.ts";
import { tta, type TtaOptions, type TtaPreds } from "./tta.ts";
import { createVisionModel, splitterOf, VISION_MODEL, type VisionModelOptions } from "./models/vision_model.ts";

/** Options of {@link visionLearner}: those of the learner, of the model, and these. The defaults are fastai's. */
export interface VisionLearnerOptions extends TrainLoopOptions<Sequential>, VisionModelOptions {
  /** Number of outputs; the number of the data's classes by default. */
  readonly nOut?: number;
  /** Whether to scale images as the published weights expect them; true by default. Without those nothing is scaled. */
  readonly normalize?: boolean;
}

const visionLearnerOptions = (): OptionTable<VisionLearnerOptions> => ({
  ...learnerOptions<Sequential>(),
  ...VISION_MODEL,
  nOut: num,
  normalize: flag,
});

/** What a {@link VisionLearner} makes of one image. */
export interface ImagePrediction extends Prediction {
  /** The class; null where the data has none, or an image has any number of them. */
  readonly label: Label | null;
}

/** A learner whose items are images. {@link visionLearner} and `unetLearner` make it. */
export class VisionLearner<M extends Model = Sequential> extends Learner<M> {
  /** The loaders of images with classes; a {@link ConfigError} where the data is something else. */
  get imageDls(): ImageDataLoaders {
    const dls: unknown = this.dls;
    if (dls instanceof ImageDataLoaders) return dls;
    throw new ConfigError("Cannot read an image: this learner's data are no ImageDataLoaders, give it as a tensor");
  }

  /**
   * What the model makes of one image: a file's path or `file:` URL, its bytes, or a tensor `[nIn, h, w]` as batches have
   * it. Files go through the transforms of validation.
   *
   * @example
   * ```ts ignore
   * const { label, pred } = await learn.predict("cat.jpg");
   * ```
   */
  override async predict(item: ImageSource | Tensor): Promise<ImagePrediction> {
    if (!(item instanceof Tensor)) void this.imageDls;
    return await super.predict(item);
  }

  /** Larger or smaller images are scaled as those before were, where they are not scaled at all. */
  protected override dataChanges(before: DataLoaders<Batch>, next: DataLoaders<Batch>): void {
    const [old, now] = [imagesOf(before), imagesOf(next)];
    const scale = old?.batchTfms.find((t) => t instanceof Normalize);
    if (scale === undefined || now === null || now.batchTfms.some((t) => t instanceof Normalize)) return;
    now.addBatchTfms(scale);
  }

  /** See {@link tta}. */
  tta(options: TtaOptions = {}): Promise<TtaPreds> {
    return tta(this, options);
  }

  /** See {@link showResults}. */
  showResults(options: ShowResultsOptions = {}): Promise<Figure> {
    return showResults(this, options);
  }
}

/**
 * A learner for images: the architecture, or the one of that name, without its last layers, a new head with as many outputs
 * as there are classes, and groups for discriminative learning rates. With published weights (`pretrained`, the default)
 * images are normalized as those expect, and only the head and the body's normalizations train until `unfreeze` or `fineTune`.
 *
 * @example
 * ```ts ignore
 * const learn = await visionLearner(dls, resnet18, { metrics: [errorRate] });
 * await learn.fineTune(1);
 * ```
 */
export async function visionLearner(
  dls: DataLoaders<Batch> | ImageDataLoaders,
  kind: Arch | string,
  options: VisionLearnerOptions = {},
): Promise<VisionLearner> {
  checkOptions("make a vision learner", options, visionLearnerOptions());
  const arch = archOf(kind);
  const { nOut, normalize = true, pretrained = true, weights, cut, customHead, init, rng, ...rest } = options;
  const { linFtrs, ps, pool, concatPool, firstBn, bnFinal, linFirst, yRange, nIn, ...learner } = rest;
  checkData(dls, "make a vision learner: data come first, as");
  const images = imagesOf(dls);
  const channels = nIn ?? images?.nIn ?? 3;
  const outputs = nOut ?? images?.c;
  if (outputs === undefined) {
    throw new ConfigError(
      "Cannot make a vision learner: the data does not say how many classes there are, give { nOut }",
    );
  }
  if (outputs < 1) throw new DataError("Cannot make a vision learner: the data has no classes");
  const head = withoutUndefined({ linFtrs, ps, pool, concatPool, firstBn, bnFinal, linFirst, yRange });
  const model = await createVisionModel(arch, outputs, {
    ...head,
    ...withoutUndefined({ weights, cut, customHead, init, rng }),
    nIn: channels,
    pretrained,
  });
  const published = pretrained || weights !== undefined;
  if (published && normalize) addStats(images, arch, channels);
  const learn = new VisionLearner(dls as DataLoaders<Batch>, model, {
    ...learner,
    splitter: learner.splitter ?? splitterOf(arch),
  });
  if (published) learn.freeze();
  return learn;
}

/** Scales images as the weights of `arch` expect them, where nothing does so yet. */
export function addStats(images: ImageDataLoaders | null, arch: Arch, channels: number): void {
  if (images === null || arch.stats === null || arch.stats[0].length !== channels) return;
  if (!images.batchTfms.some((t) => t instanceof Normalize)) images.addBatchTfms(Normalize.fromStats(...arch.stats));
}

/** Loaders of images; null for others. */
export function imagesOf(dls: unknown): ImageDataLoaders | null {
  return dls instanceof ImageDataLoaders ? dls : null;
}
