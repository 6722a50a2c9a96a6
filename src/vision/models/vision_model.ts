/**
 * A body and a head together.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { checkOptions, objectWith, type OptionTable } from "../../base/options.ts";
import { type AnyModule, kaimingNormal, type Module, Norm, Sequential, type WeightInit } from "../../nn/mod.ts";
import { defaultRng, Parameter, type Rng, tensor } from "../../tensor/mod.ts";
import type { Model, ParamGroups, Splitter } from "../../train/mod.ts";
import type { Arch } from "./arch.ts";
import { BODY, type BodyOptions, createBody, layersOf, numFeatures } from "./create_body.ts";
import { createHead, HEAD, type HeadOptions } from "./head.ts";
import { archOf } from "./named.ts";
import { DynamicUnet } from "./unet.ts";

/** Options of {@link createVisionModel}. */
export interface VisionModelOptions extends Omit<BodyOptions, "init">, HeadOptions {
  /** What takes the place of the head that {@link createHead} would make. */
  readonly customHead?: Module;
}

/** What the options of {@link createVisionModel} may be. */
export const VISION_MODEL: OptionTable<VisionModelOptions> = {
  ...BODY,
  ...HEAD,
  customHead: objectWith("a module", "forward"),
};

/**
 * A body of `arch` and a head of `nOut` outputs, named "0" and "1". The head's linear layers and convolutions are drawn by
 * `init`, the body is left as the architecture draws it.
 */
export async function createVisionModel(
  kind: Arch | string,
  nOut: number,
  options: VisionModelOptions = {},
): Promise<Sequential> {
  checkOptions("make a vision model", options, VISION_MODEL);
  const arch = archOf(kind);
  const { customHead, nIn = 3, init = kaimingNormal(), pretrained, weights, cut, rng, ...head } = options;
  if (!Number.isInteger(nOut) || nOut < 1) {
    throw new ConfigError(`Cannot make a model of ${arch.name}: nOut is a whole number from 1, got ${nOut}`);
  }
  const drawn = rng === undefined ? {} : { rng };
  const body = await createBody(arch, {
    nIn,
    ...drawn,
    ...(pretrained === undefined ? {} : { pretrained }),
    ...(weights === undefined ? {} : { weights }),
    ...(cut === undefined ? {} : { cut }),
  });
  if (customHead !== undefined) {
    applyInit(customHead, init, rng);
    return new Sequential(body, customHead);
  }
  return new Sequential(body, createHead(numFeatures(body, nIn), nOut, { ...head, ...drawn, init }));
}

/** Draws all weights of two axes or more by `init` and sets biases to 0, but for those of normalizations. */
export function applyInit(module: Module, init: WeightInit, rng: Rng = defaultRng()): void {
  for (const m of module.modules()) {
    if (m instanceof Norm) continue;
    for (const [name, value] of Object.entries(m)) {
      if (!(value instanceof Parameter) || !value.requiresGrad) continue;
      const { shape } = value;
      if (name === "weight" && shape.length > 1) value.assign(tensor(init(shape, rng), { shape }));
      else if (name === "bias") value.assign(tensor(new Float32Array(value.size), { shape }));
    }
  }
}

/** Parameters of modules, each once. */
function paramsOf(modules: Iterable<AnyModule>): Parameter[] {
  return [...new Set([...modules].flatMap((m) => m.parameters()))];
}

function partsOf(model: Model): readonly [body: Module, head: readonly AnyModule[]] {
  if (model instanceof Sequential && model.length === 2) return [model.at(0), [model.at(1)]];
  if (model instanceof DynamicUnet) return [model.encoder, model.decoder];
  throw new ConfigError(
    `Cannot split ${model.constructor.name}: it must be a Sequential of body and head or a U-Net, pass a splitter of your own`,
  );
}

/** Two groups: the body and the head. */
export function defaultSplit(model: Model): ParamGroups {
  const [body, head] = partsOf(model);
  return [paramsOf([body]), paramsOf(head)];
}

/** The groups that `arch` asks for: the body in two parts, or as one, and the head. */
export function splitterOf(arch: Arch | string): Splitter {
  const at = archOf(arch).splitAt;
  if (at === null) return defaultSplit;
  return (model) => {
    const [body, head] = partsOf(model);
    if (!(body instanceof Sequential)) return defaultSplit(model);
    const layers = layersOf(body);
    return [paramsOf(layers.slice(0, at)), paramsOf(layers.slice(at)), paramsOf(head)];
  };
}
