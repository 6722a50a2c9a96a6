/**
 * Special functions and random numbers that JavaScript lacks, in float64, for the references.
 *
 * @module
 */

/** Error function, to about 1e-15. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return NaN;
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  return Math.sign(x) * (z < 3 ? erfSeries(z) : 1 - erfcFraction(z));
}

// erf(x) = 2/sqrt(pi) exp(-x^2) sum over n of 2^n x^(2n+1) / (1 3 5 ... (2n+1)); all terms have one sign
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= 2 * x * x / (2 * n + 1);
    sum += term;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

// erfc(x) = exp(-x^2)/sqrt(pi) / (x + (1/2)/(x + (2/2)/(x + (3/2)/(x + ...)))), evaluated from the inside
function erfcFraction(x: number): number {
  let f = x;
  for (let n = 60; n > 0; n--) f = x + (n / 2) / f;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / f;
}

/** Nearest whole number, halves to the even one. */
export function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest < 0.5) return low;
  if (rest > 0.5) return low + 1;
  return low % 2 === 0 ? low : low + 1;
}

/** `x ** y` as C's `pow`: unlike JavaScript's, `pow(1, y)` is 1 for every `y`, and `pow(-1, +-infinity)` is 1. */
export function powC(x: number, y: number): number {
  if (x === 1) return 1;
  if (x === -1 && Math.abs(y) === Infinity) return 1;
  return Math.pow(x, y);
}

/**
 * Philox4x32-10 (Salmon et al. 2011): four random words of counter `(c0, c1, c2, c3)` under key `(k0, k1)`.
 *
 * @returns Words 0 to 3 of the block, unsigned.
 */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [hi0, lo0] = [mulHigh(c0, 0xd2511f53), Math.imul(c0, 0xd2511f53)];
    const [hi1, lo1] = [mulHigh(c2, 0xcd9e8d57), Math.imul(c2, 0xcd9e8d57)];
    [c0, c1, c2, c3] = [hi1 ^ c1 ^ k0, lo1, hi0 ^ c3 ^ k1, lo0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
}

// Upper 32 bits of the 64-bit product of two unsigned words, by halves of 16 bits: every partial sum stays below 2^53
function mulHigh(a: number, b: number): number {
  const [ah, al, bh, bl] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = ah * bl + al * bh + Math.floor(al * bl / 65536);
  return (ah * bh + Math.floor(middle / 65536)) >>> 0;
}

/** The uniform number in [0, 1) of a contract `random` instruction, from the block's first word. */
export function uniformOf(x0: number): number {
  return (x0 >>> 8) * 2 ** -24;
}

/** The normal number of a contract `random` instruction, from the block's first two words. */
export function normalOf(x0: number, x1: number): number {
  const u = Math.fround((x0 >>> 8) * 2 ** -24 + 2 ** -25); // rounded, as f32 arithmetic does; the last value is 1
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * ((x1 >>> 8) * 2 ** -24));
}
