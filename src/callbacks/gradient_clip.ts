/**
 * Limits the size of gradients.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, num, shown } from "../base/options.ts";
import { ops } from "../tensor/mod.ts";
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
  constructor(maxNorm: number = 1, options: GradientClipOptions = {}) {
    super();
    const { normType = 2 } = checkOptions("make GradientClip", options, { normType: num });
    if (typeof maxNorm !== "number" || !(maxNorm > 0)) {
      throw new ConfigError(
        `Cannot clip gradients to norm ${shown(maxNorm)}: it must be above 0, as in new GradientClip(0.5)`,
      );
    }
    if (!(normType > 0)) throw new ConfigError(`Cannot clip gradients by the ${normType}-norm: it must be above 0`);
    this.maxNorm = maxNorm;
    this.normType = normType;
  }

  /** See `Callback.settings`. */
  override settings(): Readonly<Record<string, unknown>> {
    const { maxNorm, normType } = this;
    return { maxNorm, normType };
  }

  /** See `Callback.beforeStep`. */
  override beforeStep(): void {
    const { opt } = this.learn;
    // as PyTorch: 1e-6 keeps the quotient finite, and gradients below the limit are left as they are
    const scale = opt.gradNorm(this.normType).add(1e-6).reciprocal().mul(this.maxNorm);
    opt.scaleGrads(ops.minimum(scale, 1));
  }
}
