/**
 * Architectures, and what is built of them.
 *
 * @module
 */
export { type Arch, type ArchInfo, type ArchOptions, type ArchWeights, defineArch, type VisionModel } from "./arch.ts";
export { type BodyOptions, createBody, type Cut } from "./create_body.ts";
export { createHead, type HeadOptions } from "./head.ts";
export type { WeightsSource } from "./pretrained.ts";
export { resnet101, resnet152, resnet18, resnet34, resnet50 } from "./resnet.ts";
export { SimpleCnn, simpleCnn, type SimpleCnnOptions } from "./simple_cnn.ts";
export {
  xresnet101,
  xresnet152,
  xresnet18,
  xresnet34,
  xresnet50,
  xresnext101,
  xresnext18,
  xresnext34,
  xresnext50,
  xseResnet101,
  xseResnet152,
  xseResnet18,
  xseResnet34,
  xseResnet50,
  xseResnext101,
  xseResnext18,
  xseResnext34,
  xseResnext50,
} from "./xresnet.ts";
export { applyInit, createVisionModel, defaultSplit, splitterOf, type VisionModelOptions } from "./vision_model.ts";
export { createUnetModel, DynamicUnet, type UnetModelOptions, type UnetOptions } from "./unet.ts";
export { convnextBase, convnextLarge, convnextSmall, convnextTiny } from "./convnext.ts";
export {
  efficientnetB0,
  efficientnetB1,
  efficientnetB2,
  efficientnetB3,
  efficientnetB4,
  efficientnetB5,
  efficientnetB6,
  efficientnetB7,
} from "./efficientnet.ts";
export { mobilenetV3Large, mobilenetV3Small } from "./mobilenet.ts";
export { vgg11Bn, vgg13Bn, vgg16Bn, vgg19Bn } from "./vgg.ts";
export { archOf } from "./named.ts";
