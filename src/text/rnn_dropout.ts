/**
 * Dropout for sequences.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ShapeError } from "../base/errors.ts";
import { checkOptions } from "../base/options.ts";
import { fmtShape } from "../base/shape.ts";
import { checkProbability, dropped } from "../nn/dropped.ts";
import { Module } from "../nn/mod.ts";
import { aGenerator, type Rng, type Tensor } from "../tensor/mod.ts";

/**
 * In training, sets features of each text, `[b, n, features]`, to 0 with probability `p`, the same at all of its positions,
 * and scales the others by `1 / (1 - p)`.
 *
 * @see Gal & Ghahramani 2016, arXiv:1512.05287
 */
export class RNNDropout extends Module {
  /** Its own generator; null where it draws from the default one. In a plain field, so that checkpoints find it. */
  readonly rng: Rng | null;

  /**
   * Takes the probability of being dropped.
   *
   * @param p Probability in [0, 1]; 0.5 by default.
   * @param options `rng`: where the numbers come from; the default generator.
   */
  constructor(readonly p: number = 0.5, options: { readonly rng?: Rng } = {}) {
    super();
    checkOptions("make RNNDropout", options, { rng: aGenerator });
    checkProbability("RNNDropout", p);
    this.rng = options.rng ?? null;
  }

  /** In training some features 0 and the others scaled; `x` itself otherwise. */
  override forward(x: Tensor): Tensor {
    if (x.shape.length !== 3) {
      throw new ShapeError(`Cannot apply RNNDropout to ${fmtShape(x.shape)}: it takes [b, n, features]`);
    }
    return dropped(x, this, [x.shape[0], 1, x.shape[2]]);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "RNNDropout", p: this.p };
  }
}
