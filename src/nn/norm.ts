/**
 * Normalization.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ShapeError } from "../base/errors.ts";
import { checkOptions, flag, num, share } from "../base/options.ts";
import { fmtShape, sizeOf } from "../base/shape.ts";
import {
  type Buffer,
  full,
  noGrad,
  normalizeWithStats,
  ones,
  Parameter,
  type Tensor,
  tensor,
  zeros,
} from "../tensor/mod.ts";
import { checkSizes } from "./linear.ts";
import { lastAxes, Norm } from "./norm_base.ts";

/** Statistics of a training batch that may be more than this process's: see {@link BatchNorm.moments}. */
export interface BatchMoments {
  /** Mean and biased variance of each channel, `[c]`, over `count` values each. */
  of(x: Tensor): { readonly mean: Tensor; readonly variance: Tensor; readonly count: number };
  /** What the result passes through. */
  result(y: Tensor): Tensor;
}

/** Options of {@link BatchNorm1d}. */
export interface BatchNormOptions {
  /** Added to the variance; 1e-5 by default. */
  readonly eps?: number;
  /** Weight of a new batch in the running statistics; 0.1 by default. */
  readonly momentum?: number;
  /** Whether there are a weight and a bias; true by default. */
  readonly affine?: boolean;
  /** Weight of each channel at the start; 1 by default. 0 makes a residual branch start as nothing. */
  readonly firstWeight?: number;
  /** Bias of each channel at the start; 0 by default. */
  readonly firstBias?: number;
}

/**
 * `weight (x - mean) / sqrt(var + eps) + bias` for each channel, axis 1. In training, mean and variance are the batch's, and
 * the running ones follow them (the variance unbiased); otherwise the running ones are used.
 */
export abstract class BatchNorm extends Norm {
  /** `[numFeatures]`, or null. */
  override readonly weight: Parameter | null;
  /** `[numFeatures]`, or null. */
  override readonly bias: Parameter | null;
  /** `[numFeatures]`, used in evaluation. */
  readonly runningMean: Buffer;
  /** `[numFeatures]`, used in evaluation. */
  readonly runningVar: Buffer;
  /** Number of training batches seen, i32. */
  readonly numBatchesTracked: Buffer;
  /** Weight of a new batch in the running statistics. */
  readonly momentum: number;
  /** Where the statistics of a training batch come from; null: from the batch itself. */
  moments: BatchMoments | null = null;

  /**
   * Starts from running mean 0 and running variance 1.
   *
   * @param numFeatures Number of channels.
   */
  constructor(readonly numFeatures: number, options: BatchNormOptions = {}) {
    checkOptions(`make ${new.target.name}`, options, {
      eps: num,
      momentum: share,
      affine: flag,
      firstWeight: num,
      firstBias: num,
    });
    const { eps = 1e-5, momentum = 0.1, affine = true, firstWeight = 1, firstBias = 0 } = options;
    super(eps);
    checkSizes(this.constructor.name, { numFeatures });
    this.momentum = momentum;
    this.weight = affine ? new Parameter(full([numFeatures], firstWeight)) : null;
    this.bias = affine ? new Parameter(full([numFeatures], firstBias)) : null;
    this.runningMean = this.buffer("running_mean", zeros([numFeatures]));
    this.runningVar = this.buffer("running_var", ones([numFeatures]));
    this.numBatchesTracked = this.buffer("num_batches_tracked", tensor(new Int32Array(1), { shape: [] }));
  }

  /** Numbers of axes that inputs may have. */
  protected abstract readonly ranks: readonly number[];

  /** The same shape, each channel normalized. */
  override forward(x: Tensor): Tensor {
    const { shape } = x;
    if (!this.ranks.includes(shape.length) || shape[1] !== this.numFeatures) {
      throw new ShapeError(
        `Cannot apply ${this.constructor.name}(${this.numFeatures}) to ${fmtShape(shape)}: ` +
          `it takes ${this.ranks.join(" or ")} axes, the second of size ${this.numFeatures}`,
      );
    }
    const wide = shape.map((n, i) => i === 1 ? n : 1);
    if (x.dtype === "f16") return this.forward(x.float()).half(); // its statistics are f32
    const scale = (v: Tensor) => this.weight === null ? v : v.mul(this.weight);
    if (!this.training) {
      const factor = scale(this.runningVar.add(this.eps).rsqrt());
      return this.#shift(x.sub(this.runningMean.reshape(wide)).mul(factor.reshape(wide)), wide);
    }
    if (this.moments !== null) {
      const { mean, variance, count } = this.moments.of(x);
      this.#follow(mean, variance, count);
      const factor = scale(variance.add(this.eps).rsqrt());
      return this.moments.result(this.#shift(x.sub(mean.reshape(wide)).mul(factor.reshape(wide)), wide));
    }
    const axes = shape.map((_, i) => i).filter((i) => i !== 1);
    const n = sizeOf(shape) / this.numFeatures;
    if (n < 2) {
      throw new ShapeError(
        `Cannot train ${this.constructor.name} on ${
          fmtShape(shape)
        }: a channel needs more than one value, drop the last batch`,
      );
    }
    const { y, mean, variance } = normalizeWithStats(x, axes, this.eps);
    this.#follow(mean.reshape([this.numFeatures]), variance.reshape([this.numFeatures]), n);
    return this.#shift(this.weight === null ? y : y.mul(this.weight.reshape(wide)), wide);
  }

  #shift(x: Tensor, wide: readonly number[]): Tensor {
    return this.bias === null ? x : x.add(this.bias.reshape(wide));
  }

