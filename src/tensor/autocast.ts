/**
 * Products in half precision.
 *
 * @module
 */
import { mode } from "./mode.ts";

/**
 * What `body` records has products, convolutions and attention on operands of f16, with sums in f32 and results of f16. What
 * follows on a result of f16 is f16, but for what needs the range of f32: powers, exponentials and logarithms, sums, means,
 * norms, softmax and losses. It is what PyTorch's `autocast` does on a GPU, but that means, deviations, instance norms and what
 * recurrent layers give are f32 here. Gradients need nothing more.
 *
 * @example
 * ```ts ignore
 * const pred = autocast(() => model.forward(x)).float();
 * ```
 */
export function autocast<T>(body: () => T): T {
  const before = setAutocast(true);
  try {
    return body();
  } finally {
    setAutocast(before);
  }
}

/**
 * Begins or ends what {@link autocast} does. Returns whether it was so before.
 *
 * @internal
 */
export function setAutocast(half: boolean): boolean {
  const before = mode.half;
  mode.half = half;
  return before;
}
