/**
 * A rectifier whose slope is learnt.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ShapeError } from "../base/errors.ts";
import { checkOptions, num, type OptionTable } from "../base/options.ts";
import { fmtShape } from "../base/shape.ts";
import { full, Parameter, type Tensor, where } from "../tensor/mod.ts";
import { checkSizes } from "./linear.ts";
import { Module } from "./module.ts";

/** Options of {@link PReLU}. */
export interface PReluOptions {
  /** Slope below 0 at the beginning; 0.25 by default. */
  readonly init?: number;
}

const PRELU: OptionTable<PReluOptions> = { init: num };

/**
 * `x` above 0, `weight x` below, the weight one for all or one for each channel (axis 1). PyTorch advises against weight decay
 * on it.
 *
 * @see He et al. 2015, arXiv:1502.01852
 */
export class PReLU extends Module {
  /** `[numParameters]` */
  readonly weight: Parameter;

  /**
   * Starts from one slope.
   *
   * @param numParameters 1, or the number of channels.
   */
  constructor(readonly numParameters: number = 1, options: PReluOptions = {}) {
    super();
    const { init = 0.25 } = checkOptions("make PReLU", options, PRELU);
    checkSizes("PReLU", { numParameters });
    this.weight = new Parameter(full([numParameters], init));
  }

  /** The same shape; with several slopes `[n, numParameters, ...]`. */
  override forward(x: Tensor): Tensor {
    const { numParameters: n, weight } = this;
    if (n !== 1 && x.shape[1] !== n) {
      throw new ShapeError(
        `Cannot apply PReLU to ${fmtShape(x.shape)}: axis 1 must have ${n} channels, one for each slope`,
      );
    }
    const slope = n === 1 ? weight : weight.reshape([n, ...x.shape.slice(2).map(() => 1)]);
    return where(x.gt(0), x, x.mul(x.dtype === "f16" ? slope.half() : slope));
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "PReLU", numParameters: this.numParameters };
  }
}
