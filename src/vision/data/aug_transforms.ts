/**
 * Random changes of training images, as fastai's `aug_transforms` makes them.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { checkOptions, either, flag, num, nums, oneOf, type OptionTable, other } from "../../base/options.ts";
import { cat, stack, stepInput, type Tensor } from "../../tensor/mod.ts";
import { cropMap, drawCrop, drawMaps, inverseOf, type Map3, masked, middleCrop, times } from "./aug_maps.ts";
import { type BatchContext, BatchTransform, type BatchTransformJson } from "./batch_tfms.ts";
import { type ImageSize, sizeOf } from "./item_tfms.ts";
import type { SpatialTarget, Warp } from "./spatial.ts";

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
  /**
   * Pixels of both sides of the images that come out, or `[height, width]`; those that go in by default. In validation,
   * too. Images that are larger by a half or more keep their borders sharp that way (fastai's "presizing").
   */
  readonly size?: number | readonly [height: number, width: number];
  /**
   * Least share of the image that a random square of each training batch covers before it is brought to `size`; 1 (the
   * default) takes the whole image. In validation it is the largest square in the middle.
   */
  readonly minScale?: number;
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
  size: either(num, other<readonly [number, number]>("[height, width]", isPair)),
  minScale: num,
};

function isPair(value: unknown): boolean {
  return nums.holds(value) && (value as readonly number[]).length === 2;
}

/** Random flips, rotations, zooms and tilts, made into one map and one sampling, then brightness and contrast; in training only. */
export class AugTransforms extends BatchTransform {
  /** See `BatchTransform.order`. */
  override readonly order: number = 30;
  /** See `BatchTransform.random`. */
  override readonly random: boolean = true;
  readonly #options: Required<Omit<AugOptions, "size">>;
  /** Size of the images that come out; null for that of those that go in. */
  readonly #size: ImageSize | null;

  /** Changes as {@link AugOptions} has them. */
  constructor(options: AugOptions = {}) {
    super();
    checkOptions("make augTransforms", options, AUG);
    const { mult = 1, doFlip = true, flipVert = false, maxRotate = 10, minZoom = 1, maxZoom = 1.1 } = options;
    const { maxLighting = 0.2, maxWarp = 0.2, pAffine = 0.75, pLighting = 0.75 } = options;
    const { mode = "bilinear", padMode = "reflection", batch = false, size, minScale = 1 } = options;
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
    if (!(minScale > 0 && minScale <= 1)) refuse("minScale lies in (0, 1]", minScale);
    if (minScale < 1 && size === undefined) refuse("minScale needs { size }, what squares are brought to", minScale);
    this.#size = size === undefined ? null : sizeOf(size, "bring images");
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
      minScale,
    };
  }

  /** Whether images are changed in validation, too: where they are brought to a size. */
  override get evaluated(): boolean {
    return this.#size !== null;
  }

  /** See `BatchTransform.apply`. */
  override apply(x: Tensor, context: BatchContext): Tensor {
    return this.#change(x, context).x;
  }

  /** See `BatchTransform.applyWith`. */
  override applyWith(x: Tensor, y: Tensor, target: SpatialTarget, context: BatchContext): readonly [Tensor, Tensor] {
    const changed = this.#change(x, context);
    return [changed.x, changed.warp === null ? y : target.warp(y, changed.warp)];
  }

  #change(x: Tensor, context: BatchContext): { readonly x: Tensor; readonly warp: Warp | null } {
    const maps = this.#maps(x.shape, context);
    if (maps === null) return { x: context.training ? this.#light(x, context) : x, warp: null };
    const warp = this.#warp(x.shape, maps);
    const moved = this.#sample(x, warp);
    return { x: context.training ? this.#light(moved, context) : moved, warp };
  }

  /** Where the pixels of each new image come from; null where every pixel stays. */
  #maps([n, , height, width]: readonly number[], { training, rng }: BatchContext): readonly Map3[] | null {
    const { mult, minScale, ...options } = this.#options;
    const { doFlip, minZoom, maxZoom } = options;
    const maxRotate = mult * options.maxRotate, maxWarp = mult * options.maxWarp;
    const still = !doFlip && maxRotate === 0 && maxWarp === 0 && minZoom === 1 && maxZoom === 1;
    const size = { height, width };
    let maps: readonly Map3[] | null = null;
    if (training && !still) maps = drawMaps(n, height, width, { ...options, maxRotate, maxWarp }, rng);
    if (this.#size === null) return maps;
    const crop = minScale === 1
      ? cropMap(size, { left: 0, top: 0, ...size })
      : cropMap(size, training ? drawCrop(size, minScale, rng) : middleCrop(size));
    return maps?.map((map) => times(map, crop)) ?? Array.from({ length: n }, () => crop);
  }

  #warp([n, , height, width]: readonly number[], maps: readonly Map3[]): Warp {
    const from = { width, height }, to = this.#size ?? from;
    const given = stepInput(Float32Array.from(maps.flat()), { shape: [n, 1, 1, 9] });
    const m = (k: number): Tensor => given.slice([null, null, null, [k, k + 1]]).reshape([n, 1, 1]);
    const px = stepInput(ends(to.width), { shape: [1, 1, to.width] });
    const py = stepInput(ends(to.height), { shape: [1, to.height, 1] });
    const row = (k: number): Tensor => px.mul(m(k)).add(py.mul(m(k + 1))).add(m(k + 2));
    const flat = this.#options.mult * this.#options.maxWarp === 0; // then the third row is 0 0 1
    const [gx, gy] = flat ? [row(0), row(3)] : [row(0).div(row(6)), row(3).div(row(6))];
    const inverse = stepInput(Float32Array.from(maps.flatMap(inverseOf)), { shape: [n, 1, 9] });
    return { grid: stack([gx, gy], { axis: 3 }), inverse, from, to, paddingMode: this.#options.padMode };
  }

  /** Images at the places of a map; those that are made much smaller are averaged over blocks first. */
  #sample(x: Tensor, { grid, from, to, paddingMode }: Warp): Tensor {
    const { mode } = this.#options;
    const block = Math.floor(Math.min(from.width / to.width, from.height / to.height) / 2);
    if (block < 2) return x.gridSample(grid, { mode, paddingMode, alignCorners: true });
    const small = x.avgPool2d(block);
    const [, , height, width] = small.shape;
    // the centers of the first and the last block are -1 and 1 now, no longer those of the pixels at the ends
    const along = (k: number, n: number, blocks: number): Tensor => {
      const scale = (n - 1) / (block * (blocks - 1)), shift = scale - (block - 1) / (block * (blocks - 1)) - 1;
      return grid.slice([null, null, null, [k, k + 1]]).mul(scale).add(shift);
    };
    const fitted = cat([along(0, from.width, width), along(1, from.height, height)], { axis: 3 });
    return small.gridSample(fitted, { mode, paddingMode, alignCorners: true });
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
    const { height, width } = this.#size ?? { height: 0, width: 0 };
    const size = this.#size === null ? {} : { size: [height, width] as const };
    return { kind: "AugTransforms", options: { ...this.#options, ...size } };
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
