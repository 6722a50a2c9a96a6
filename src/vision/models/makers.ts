/**
 * Parts of architectures out of plain data.
 *
 * @module
 */
import { CheckpointError } from "../../base/errors.ts";
import { isDict } from "../../io/state_dict.ts";
import { Conv2d, Sequential } from "../../nn/mod.ts";
import type { LayerMaker, LayerParts } from "../../fit/layer_makers.ts";
import { CNBlock } from "./convnext.ts";
import { FeatureClassifier } from "./feature_classifier.ts";
import { InvertedResidual } from "./inverted_residual.ts";
import { BasicBlock, Bottleneck, ResNet } from "./resnet.ts";
import { DynamicUnet } from "./unet.ts";
import { ResBlock, type ResBlockKind } from "./xresnet.ts";

/** Sizes of a block, and its weights: `expansion` is how many times wider it is outside. */
function block({ json, weights }: LayerParts, cin: number, expansion: number) {
  const width = json.count("width"), stride = json.count("stride");
  weights(expansion === 1 ? 9 * (cin * width + width * width) : cin * width + 13 * width * width);
  return { width, stride };
}

/** How a block differs from a plain one; its weights were refused where there are too many. */
function resBlockKind({ json, weights }: LayerParts): ResBlockKind {
  const groups = json.has("groups") ? json.count("groups") : 1,
    reduction = json.has("reduction") ? json.count("reduction") : 0;
  if (!json.has("inside")) return { groups, reduction };
  const [first, middle] = json.numbers("inside"), width = json.count("width");
  if (!(first >= 1 && middle >= 1)) throw new CheckpointError("Cannot restore a block: inside it is at least as wide");
  weights(first * middle * width * width * 9 / groups);
  return { groups, reduction, inside: [first, middle] };
}

/** A chain of layers inside. */
function chain({ json, layer }: LayerParts, name: string): Sequential {
  const inner = json.value(name), made = isDict(inner) ? layer(inner) : null;
  if (made instanceof Sequential) return made;
  throw new CheckpointError(`Cannot restore a net: its ${name} is no chain of layers`);
}

function oneOf<T>(value: unknown, values: readonly T[], what: string): T {
  const found = values.find((v) => v === value);
  if (found !== undefined) return found;
  throw new CheckpointError(`Cannot restore ${what}: it is one of ${values.join(", ")}`);
}

/** The layers of the library's architectures. */
export const VISION_MAKERS: ReadonlyMap<string, LayerMaker> = new Map(Object.entries<LayerMaker>({
  BasicBlock: (parts) => {
    const cin = parts.json.count("cin"), { width, stride } = block(parts, cin, 1);
    return new BasicBlock(cin, width, stride, parts.drawn);
  },
  Bottleneck: (parts) => {
    const cin = parts.json.count("cin"), { width, stride } = block(parts, cin, 4);
    return new Bottleneck(cin, width, stride, parts.drawn);
  },
  ResBlock: (parts) => {
    const expansion = oneOf(parts.json.value("expansion"), [1, 4] as const, "an expansion");
    const from = parts.json.count("from"), { width, stride } = block(parts, from * expansion, expansion);
    return new ResBlock(expansion, from, width, stride, parts.drawn, resBlockKind(parts));
  },
  CNBlock: ({ json, drawn, weights }) => {
    const dim = json.count("dim");
    weights(8 * dim * dim + 49 * dim);
    return new CNBlock(dim, json.number("drop"), drawn);
  },
  InvertedResidual: (parts) => {
    const { json, drawn } = parts;
    return new InvertedResidual(chain(parts, "block"), json.boolean("residual"), json.number("drop"), drawn);
  },
  FeatureClassifier: (parts) => {
    const { json } = parts, features = chain(parts, "features"), classifier = chain(parts, "classifier");
    return new FeatureClassifier(features, json.count("pool"), classifier, json.boolean("flat"));
  },
  DynamicUnet: (parts) => {
    const { json, drawn, weights } = parts;
    const encoder = chain(parts, "encoder"), [height, width] = json.numbers("size");
    if (!(height >= 1 && width >= 1 && height <= 1 << 14 && width <= 1 << 14)) {
      throw new CheckpointError("Cannot restore a U-Net: its size is [height, width]");
    }
    // the way up is at least as large as the first product in it
    const convs = encoder.modules().filter((m) => m instanceof Conv2d), deepest = convs.at(-1)?.weight.shape[0] ?? 1;
    weights(2 * 9 * 2 * deepest * deepest);
    const yRange = json.has("yRange") ? json.numbers("yRange") : null;
    return new DynamicUnet(encoder, json.count("nOut"), { width, height }, {
      nIn: json.count("nIn"),
      blur: json.boolean("blur"),
      blurFinal: json.boolean("blurFinal"),
      lastCross: json.boolean("lastCross"),
      ...(yRange === null ? {} : { yRange: [yRange[0], yRange[1]] }),
      rng: drawn.rng,
    });
  },
  ResNet: ({ json, drawn, weights }) => {
    const kind = oneOf(json.value("block"), ["basic", "bottleneck"] as const, "a block");
    const [a, b, c, d] = [0, 1, 2, 3].map((i) => json.numbers("depths")[i] ?? 0);
    const nOut = json.count("nOut"), nIn = json.count("nIn");
    weights(64 * 49 * nIn + 512 * nOut + (a + 4 * b + 16 * c + 64 * d) * 64 * 64);
    return new ResNet(kind, [a, b, c, d], { nOut, nIn, ...drawn });
  },
}));
