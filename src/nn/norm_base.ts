/**
 * What normalizations have in common.
 *
 * @module
 */
import { ConfigError, ShapeError } from "../base/errors.ts";
import { fmtShape } from "../base/shape.ts";
import type { Parameter, Tensor } from "../tensor/mod.ts";
import { Module } from "./module.ts";

/**
 * A normalization. Learners treat parameters of these layers as fastai does: they do not decay, they train on in frozen
 * groups, and no initialisation draws them anew.
 */
export abstract class Norm extends Module {
  /** Factor, or null. */
  abstract readonly weight: Parameter | null;
  /** Shift, or null. */
  abstract readonly bias: Parameter | null;
  /** Added to what the values are divided by the root of. */
  readonly eps: number;

  /**
   * Makes the layer.
   *
   * @param eps Above 0.
   */
  constructor(eps: number) {
    super();
    if (!(eps > 0 && eps < Infinity)) {
      throw new ConfigError(`Cannot make ${new.target.name}: eps is a finite number above 0, got ${eps}`);
    }
    this.eps = eps;
  }
}

/** The axes of `x` that a layer of last axes `shape` normalizes over. */
export function lastAxes(layer: string, shape: readonly number[], x: Tensor): number[] {
  const rank = x.shape.length, own = shape.length;
  if (rank < own || shape.some((n, i) => x.shape[rank - own + i] !== n)) {
    throw new ShapeError(
      `Cannot apply ${layer}(${fmtShape(shape)}) to ${fmtShape(x.shape)}: its last axes must have these sizes`,
    );
  }
  return shape.map((_, i) => rank - own + i);
}
