/**
 * Nets of torchvision that are features, a pool and a classifier, and what their layers have in common.
 *
 * @module
 */
import type { LayerJson } from "../../base/json.ts";
import { sizeOf } from "../../base/shape.ts";
import { layerJson } from "../../nn/containers.ts";
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  type BatchNormOptions,
  Conv2d,
  Linear,
  Module,
  Sequential,
  type WeightInit,
} from "../../nn/mod.ts";
import { type Rng, type Tensor, zeros } from "../../tensor/mod.ts";
import type { ArchOptions, ArchWeights } from "./arch.ts";

/** How weights are drawn. */
export interface Drawn {
  readonly init: WeightInit;
  readonly rng?: Rng;
}

/** How an architecture's options draw weights that it draws by `init` otherwise. */
export function drawnBy({ init, rng }: ArchOptions, own: WeightInit): Drawn {
  return { init: init ?? own, ...(rng === undefined ? {} : { rng }) };
}

/** A normal distribution around 0. */
export function normalInit(std: number): WeightInit {
  return (shape, rng) => rng.normalArray(sizeOf(shape), 0, std);
}

/** A convolution whose bias, if it has one, starts at 0. */
export function convOf(
  cin: number,
  cout: number,
  kernel: number,
  options: { readonly stride?: number; readonly padding?: number; readonly groups?: number; readonly bias?: boolean },
  drawn: Drawn,
): Conv2d {
  const conv = new Conv2d(cin, cout, kernel, { ...options, ...drawn });
  conv.bias?.assign(zeros([cout]));
  return conv;
}

/** A linear layer whose bias starts at 0. */
export function linearOf(from: number, to: number, drawn: Drawn): Linear {
  const linear = new Linear(from, to, drawn);
  linear.bias?.assign(zeros([to]));
  return linear;
}

/** What {@link convNormAct} is told beside the channels. */
export interface ConvNormActOptions {
  /** Rows and columns of a window; 1 by default. The padding keeps sizes at stride 1. */
  readonly kernel?: number;
  readonly stride?: number;
  readonly groups?: number;
  readonly norm?: BatchNormOptions;
  /** What follows the normalization; nothing by default. */
  readonly act?: Module;
}

/** Convolution without bias, batch normalization and an activation: names "0", "1" and "2", as torchvision's `Conv2dNormActivation`. */
export function convNormAct(cin: number, cout: number, options: ConvNormActOptions, drawn: Drawn): Sequential {
  const { kernel = 1, stride = 1, groups = 1, norm = {}, act } = options;
  const conv = convOf(cin, cout, kernel, { stride, padding: kernel >> 1, groups, bias: false }, drawn);
  return new Sequential(conv, new BatchNorm2d(cout, norm), ...(act === undefined ? [] : [act]));
}

/** Address of the weights that torchvision publishes; the digits in the name are the first of the file's SHA-256. */
export function torchvision(name: string): ArchWeights {
  return { url: `https://download.pytorch.org/models/${name}.pth`, sha256: name.slice(name.lastIndexOf("-") + 1) };
}

/** `channels` rounded to a multiple of 8, never to less than nine tenths. */
export function divisibleBy8(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

/** Images `[n, nIn, h, w]` to `[n, nOut]`: features, the means of each channel, and a classifier of these. */
export class FeatureClassifier extends Module {
  /** The body, the first layers of which are the net's first. */
  readonly features: Sequential;
  /** The means of each channel, of the whole image or of its parts. */
  readonly avgpool: AdaptiveAvgPool2d;
  /** What makes outputs of the means. */
  readonly classifier: Sequential;

  /**
   * Takes the parts.
   *
   * @param features The body.
   * @param pool Rows and columns that the pool leaves.
   * @param classifier Takes `[n, c * pool * pool]`, or, with `flat` false, `[n, c, pool, pool]`.
   * @param flat Whether images become vectors before the classifier.
   */
  constructor(
    features: Sequential,
    readonly pool: number,
    classifier: Sequential,
    readonly flat: boolean = true,
  ) {
    super();
    this.features = features;
    this.avgpool = new AdaptiveAvgPool2d(pool);
    this.classifier = classifier;
  }

  /** `[n, nIn, h, w]` gives `[n, nOut]`. */
  override forward(x: Tensor): Tensor {
    const y = this.avgpool.forward(this.features.forward(x));
    return this.classifier.forward(this.flat ? y.reshape([y.shape[0], -1]) : y);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { pool, flat } = this, features = layerJson(this.features), classifier = layerJson(this.classifier);
    if (features === null || classifier === null) return null;
    return { kind: "FeatureClassifier", features, pool, classifier, flat };
  }
}
