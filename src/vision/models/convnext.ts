/**
 * ConvNeXt: convolutional nets made like transformers, with torchvision's names and first weights.
 *
 * @see Liu et al. 2022, arXiv:2201.03545
 * @module
 */
import type { LayerJson } from "../../base/json.ts";
import { checkOptions } from "../../base/options.ts";
import {
  Flatten,
  GELU,
  LayerNorm,
  LayerNorm2d,
  Module,
  Parameter,
  Permute,
  Sequential,
  StochasticDepth,
} from "../../nn/mod.ts";
import { full, type Tensor } from "../../tensor/mod.ts";
import { imagenetStats } from "../data/mod.ts";
import { ARCH, type Arch, type ArchOptions, defineArch } from "./arch.ts";
import {
  convOf,
  type Drawn,
  drawnBy,
  FeatureClassifier,
  linearOf,
  normalInit,
  torchvision,
} from "./feature_classifier.ts";

const EPS = 1e-6;

/** A 7 x 7 convolution of each channel by itself, two linear layers of each pixel, and the input added. */
export class CNBlock extends Module {
  /** `[dim, 1, 1]`: how much of the branch counts, almost nothing at the start. */
  readonly layerScale: Parameter;
  readonly block: Sequential;
  readonly stochasticDepth: StochasticDepth;

  /**
   * Draws the first weights.
   *
   * @param dim Channels.
   * @param drop Probability that an item leaves the branch out in training.
   */
  constructor(readonly dim: number, readonly drop: number, drawn: Drawn) {
    super();
    this.layerScale = this.named("layer_scale", new Parameter(full([dim, 1, 1], 1e-6)));
    this.block = new Sequential(
      convOf(dim, dim, 7, { padding: 3, groups: dim }, drawn),
      new Permute([0, 2, 3, 1]),
      new LayerNorm(dim, { eps: EPS }),
      linearOf(dim, 4 * dim, drawn),
      new GELU(),
      linearOf(4 * dim, dim, drawn),
      new Permute([0, 3, 1, 2]),
    );
    this.stochasticDepth = new StochasticDepth(drop, "row", drawn.rng === undefined ? {} : { rng: drawn.rng });
  }

  /** `[n, dim, h, w]` of the same shape. */
  override forward(x: Tensor): Tensor {
    return this.stochasticDepth.forward(this.block.forward(x).mul(this.layerScale)).add(x);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "CNBlock", dim: this.dim, drop: this.drop };
  }
}

/** Channels and blocks of each stage, and the probability that an item leaves the last block out in training. */
export interface ConvNeXtSizes {
  readonly dims: readonly number[];
  readonly depths: readonly number[];
  readonly drop: number;
}

/** The net of these sizes; `name` is for errors. */
export function makeConvNeXt(
  name: string,
  { dims, depths, drop }: ConvNeXtSizes,
  options: ArchOptions,
): FeatureClassifier {
  const { nOut = 1000, nIn = 3 } = checkOptions(`make ${name}`, options, ARCH);
  const drawn = drawnBy(options, normalInit(0.02));
  const norm = (n: number) => new LayerNorm2d(n, { eps: EPS });
  const blocks = depths.reduce((a, b) => a + b, 0);
  let number = 0;
  const layers: Module[] = [new Sequential(convOf(nIn, dims[0], 4, { stride: 4 }, drawn), norm(dims[0]))];
  depths.forEach((depth, stage) => {
    const dim = dims[stage];
    if (stage > 0) {
      const before = dims[stage - 1];
      layers.push(new Sequential(norm(before), convOf(before, dim, 2, { stride: 2 }, drawn)));
    }
    const made = Array.from({ length: depth }, () => new CNBlock(dim, drop * number++ / (blocks - 1), drawn));
    layers.push(new Sequential(...made));
  });
  const last = dims[dims.length - 1];
  const classifier = new Sequential(norm(last), new Flatten(), linearOf(last, nOut, drawn));
  return new FeatureClassifier(new Sequential(...layers), 1, classifier, false);
}

function arch(name: string, sizes: ConvNeXtSizes, weights: string): Arch {
  const info = { stats: imagenetStats, weights: torchvision(weights) };
  return defineArch(name, (options) => makeConvNeXt(name, sizes, options), info);
}

const DIMS = [96, 192, 384, 768];

/** ConvNeXt-Tiny: 28.6 million parameters. */
export const convnextTiny: Arch = arch(
  "convnextTiny",
  { dims: DIMS, depths: [3, 3, 9, 3], drop: 0.1 },
  "convnext_tiny-983f1562",
);
/** ConvNeXt-Small: 50.2 million parameters. */
export const convnextSmall: Arch = arch(
  "convnextSmall",
  { dims: DIMS, depths: [3, 3, 27, 3], drop: 0.4 },
  "convnext_small-0c510722",
);
/** ConvNeXt-Base: 88.6 million parameters. */
export const convnextBase: Arch = arch(
  "convnextBase",
  { dims: [128, 256, 512, 1024], depths: [3, 3, 27, 3], drop: 0.5 },
  "convnext_base-6075fbad",
);
/** ConvNeXt-Large: 197.8 million parameters. */
export const convnextLarge: Arch = arch(
  "convnextLarge",
  { dims: [192, 384, 768, 1536], depths: [3, 3, 27, 3], drop: 0.5 },
  "convnext_large-ea097f82",
);
