/**
 * Numbers that tests and recordings share.
 *
 * @module
 */

/**
 * `n` deterministic numbers in [-scale, scale), the same as those of the recordings in `tests/golden`.
 *
 * @param seed Any whole number.
 * @returns Float64Array of length `n`; `fill(1, 2)` is `-0.654158731456846, 0.096091808285564184`.
 */
export function fill(seed: number, n: number, scale = 1): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => {
    let x = (Math.imul(seed, 0x9e3779b1) + Math.imul(i, 0x85ebca77) + 1) >>> 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x7feb352d);
    x ^= x >>> 15;
    x = Math.imul(x, 0x846ca68b);
    x ^= x >>> 16;
    return ((x >>> 0) / 2 ** 32 * 2 - 1) * scale;
  });
}

/** The same as f32. */
export function fillF32(seed: number, n: number, scale = 1): Float32Array {
  return Float32Array.from(fill(seed, n, scale));
}

/** `n` deterministic whole numbers in [0, below). */
export function fillInts(seed: number, n: number, below: number): Int32Array {
  return Int32Array.from(fill(seed, n), (x) => Math.floor((x + 1) / 2 * below));
}
