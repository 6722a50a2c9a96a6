/**
 * Images as data: files, labels, splits, transforms, loaders.
 *
 * @module
 */
export { type AugOptions, AugTransforms, augTransforms } from "./aug_transforms.ts";
export { type BatchContext, BatchTransform, type BatchTransformJson, imagenetStats, Normalize } from "./batch_tfms.ts";
export { decodeImage, type DecodeOptions, imageSize, type ImageSource } from "./read_image.ts";
export { untarData, type UntarDataOptions, URLs } from "./external.ts";
export { type GetFilesOptions, getImageFiles, IMAGE_EXTENSIONS } from "./image_files.ts";
export { imageTensor } from "./image_tensor.ts";
export { ImageBlock, type ImageBlockOptions } from "./image_block.ts";
export { ImageDataLoaders, type LabelledFiles } from "./image_loaders.ts";
export type {
  FromFolderOptions,
  ImageDataLoadersOptions,
  ItemsSetup,
  TargetJson,
  TestDlOptions,
} from "./image_options.ts";
export { MaskBlock, type MaskBlockOptions, MaskTarget } from "./mask.ts";
export { PointBlock, type Points, PointsTarget } from "./points.ts";
export { SegmentationDataLoaders, type SegmentationOptions } from "./segmentation.ts";
export { type ImageHistory, isSpatial, type SpatialTarget, type Warp } from "./spatial.ts";
export {
  type ImageSize,
  type ItemContext,
  ItemTransform,
  type ItemTransformJson,
  RandomResizedCrop,
  type RandomResizedCropOptions,
  Resize,
  type ResizeOptions,
} from "./item_tfms.ts";
export type { Label } from "../../data/labels.ts";
export type { PadMode, PixelOp } from "./pixel_ops.ts";
export { type ShowBatchOptions } from "./show_batch.ts";
export {
  ColSplitter,
  type DataSplitter,
  FuncSplitter,
  GrandparentSplitter,
  type GrandparentSplitterOptions,
  IndexSplitter,
  RandomSplitter,
  type RandomSplitterOptions,
  TrainTestSplitter,
  type TrainTestSplitterOptions,
} from "../../data/splitters.ts";
export { showResults, type ShowResultsOptions } from "./show_results.ts";
export { type BrokenImage, verifyImages } from "./verify_images.ts";
