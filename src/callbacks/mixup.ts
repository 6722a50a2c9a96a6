/**
 * MixUp.
 *
 * @module
 */
import { stepInput, type Tensor } from "../tensor/mod.ts";
import { symmetricBeta } from "./beta.ts";
import { lerp, MixHandler, type MixOptions } from "./mix_handler.ts";

/**
 * Trains on weighted means of two items: each keeps a share `lambda`, at least a half, of itself.
 *
 * @see Zhang et al. 2018, arXiv:1710.09412
 */
export class MixUp extends MixHandler {
  /**
   * Makes a MixUp.
   *
   * @param alpha Both parameters of the beta distribution; 0.4 by default.
   */
  constructor(alpha: number = 0.4, options: MixOptions = {}) {
    super(alpha, options);
  }

  /** Mixes the inputs of a batch. */
  protected override mix(order: Tensor, n: number): void {
    const { learn, source: rng } = this;
    const shares = Float32Array.from({ length: n }, () => {
      const l = symmetricBeta(this.alpha, rng);
      return Math.max(l, 1 - l);
    });
    const lambda = stepInput(shares);
    this.lambda = lambda;
    learn.xb = learn.xb.map((x) => lerp(x.indexSelect(order), x, lambda));
  }
}
