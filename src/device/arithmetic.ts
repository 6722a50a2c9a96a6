/**
 * Which devices compute the same bits.
 *
 * @module
 */

/** How the CPU device's kernels go by, whose results are the same to the last bit. */
const ALIKE = /^CPU \((AVX-512|AVX2|WebAssembly relaxed SIMD), /;
/** The CPU device by any kernels; its results do not depend on the number of threads. */
const CPU = /^CPU \(([^,]+), \d+ threads?\)$/;

/** Whether two devices, by their names, compute the same bits from the same program. */
export function sameBits(a: string, b: string): boolean {
  if (a === b || (ALIKE.test(a) && ALIKE.test(b))) return true;
  const [one, other] = [CPU.exec(a), CPU.exec(b)];
  return one !== null && other !== null && one[1] === other[1];
}
