/**
 * First values of weights.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, num, oneOf, type OptionTable } from "../base/options.ts";
import { sizeOf } from "../base/shape.ts";
import type { Rng } from "../tensor/mod.ts";

/**
 * Draws the first values of a weight `[out, in, taps...]`, row-major, in f64 on the host, so that all devices start from
 * the same bits.
 */
export type WeightInit = (shape: readonly number[], rng: Rng) => Float32Array;

/** Options of {@link kaimingNormal} and {@link kaimingUniform}. */
export interface KaimingOptions {
  /** Whether the spread of outputs (`"fanIn"`, the default) or of gradients (`"fanOut"`) is kept. */
  readonly mode?: "fanIn" | "fanOut";
  /** By how much the activation that follows shrinks the spread; the square root of 2, for ReLU, by default. */
  readonly gain?: number;
}

/** Options of {@link xavierNormal} and {@link xavierUniform}. */
export interface XavierOptions {
  /** By how much the activation that follows shrinks the spread; 1 by default. */
  readonly gain?: number;
}

/** How many inputs an output sees, and how many outputs an input reaches, of a weight `[out, in, taps...]`. */
export function fans(shape: readonly number[]): { readonly fanIn: number; readonly fanOut: number } {
  if (shape.length < 2) {
    throw new ConfigError(`Cannot draw a weight of shape [${shape.join(", ")}]: it needs two axes, [out, in]`);
  }
  const taps = sizeOf(shape.slice(2));
  return { fanIn: shape[1] * taps, fanOut: shape[0] * taps };
}

const KAIMING: OptionTable<KaimingOptions> = { mode: oneOf("fanIn", "fanOut"), gain: num };
const XAVIER: OptionTable<XavierOptions> = { gain: num };

function kaimingStd(shape: readonly number[], { mode = "fanIn", gain = Math.SQRT2 }: KaimingOptions): number {
  return gain / Math.sqrt(fans(shape)[mode]);
}

/** A normal distribution of deviation `gain / sqrt(fan)` (He et al. 2015, arXiv:1502.01852). */
export function kaimingNormal(options: KaimingOptions = {}): WeightInit {
  checkOptions("make kaimingNormal", options, KAIMING);
  return (shape, rng) => rng.normalArray(sizeOf(shape), 0, kaimingStd(shape, options));
}

/** Evenly from `[-b, b)` with `b = gain sqrt(3 / fan)` (He et al. 2015, arXiv:1502.01852). */
export function kaimingUniform(options: KaimingOptions = {}): WeightInit {
  checkOptions("make kaimingUniform", options, KAIMING);
  return (shape, rng) => {
    const bound = Math.sqrt(3) * kaimingStd(shape, options);
    return rng.uniformArray(sizeOf(shape), -bound, bound);
  };
}

function xavierStd(shape: readonly number[], { gain = 1 }: XavierOptions): number {
  const { fanIn, fanOut } = fans(shape);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

/** A normal distribution of deviation `gain sqrt(2 / (fanIn + fanOut))` (Glorot & Bengio 2010). */
export function xavierNormal(options: XavierOptions = {}): WeightInit {
  checkOptions("make xavierNormal", options, XAVIER);
  return (shape, rng) => rng.normalArray(sizeOf(shape), 0, xavierStd(shape, options));
}

/** Evenly from `[-b, b)` with `b = gain sqrt(6 / (fanIn + fanOut))` (Glorot & Bengio 2010). */
export function xavierUniform(options: XavierOptions = {}): WeightInit {
  checkOptions("make xavierUniform", options, XAVIER);
  return (shape, rng) => {
    const bound = Math.sqrt(3) * xavierStd(shape, options);
    return rng.uniformArray(sizeOf(shape), -bound, bound);
  };
}
