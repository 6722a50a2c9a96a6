/**
 * Normalization within an item: over groups of channels, or each channel on its own.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ConfigError, ShapeError } from "../base/errors.ts";
import { checkOptions, flag, num, type OptionTable } from "../base/options.ts";
import { fmtShape, sizeOf } from "../base/shape.ts";
import { normalizeWithStats, ones, Parameter, type Tensor, zeros } from "../tensor/mod.ts";
import { checkSizes } from "./linear.ts";
import { Module } from "./module.ts";
import { Norm } from "./norm_base.ts";

/** Options of {@link GroupNorm} and {@link InstanceNorm2d}. */
export interface GroupNormOptions {
  /** Added to the variance; 1e-5 by default. */
  readonly eps?: number;
  /** Whether there are a weight and a bias for each channel. */
  readonly affine?: boolean;
}

const GROUP_NORM: OptionTable<GroupNormOptions> = { eps: num, affine: flag };

/** Normalizes each of `numGroups` groups of channels of each item, `[n, c, ...]`. */
export class GroupNorm extends Norm {
  /** Factor of each channel, or null. */
  override readonly weight: Parameter | null;
  /** Shift of each channel, or null. */
  override readonly bias: Parameter | null;

  /**
   * Makes the layer.
   *
   * @param numGroups Number of groups; divides the number of channels.
   * @param numChannels Number of channels.
   */
  constructor(readonly numGroups: number, readonly numChannels: number, options: GroupNormOptions = {}) {
    const { eps = 1e-5, affine = true } = checkOptions(`make ${new.target.name}`, options, GROUP_NORM);
    super(eps);
    checkSizes("GroupNorm", { numGroups, numChannels });
    if (numChannels % numGroups !== 0) {
      throw new ConfigError(`Cannot make GroupNorm: ${numChannels} channels do not divide into ${numGroups} groups`);
    }
    this.weight = affine ? new Parameter(ones([numChannels])) : null;
    this.bias = affine ? new Parameter(zeros([numChannels])) : null;
  }

  /** The normalized input, of the same shape. */
  override forward(x: Tensor): Tensor {
    const { shape } = x;
    if (shape.length < 2 || shape[1] !== this.numChannels) {
      throw new ShapeError(
        `Cannot apply ${this.constructor.name} to ${
          fmtShape(shape)
        }: the second axis must have size ${this.numChannels}`,
      );
    }
    const groups = x.reshape([shape[0] * this.numGroups, sizeOf(shape.slice(1)) / this.numGroups]);
    const y = normalizeWithStats(groups, [1], this.eps).y.reshape(shape);
    const wide = shape.map((n, i) => i === 1 ? n : 1);
    const scaled = this.weight === null ? y : y.mul(this.weight.reshape(wide));
    return this.bias === null ? scaled : scaled.add(this.bias.reshape(wide));
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { numGroups, numChannels, eps, weight } = this;
    return { kind: "GroupNorm", numGroups, numChannels, eps, affine: weight !== null };
  }
}

/** Normalizes each channel of each item, `[n, c, h, w]`; as in PyTorch there are no weight and bias by default. */
export class InstanceNorm2d extends GroupNorm {
  /**
   * Makes the layer.
   *
   * @param numFeatures Number of channels.
   */
  constructor(numFeatures: number, options: GroupNormOptions = {}) {
    const { eps, affine = false } = checkOptions("make InstanceNorm2d", options, GROUP_NORM);
    super(numFeatures, numFeatures, { eps, affine });
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { numChannels, eps, weight } = this;
    return { kind: "InstanceNorm2d", numFeatures: numChannels, eps, affine: weight !== null };
  }
}

/** Turns channels into resolution: `[n, c r r, h, w]` becomes `[n, c, h r, w r]`. */
export class PixelShuffle extends Module {
  /**
   * Makes the layer.
   *
   * @param factor The factor r.
   */
  constructor(readonly factor: number) {
    super();
    checkSizes("PixelShuffle", { factor });
  }

  /** The input with its channels spread over pixels. */
  override forward(x: Tensor): Tensor {
    const { factor: r } = this;
    const [n, c, h, w] = x.shape;
    if (x.shape.length !== 4 || c % (r * r) !== 0) {
      throw new ShapeError(
        `Cannot apply PixelShuffle(${r}) to ${fmtShape(x.shape)}: it takes [n, c, h, w] with c a multiple of ${r * r}`,
      );
    }
    const cells = x.reshape([n, c / (r * r), r, r, h, w]).permute([0, 1, 4, 2, 5, 3]);
    return cells.reshape([n, c / (r * r), h * r, w * r]);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "PixelShuffle", factor: this.factor };
  }
}
