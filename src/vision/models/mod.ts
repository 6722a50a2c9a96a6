/**
 * Architectures, and what is built of them.
 *
 * @module
 */
export { type Arch, type ArchInfo, type ArchOptions, type ArchWeights, defineArch, type VisionModel } from "./arch.ts";
export { resnet18, resnet34, resnet50 } from "./resnet.ts";
export { SimpleCnn, simpleCnn, type SimpleCnnOptions } from "./simple_cnn.ts";
export { xresnet18, xresnet34, xresnet50 } from "./xresnet.ts";
