/**
 * Random changes of training images, as fastai's `aug_transforms` makes them.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { checkOptions, flag, num, oneOf, type OptionTable } from "../../base/options.ts";
import { stack, stepInput, type Tensor } from "../../tensor/mod.ts";
import { drawMaps, masked } from "./aug_maps.ts";
import { type BatchContext, BatchTransform, type BatchTransformJson } from "./batch_tfms.ts";

/** Options of {@link augTransforms}; the defaults are fastai's. */
export interface AugOptions {
  /** Factor of `maxRotate`, `maxLighting` and `maxWarp`; 1 by default. */
  readonly mult?: number;
  /** Whether half of the images are mirrored; true by default. */
  readonly doFlip?: boolean;
  /** Whether flips are any of the eight symmetries of a square; false by default. */
  readonly flipVert?: boolean;
  /** Largest angle of rotation, in degrees; 10 by default. */
  readonly maxRotate?: number;
  /** Least factor of zooming in; 1 by default. */
  readonly minZoom?: number;
  /** Largest factor of zooming in; 1.1 by default. */
  readonly maxZoom?: number;
  /** Largest change of brightness and contrast, in [0, 1); 0.2 by default. */
  readonly maxLighting?: number;
  /** Largest tilt: how far a corner moves, in halves of the image; 0.2 by default. */
  readonly maxWarp?: number;
  /** Probability of each of rotation, zoom and tilt; 0.75 by default. */
  readonly pAffine?: number;
  /** Probability of each of brightness and contrast; 0.75 by default. */
  readonly pLighting?: number;
  /** How pixels between others are found; `"bilinear"` by default. */
  readonly mode?: "bilinear" | "nearest";
  /** What lies outside of the image; `"reflection"` by default. */
  readonly padMode?: "zeros" | "border" | "reflection";
  /** Whether all images of a batch are changed alike; false by default. */
  readonly batch?: boolean;
}

const AUG: OptionTable<AugOptions> = {
  mult: num,
  doFlip: flag,
  flipVert: flag,
  maxRotate: num,
  minZoom: num,
  maxZoom: num,
  maxLighting: num,
  maxWarp: num,
  pAffine: num,
  pLighting: num,
  mode: oneOf("bilinear", "nearest"),
  padMode: oneOf("zeros", "border", "reflection"),
  batch: flag,
};

/** Random flips, rotations, zooms and tilts, made into one map and one sampling, then brightness and contrast; in training only. */
export class AugTransforms extends BatchTransform {
  /** See `BatchTransform.order`. */
  override readonly order: number = 30;
  /** See `BatchTransform.random`. */
  override readonly random: boolean = true;
  readonly #options: Required<AugOptions>;

  /** Changes as {@link AugOptions} has them. */
  constructor(options: AugOptions = {}) {
    super();
    checkOptions("make augTransforms", options, AUG);
    const { mult = 1, doFlip = true, flipVert = false, maxRotate = 10, minZoom = 1, maxZoom = 1.1 } = options;
    const { maxLighting = 0.2, maxWarp = 0.2, pAffine = 0.75, pLighting = 0.75 } = options;
    const { mode = "bilinear", padMode = "reflection", batch = false } = options;
    const refuse = (what: string, value: number): never => {
      throw new ConfigError(`Cannot change images: ${what}, got ${value}`);
    };
    for (const p of [pAffine, pLighting]) if (!(p >= 0 && p <= 1)) refuse("a probability lies in [0, 1]", p);
    for (const v of [mult, maxRotate, maxWarp]) {
      if (!(v >= 0)) refuse("mult, maxRotate and maxWarp are not negative", v);
    }
    if (!(mult * maxLighting >= 0 && mult * maxLighting < 1)) refuse("maxLighting lies in [0, 1)", mult * maxLighting);
    if (!(mult * maxWarp < 1)) refuse("maxWarp is below 1", mult * maxWarp);
    if (!(minZoom > 0 && minZoom <= maxZoom)) refuse("minZoom is positive and not above maxZoom", minZoom);
    this.#options = {
      mult,
      doFlip,
      flipVert,
      maxRotate,
      minZoom,
      maxZoom,
      maxLighting,
      maxWarp,
      pAffine,
      pLighting,
      mode,
      padMode,
      batch,
    };
  }

  /** See `BatchTransform.apply`. */
  override apply(x: Tensor, context: BatchContext): Tensor {
    if (!context.training) return x;
    return this.#light(this.#move(x, context), context);
  }

  #move(x: Tensor, { rng }: BatchContext): Tensor {
    const { mult, mode, padMode, ...options } = this.#options;
    const { doFlip, minZoom, maxZoom } = options;
    const maxRotate = mult * options.maxRotate, maxWarp = mult * options.maxWarp;
    if (!doFlip && maxRotate === 0 && maxWarp === 0 && minZoom === 1 && maxZoom === 1) return x;
    const [n, , h, w] = x.shape;
    const drawn = Float32Array.from(drawMaps(n, h, w, { ...options, maxRotate, maxWarp }, rng).flat());
    const maps = stepInput(drawn, { shape: [n, 1, 1, 9] });
    const m = (k: number): Tensor => maps.slice([null, null, null, [k, k + 1]]).reshape([n, 1, 1]);
    const px = stepInput(ends(w), { shape: [1, 1, w] }), py = stepInput(ends(h), { shape: [1, h, 1] });
    const row = (k: number): Tensor => px.mul(m(k)).add(py.mul(m(k + 1))).add(m(k + 2));
    const flat = maxWarp === 0; // then the third row is 0 0 1
    const [gx, gy] = flat ? [row(0), row(3)] : [row(0).div(row(6)), row(3).div(row(6))];
    return x.gridSample(stack([gx, gy], { axis: 3 }), { mode, paddingMode: padMode, alignCorners: true });
  }

  /** Brightness is added to, contrast multiplied with the logit of every pixel. */
  #light(x: Tensor, { rng }: BatchContext): Tensor {
    const { mult, maxLighting, pLighting, batch } = this.#options;
    const most = mult * maxLighting;
    if (most === 0) return x;
    const n = x.shape[0], scale = -Math.log(1 - most);
    const change = masked(n, rng, pLighting, 0.5, batch, () => 0.5 * (1 - most) + most * rng.uniform());
    const contrast = masked(n, rng, pLighting, 1, batch, () => Math.exp(scale * (2 * rng.uniform() - 1)));
    const shift = stepInput(Float32Array.from(change, (c) => Math.log(c / (1 - c))), { shape: [n, 1, 1, 1] });
    const factor = stepInput(Float32Array.from(contrast), { shape: [n, 1, 1, 1] });
    const logit = x.clamp({ min: 1e-7, max: 1 - 1e-7 }).reciprocal().sub(1).log().neg();
    return logit.add(shift).mul(factor).sigmoid();
  }

  /** See `BatchTransform.toJSON`. */
  override toJSON(): BatchTransformJson {
    return { kind: "AugTransforms", options: this.#options };
  }
}

/** Random changes of training images; see {@link AugOptions}. */
export function augTransforms(options: AugOptions = {}): BatchTransform[] {
  return [new AugTransforms(options)];
}

/** Centers of `n` pixels, those at the ends being -1 and 1. */
function ends(n: number): Float32Array {
  return Float32Array.from({ length: n }, (_, i) => n > 1 ? 2 * i / (n - 1) - 1 : 0);
}