  /** Records that the running statistics follow the batch's. */
  #follow(mean: Tensor, variance: Tensor, n: number): void {
    const { momentum } = this;
    noGrad(() => {
      const step = (old: Tensor, now: Tensor) => old.mul(1 - momentum).add(now.detach().mul(momentum));
      this.runningMean.assign(step(this.runningMean, mean));
      this.runningVar.assign(step(this.runningVar, variance.detach().mul(n / (n - 1))));
      this.numBatchesTracked.assign(this.numBatchesTracked.add(1));
    });
  }
}

/** Batch normalization of `[n, c]` or `[n, c, l]`. */
export class BatchNorm1d extends BatchNorm {
  /** `[n, c]` and `[n, c, l]` */
  protected override readonly ranks: readonly number[] = [2, 3];

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { numFeatures, eps, momentum, weight } = this;
    return { kind: "BatchNorm1d", numFeatures, eps, momentum, affine: weight !== null };
  }
}

/** Batch normalization of `[n, c, h, w]`. */
export class BatchNorm2d extends BatchNorm {
  /** `[n, c, h, w]` */
  protected override readonly ranks: readonly number[] = [4];

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { numFeatures, eps, momentum, weight } = this;
    return { kind: "BatchNorm2d", numFeatures, eps, momentum, affine: weight !== null };
  }
}

/** Options of {@link LayerNorm}. */
export interface LayerNormOptions {
  /** Added to the variance; 1e-5 by default. */
  readonly eps?: number;
  /** Whether there are a weight and a bias; true by default. */
  readonly affine?: boolean;
  /** Whether there is a bias where there is a weight; true by default. */
  readonly bias?: boolean;
}

/** Normalizes over the last axes, whose sizes are `shape`, each item on its own. */
export class LayerNorm extends Norm {
  /** Sizes of the axes that are normalized over. */
  readonly shape: readonly number[];
  /** Of `shape`, or null. */
  override readonly weight: Parameter | null;
  /** Of `shape`, or null. */
  override readonly bias: Parameter | null;

  /**
   * Starts from weight 1 and bias 0.
   *
   * @param shape Sizes of the last axes; a number for one axis.
   */
  constructor(shape: number | readonly number[], options: LayerNormOptions = {}) {
    const { eps = 1e-5, affine = true, bias = true } = checkOptions("make LayerNorm", options, {
      eps: num,
      affine: flag,
      bias: flag,
    });
    super(eps);
    this.shape = typeof shape === "number" ? [shape] : [...shape];
    checkSizes("LayerNorm", Object.fromEntries(this.shape.map((n, i) => [`shape[${i}]`, n])));
    this.weight = affine ? new Parameter(ones(this.shape)) : null;
    this.bias = affine && bias ? new Parameter(zeros(this.shape)) : null;
  }

  /** The same shape, each item normalized. */
  override forward(x: Tensor): Tensor {
    const axis = lastAxes("LayerNorm", this.shape, x);
    const { y } = normalizeWithStats(x, axis, this.eps);
    const scaled = this.weight === null ? y : y.mul(this.weight);
    return this.bias === null ? scaled : scaled.add(this.bias);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { shape, eps, weight, bias } = this;
    const affine = weight !== null;
    return { kind: "LayerNorm", shape, eps, affine, ...(affine && bias === null ? { bias: false } : {}) };
  }
}

/** Normalizes images `[n, c, h, w]` over the channels, each pixel on its own: torchvision's, as ConvNeXt has it. */
export class LayerNorm2d extends Norm {
  /** `[numChannels]`, or null. */
  override readonly weight: Parameter | null;
  /** `[numChannels]`, or null. */
  override readonly bias: Parameter | null;

  /**
   * Starts from weight 1 and bias 0.
   *
   * @param numChannels Number of channels.
   */
  constructor(readonly numChannels: number, options: LayerNormOptions = {}) {
    const { eps = 1e-5, affine = true, bias = true } = checkOptions("make LayerNorm2d", options, {
      eps: num,
      affine: flag,
      bias: flag,
    });
    super(eps);
    checkSizes("LayerNorm2d", { numChannels });
    this.weight = affine ? new Parameter(ones([numChannels])) : null;
    this.bias = affine && bias ? new Parameter(zeros([numChannels])) : null;
  }

  /** The same shape, each pixel normalized. */
  override forward(x: Tensor): Tensor {
    const { numChannels } = this;
    if (x.shape.length !== 4 || x.shape[1] !== numChannels) {
      throw new ShapeError(
        `Cannot apply LayerNorm2d(${numChannels}) to ${fmtShape(x.shape)}: it takes [n, ${numChannels}, h, w]`,
      );
    }
    const { y } = normalizeWithStats(x, [1], this.eps), wide = [numChannels, 1, 1];
    const scaled = this.weight === null ? y : y.mul(this.weight.reshape(wide));
    return this.bias === null ? scaled : scaled.add(this.bias.reshape(wide));
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { numChannels, eps, weight, bias } = this;
    const affine = weight !== null;
    return { kind: "LayerNorm2d", numChannels, eps, affine, ...(affine && bias === null ? { bias: false } : {}) };
  }
}
