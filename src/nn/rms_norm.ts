/**
 * Normalization by the root of the mean square.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { checkOptions, flag, num, orNull } from "../base/options.ts";
import { ones, Parameter, type Tensor } from "../tensor/mod.ts";
import { checkSizes } from "./linear.ts";
import { lastAxes, Norm } from "./norm_base.ts";

/** Options of {@link RMSNorm}. */
export interface RmsNormOptions {
  /** Added to the mean square; null, the default, for the distance from 1 to the next f32, 2^-23. */
  readonly eps?: number | null;
  /** Whether there is a weight, one for each element; true by default. */
  readonly affine?: boolean;
}

const EPS_F32 = 2 ** -23;

/**
 * `weight x / sqrt(mean(x²) + eps)`, the mean over the last axes, whose sizes are `shape`; each item on its own.
 *
 * @see Zhang & Sennrich 2019, arXiv:1910.07467
 */
export class RMSNorm extends Norm {
  /** Sizes of the axes that are normalized over. */
  readonly shape: readonly number[];
  /** Of `shape`, or null. */
  override readonly weight: Parameter | null;
  /** There is none. */
  override readonly bias: null = null;

  /**
   * Starts from weight 1.
   *
   * @param shape Sizes of the last axes; a number for one axis.
   */
  constructor(shape: number | readonly number[], options: RmsNormOptions = {}) {
    const { eps, affine = true } = checkOptions("make RMSNorm", options, { eps: orNull(num), affine: flag });
    super(eps ?? EPS_F32);
    this.shape = typeof shape === "number" ? [shape] : [...shape];
    checkSizes("RMSNorm", Object.fromEntries(this.shape.map((n, i) => [`shape[${i}]`, n])));
    this.weight = affine ? new Parameter(ones(this.shape)) : null;
  }

  /** The same shape, each item normalized. */
  override forward(x: Tensor): Tensor {
    const axis = lastAxes("RMSNorm", this.shape, x);
    const y = x.mul(x.square().mean({ axis, keepdim: true }).add(this.eps).rsqrt());
    return this.weight === null ? y : y.mul(this.weight);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { shape, eps, weight } = this;
    return { kind: "RMSNorm", shape, eps, affine: weight !== null };
  }
}
