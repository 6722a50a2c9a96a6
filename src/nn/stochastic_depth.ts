/**
 * Branches of residual nets that are left out at random.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ShapeError } from "../base/errors.ts";
import { checkArgument, checkOptions, oneOf } from "../base/options.ts";
import { fmtShape } from "../base/shape.ts";
import { aGenerator, type Rng, type Tensor } from "../tensor/mod.ts";
import { checkProbability, dropped } from "./dropped.ts";
import { Module } from "./module.ts";

/** Options of {@link StochasticDepth}. */
export interface StochasticDepthOptions {
  /** Where the numbers come from; the default generator. */
  readonly rng?: Rng;
}

/**
 * In training, sets whole items to 0 with probability `p` and scales the others by `1 / (1 - p)`: behind the branch of a
 * residual block, so that the block is left out for them. It is torchvision's.
 *
 * @see Huang et al. 2016, arXiv:1603.09382
 */
export class StochasticDepth extends Module {
  /** Its own generator; null where it draws from the default one. In a plain field, so that checkpoints find it. */
  readonly rng: Rng | null;

  /**
   * Takes the probability of being left out.
   *
   * @param p Probability in [0, 1].
   * @param mode Whether each item, `"row"`, the default, or the batch as a whole, `"batch"`, is kept or left out.
   */
  constructor(readonly p: number, readonly mode: "row" | "batch" = "row", options: StochasticDepthOptions = {}) {
    super();
    checkOptions("make StochasticDepth", options, { rng: aGenerator });
    checkProbability("StochasticDepth", p);
    checkArgument("make StochasticDepth", "mode", mode, oneOf("row", "batch"));
    this.rng = options.rng ?? null;
  }

  /** `[n, ...]` with some items 0 in training; `x` itself otherwise. */
  override forward(x: Tensor): Tensor {
    const { shape } = x;
    if (shape.length === 0) {
      throw new ShapeError(`Cannot apply StochasticDepth to ${fmtShape(shape)}: it takes [n, ...]`);
    }
    return dropped(x, this, shape.map((n, i) => i === 0 && this.mode === "row" ? n : 1));
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "StochasticDepth", p: this.p, mode: this.mode };
  }
}
