/**
 * Architectures, and what is built of them.
 *
 * @module
 */
export { type Arch, type ArchInfo, type ArchOptions, type ArchWeights, defineArch, type VisionModel } from "./arch.ts";
export { type BodyOptions, createBody, type Cut } from "./create_body.ts";
export { createHead, type HeadOptions } from "./head.ts";
export type { WeightsSource } from "./pretrained.ts";
export { resnet18, resnet34, resnet50 } from "./resnet.ts";
export { SimpleCnn, simpleCnn, type SimpleCnnOptions } from "./simple_cnn.ts";
export { xresnet18, xresnet34, xresnet50 } from "./xresnet.ts";
export { applyInit, createVisionModel, defaultSplit, splitterOf, type VisionModelOptions } from "./vision_model.ts";
export { createUnetModel, DynamicUnet, type UnetModelOptions, type UnetOptions } from "./unet.ts";
