/**
 * Architectures by name.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import type { Arch } from "./arch.ts";
import { convnextBase, convnextLarge, convnextSmall, convnextTiny } from "./convnext.ts";
import {
  efficientnetB0,
  efficientnetB1,
  efficientnetB2,
  efficientnetB3,
  efficientnetB4,
  efficientnetB5,
  efficientnetB6,
  efficientnetB7,
} from "./efficientnet.ts";
import { mobilenetV3Large, mobilenetV3Small } from "./mobilenet.ts";
import { resnet101, resnet152, resnet18, resnet34, resnet50 } from "./resnet.ts";
import { simpleCnn } from "./simple_cnn.ts";
import { vgg11Bn, vgg13Bn, vgg16Bn, vgg19Bn } from "./vgg.ts";
import {
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

/** The library's architectures. */
export const ARCHS: readonly Arch[] = [
  convnextBase,
  convnextLarge,
  convnextSmall,
  convnextTiny,
  efficientnetB0,
  efficientnetB1,
  efficientnetB2,
  efficientnetB3,
  efficientnetB4,
  efficientnetB5,
  efficientnetB6,
  efficientnetB7,
  mobilenetV3Large,
  mobilenetV3Small,
  resnet18,
  resnet34,
  resnet50,
  resnet101,
  resnet152,
  simpleCnn,
  vgg11Bn,
  vgg13Bn,
  vgg16Bn,
  vgg19Bn,
  xresnet18,
  xresnet34,
  xresnet50,
  xresnet101,
  xresnet152,
  xresnext18,
  xresnext34,
  xresnext50,
  xresnext101,
  xseResnet18,
  xseResnet34,
  xseResnet50,
  xseResnet101,
  xseResnet152,
  xseResnext18,
  xseResnext34,
  xseResnext50,
  xseResnext101,
];

/** `convnextTiny`, `convnext_tiny` and `ConvNeXt-Tiny` are one. */
const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");

const BY_NAME: ReadonlyMap<string, Arch> = new Map(ARCHS.map((arch) => [plain(arch.name), arch]));

/** The architecture itself, or the library's of that name; torchvision's and fastai's spellings are taken, too. */
export function archOf(arch: Arch | string): Arch {
  if (typeof arch === "function") return arch;
  const found = typeof arch === "string" ? BY_NAME.get(plain(arch)) : undefined;
  if (found !== undefined) return found;
  const names = ARCHS.map(({ name }) => name).join(", ");
  throw new ConfigError(
    `Cannot use ${typeof arch === "string" ? JSON.stringify(arch) : String(arch)} as architecture: ` +
      `it is a function, such as resnet18 or one of defineArch, or one of the names ${names}`,
  );
}
