/**
 * Gradients of the float64 references, by differences.
 *
 * @module
 */
import type { Ref } from "./ref_core.ts";

/** Options of {@link numericGrad}. */
export interface NumericGradOptions {
  /** Step, for inputs of size about 1. */
  readonly h?: number;
  /** Positions of the inputs whose gradients are wanted; all if left out. */
  readonly wrt?: readonly number[];
}

/**
 * Gradients of `sum(f(...inputs) * gradOut)` by central differences of fourth order:
 * `(8 (f(x + h) - f(x - h)) - (f(x + 2h) - f(x - 2h))) / 12h`.
 *
 * @param gradOut Weights of the output's elements; ones if left out.
 * @returns One gradient for each wanted input, in order. Wrong where f has a kink within 2h.
 */
export function numericGrad(
  f: (...inputs: Ref[]) => Ref,
  inputs: readonly Ref[],
  gradOut?: Ref,
  { h = 1e-4, wrt = inputs.map((_, i) => i) }: NumericGradOptions = {},
): Ref[] {
  return wrt.map((which) => {
    const { shape, data } = inputs[which];
    // differences of outputs element by element lose less than differences of their sums
    const moved = (i: number, step: number): Float64Array => {
      const changed: Ref = { shape, data: data.with(i, data[i] + step) };
      return f(...inputs.map((x, k) => k === which ? changed : x)).data;
    };
    return {
      shape,
      data: data.map((_, i) => {
        const [a, b, c, d] = [moved(i, h), moved(i, -h), moved(i, 2 * h), moved(i, -2 * h)];
        return a.reduce((sum, _, j) => {
          const slope = (8 * (a[j] - b[j]) - (c[j] - d[j])) / (12 * h);
          return slope === 0 ? sum : sum + slope * (gradOut?.data[j] ?? 1);
        }, 0);
      }),
    };
  });
}
