/**
 * Learners for segmentation.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, flag, num, type OptionTable } from "../base/options.ts";
import { withoutUndefined } from "../base/without_undefined.ts";
import type { Batch, DataLoaders } from "../data/mod.ts";
import { checkData, learnerOptions, type TrainLoopOptions } from "../train/mod.ts";
import type { ImageDataLoaders } from "./data/mod.ts";
import { addStats, imagesOf, VisionLearner } from "./learner.ts";
import type { Arch } from "./models/arch.ts";
import { archOf, createUnetModel, type DynamicUnet, splitterOf, type UnetModelOptions } from "./models/mod.ts";
import { UNET_MODEL } from "./models/unet.ts";

/** Options of {@link unetLearner}: those of the learner, of the model, and these. The defaults are fastai's. */
export interface UnetLearnerOptions extends TrainLoopOptions<DynamicUnet>, UnetModelOptions {
  /** Outputs of a pixel; the number of the masks' classes by default. */
  readonly nOut?: number;
  /** Whether to scale images as the published weights expect them; true by default. Without those nothing is scaled. */
  readonly normalize?: boolean;
}

const unetLearnerOptions = (): OptionTable<UnetLearnerOptions> => ({
  ...learnerOptions<DynamicUnet>(),
  ...UNET_MODEL,
  nOut: num,
  normalize: flag,
});

/**
 * A learner that tells the class of each pixel: a U-Net over the body of an architecture, or of the one of that name, with
 * groups for discriminative learning rates. The data is that of `SegmentationDataLoaders` or a `DataBlock` with a `MaskBlock`. With published weights
 * (`pretrained`, the default) the body is frozen until `unfreeze` or `fineTune`, as in `visionLearner`.
 *
 * @example
 * ```ts ignore
 * const dls = await SegmentationDataLoaders.fromLabelFunc(path, files, maskOf, { codes: ["ground", "road"] });
 * const learn = await unetLearner(dls, resnet18, { metrics: [foregroundAcc] });
 * await learn.fineTune(8);
 * ```
 */
export async function unetLearner(
  dls: DataLoaders<Batch> | ImageDataLoaders,
  kind: Arch | string,
  options: UnetLearnerOptions = {},
): Promise<VisionLearner<DynamicUnet>> {
  checkOptions("make a U-Net learner", options, unetLearnerOptions());
  const arch = archOf(kind);
  const { nOut, normalize = true, pretrained = true, weights, cut, init, rng, nIn, ...rest } = options;
  const { blur, blurFinal, lastCross, yRange, ...learner } = rest;
  checkData(dls, "make a U-Net learner: data come first, as");
  const images = imagesOf(dls);
  const channels = nIn ?? images?.nIn ?? 3, outputs = nOut ?? images?.c;
  if (outputs === undefined) {
    throw new ConfigError(
      "Cannot make a U-Net learner: the data does not say how many classes pixels have, give { nOut }",
    );
  }
  if (nOut === undefined && images !== null && images.target.kind !== "mask") {
    throw new ConfigError(
      `Cannot make a U-Net learner: its data has masks, as of SegmentationDataLoaders, got ${images.target.kind}; ` +
        "for other outputs of a pixel give { nOut }",
    );
  }
  const batch = await dls.train.peek();
  if (batch === null) throw new DataError("Cannot make a U-Net learner: there is no training batch");
  const [, , height, width] = batch[0].shape;
  const net = { blur, blurFinal, lastCross, yRange, weights, cut, init, rng };
  const model = await createUnetModel(arch, outputs, [height, width], {
    ...withoutUndefined(net),
    nIn: channels,
    pretrained,
  });
  const published = pretrained || weights !== undefined;
  if (published && normalize) addStats(images, arch, channels);
  const learn = new VisionLearner<DynamicUnet>(dls as DataLoaders<Batch>, model, {
    ...learner,
    splitter: learner.splitter ?? splitterOf(arch),
  });
  if (published) learn.freeze();
  return learn;
}
