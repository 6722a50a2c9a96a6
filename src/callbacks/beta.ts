/**
 * Random numbers for mixing.
 *
 * @module
 */
import type { Rng } from "../tensor/mod.ts";

/** A number of the gamma distribution of shape `a`, scale 1. Marsaglia & Tsang 2000; below 1 by their boost. */
function gamma(a: number, rng: Rng): number {
  if (a < 1) return gamma(a + 1, rng) * rng.uniform() ** (1 / a);
  const d = a - 1 / 3, c = 1 / Math.sqrt(9 * d);
  while (true) {
    const x = rng.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(rng.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** A number in [0, 1] of the beta distribution with both parameters `alpha`. */
export function symmetricBeta(alpha: number, rng: Rng): number {
  const x = gamma(alpha, rng), y = gamma(alpha, rng);
  return x + y === 0 ? 0.5 : x / (x + y);
}
