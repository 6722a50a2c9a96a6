/**
 * Bodies: architectures without their last layers.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { checkOptions, either, flag, func, instanceOf, num, type OptionTable, text } from "../../base/options.ts";
import { sizeOf } from "../../base/shape.ts";
import { type AnyModule, Module, Sequential, type WeightInit } from "../../nn/mod.ts";
import { evaluating } from "../../nn/modes.ts";
import { aGenerator, noGrad, type Rng, type Tensor, zeros } from "../../tensor/mod.ts";
import type { Arch, VisionModel } from "./arch.ts";
import { archOf } from "./named.ts";
import type { WeightsSource } from "./pretrained.ts";

/** How many children of a model are its body, or a function that takes the body out. */
export type Cut = number | ((model: VisionModel) => VisionModel);

/** Options of {@link createBody}. */
export interface BodyOptions {
  /** Channels of the images; 3 by default. */
  readonly nIn?: number;
  /** Whether to start from the architecture's published weights; true by default. */
  readonly pretrained?: boolean;
  /** A safetensors file to start from, instead of the published weights. */
  readonly weights?: WeightsSource;
  /** What the body is, instead of what the architecture says. */
  readonly cut?: Cut;
  /** Draws the weights of convolutions, instead of the architecture's own way. */
  readonly init?: WeightInit;
  /** Where the first weights come from; the default generator. */
  readonly rng?: Rng;
}

/** Weights that are about to be replaced. */
const UNDRAWN: WeightInit = (shape) => new Float32Array(sizeOf(shape));

/** What the options of {@link createBody} may be. */
export const BODY: OptionTable<BodyOptions> = {
  nIn: num,
  pretrained: flag,
  weights: either(text, instanceOf(URL, "a URL")),
  cut: either(num, func<Exclude<Cut, number>>()),
  init: func(),
  rng: aGenerator,
};

/**
 * The part of an architecture that makes features of images, `[n, nIn, h, w]` to `[n, nf, h', w']`. Published weights are
 * for three channels; for others the first convolution is adapted as fastai does it.
 *
 * @throws {ConfigError} If the architecture has no weights although `pretrained` asks for some, or there is nothing to cut.
 */
export async function createBody(kind: Arch | string, options: BodyOptions = {}): Promise<VisionModel> {
  checkOptions("make a body", options, BODY);
  const arch = archOf(kind);
  const { nIn = 3, pretrained = true, weights, cut = arch.cut ?? undefined, init, rng } = options;
  const drawn = { ...(init === undefined ? {} : { init }), ...(rng === undefined ? {} : { rng }) };
  if (!pretrained && weights === undefined) return cutBody(arch({ nIn, ...drawn }), cut);
  const model = arch({ nIn, ...drawn, init: UNDRAWN });
  const { loadWeights } = await import("./pretrained.ts"); // what starts from random weights does without
  await loadWeights(arch, model, nIn, weights);
  return cutBody(model, cut);
}

/** The first layers of `model`, by default those before its last child with a pool. */
export function cutBody(model: VisionModel, cut?: Cut): VisionModel {
  if (typeof cut === "function") return cut(model);
  const children = model.children();
  const end = cut === undefined ? children.findLastIndex(hasPool) : cut < 0 ? children.length + cut : cut;
  if (!Number.isInteger(end) || end < 1 || end > children.length) {
    const why = cut === undefined
      ? "it has no pool to cut before, give one as { cut }"
      : `it has ${children.length} children, got the cut ${cut}`;
    throw new ConfigError(`Cannot take the body of ${model.constructor.name}: ${why}`);
  }
  return new Sequential(...children.slice(0, end).filter(isLayer));
}

/** A module that maps one tensor to one tensor, as children of a model that is a chain do. */
function isLayer(module: AnyModule): module is Module {
  return module instanceof Module;
}

function hasPool(module: AnyModule): boolean {
  return module.modules().some((m) => /Pool[12]d$/.test(m.constructor.name));
}

/** The layers of a body: those of its only child where that is a chain, as the `features` of torchvision's nets are. */
export function layersOf(body: Sequential): readonly Module[] {
  const [first, ...rest] = body;
  return rest.length === 0 && first instanceof Sequential ? [...first] : [...body];
}

/** Channels of what `body` makes of images with `nIn` channels. Nothing is computed. */
export function numFeatures(body: VisionModel, nIn: number): number {
  const modes = evaluating(body);
  try {
    const { shape } = noGrad((): Tensor => body.forward(zeros([1, nIn, 64, 64])));
    if (shape.length < 2) throw new ConfigError(`Cannot put a head on a body that gives [${shape.join(", ")}]`);
    return shape[1];
  } finally {
    modes();
  }
}
