/**
 * Dropout for sequences.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ConfigError, ShapeError } from "../base/errors.ts";
import { checkOptions, num } from "../base/options.ts";
import { fmtShape } from "../base/shape.ts";
import { Module } from "../nn/mod.ts";
import { aGenerator, rand, type Rng, type Tensor } from "../tensor/mod.ts";

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
    if (!num.holds(p) || p < 0 || p > 1) {
      throw new ConfigError(`Cannot make RNNDropout: p is a probability from 0 to 1, got ${p}`);
    }
    this.rng = options.rng ?? null;
  }

  /** In training some features 0 and the others scaled; `x` itself otherwise. */
  override forward(x: Tensor): Tensor {
    if (x.shape.length !== 3) {
      throw new ShapeError(`Cannot apply RNNDropout to ${fmtShape(x.shape)}: it takes [b, n, features]`);
    }
    if (!this.training || this.p === 0) return x;
    if (this.p === 1) return x.mul(0);
    const [b, , features] = x.shape;
    const kept = rand([b, 1, features], this.rng === null ? {} : { rng: this.rng }).ge(this.p);
    return x.mul(kept.cast("f32").mul(1 / (1 - this.p))).cast(x.dtype);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "RNNDropout", p: this.p };
  }
}
