/**
 * Architectures by name.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { lazy } from "../../base/lazy.ts";
import type { Arch } from "./arch.ts";
import * as convnext from "./convnext.ts";
import * as efficientnet from "./efficientnet.ts";
import * as mobilenet from "./mobilenet.ts";
import * as resnet from "./resnet.ts";
import * as simpleCnn from "./simple_cnn.ts";
import * as vgg from "./vgg.ts";
import * as xresnet from "./xresnet.ts";

const isArch = (value: unknown): value is Arch => typeof value === "function" && "splitAt" in value;

/** `convnextTiny`, `convnext_tiny` and `ConvNeXt-Tiny` are one. */
const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");

/** The library's architectures, all that these modules export, by their plain names. */
export const archs: () => ReadonlyMap<string, Arch> = lazy(() => {
  const modules: readonly object[] = [convnext, efficientnet, mobilenet, resnet, simpleCnn, vgg, xresnet];
  const all = modules.flatMap((made) => Object.values(made).filter(isArch));
  return new Map(all.map((arch) => [plain(arch.name), arch]));
});

/** The architecture itself, or the library's of that name; torchvision's and fastai's spellings are taken, too. */
export function archOf(arch: Arch | string): Arch {
  if (typeof arch === "function") return arch;
  const found = typeof arch === "string" ? archs().get(plain(arch)) : undefined;
  if (found !== undefined) return found;
  const names = [...archs().values()].map(({ name }) => name).sort(new Intl.Collator("en", { numeric: true }).compare);
  throw new ConfigError(
    `Cannot use ${typeof arch === "string" ? JSON.stringify(arch) : String(arch)} as architecture: ` +
      `it is a function, such as resnet18 or one of defineArch, or one of the names ${names.join(", ")}`,
  );
}
