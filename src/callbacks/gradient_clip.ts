/**
 * Limits the size of gradients.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { ops, type Tensor } from "../tensor/mod.ts";
import { Callback, ORDER } from "../train/mod.ts";

/** Options of {@link GradientClip}. */
export interface GradientClipOptions {
  /** Which norm: 1, 2 or Infinity (the largest magnitude); 2 by default. */
  readonly normType?: number;
}

/** Scales all gradients by one number so that their common norm is at most `maxNorm`. */
export class GradientClip extends Callback {
  /** Place in line; see `ORDER`. */
  override readonly order: number = ORDER.gradientClip;
  /** Largest norm. */
  readonly maxNorm: number;
  /** Which norm. */
  readonly normType: number;

  /**
   * Makes a GradientClip.
   *
   * @param maxNorm Largest norm; 1 by default.
   */
  constructor(maxNorm: number = 1, { normType = 2 }: GradientClipOptions = {}) {
    super();
    if (!(maxNorm > 0)) throw new ConfigError(`Cannot clip gradients to norm ${maxNorm}: it must be above 0`);
    if (!(normType > 0)) throw new ConfigError(`Cannot clip gradients by the ${normType}-norm: it must be above 0`);
    this.maxNorm = maxNorm;
    this.normType = normType;
  }

  /** See `Callback.beforeStep`. */
  override beforeStep(): void {
    const trained = this.learn.opt.groups.flat().filter((p) => p.grad !== null);
    const grads = trained.map((p) => p.grad!);
    if (grads.length === 0) return;
    // as PyTorch: 1e-6 keeps the quotient finite, and gradients below the limit are left as they are
    const scale = ops.minimum(this.#norm(grads).add(1e-6).reciprocal().mul(this.maxNorm), 1);
    trained.forEach((p) => p.grad = p.grad!.mul(scale));
  }

  #norm(grads: readonly Tensor[]): Tensor {
    const { normType: n } = this;
    if (n === Infinity) return grads.map((g) => g.abs().max()).reduce((a, b) => a.maximum(b));
    if (n === 2) return grads.map((g) => g.square().sum()).reduce((a, b) => a.add(b)).sqrt();
    return grads.map((g) => g.abs().pow(n).sum()).reduce((a, b) => a.add(b)).pow(1 / n);
  }
}
