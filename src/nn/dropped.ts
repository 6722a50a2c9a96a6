/**
 * What layers of dropout have in common.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { num } from "../base/options.ts";
import { rand, type Rng, type Tensor } from "../tensor/mod.ts";

/** Refuses what is no probability. */
export function checkProbability(layer: string, p: number): void {
  if (num.holds(p) && p >= 0 && p <= 1) return;
  throw new ConfigError(`Cannot make ${layer}: p is a probability from 0 to 1, got ${p}`);
}

/** 0 with probability `p`, `1 / (1 - p)` else; `rng` is null for the default generator. */
export function keeping(shape: readonly number[], p: number, rng: Rng | null): Tensor {
  return rand(shape, rng === null ? {} : { rng }).ge(p).cast("f32").mul(p === 1 ? 0 : 1 / (1 - p));
}

/** `x` as layers of dropout give it: in training times {@link keeping} of a shape that broadcasts, in its own type; else `x`. */
export function dropped(
  x: Tensor,
  { training, p, rng }: { readonly training: boolean; readonly p: number; readonly rng: Rng | null },
  shape: readonly number[],
): Tensor {
  if (!training || p === 0) return x;
  return p === 1 ? x.mul(0) : keeping(shape, p, rng).mul(x).cast(x.dtype);
}
