/**
 * Random splits: which items are held out.
 *
 * @module
 */
import { inBlocks } from "../base/event_loop_yielder.ts";
import type { Rng } from "../tensor/mod.ts";

/** Splits items in random `order`: the first `floor(validPct n)` are for validation, the others for training. */
export function splitOrder(
  order: Int32Array,
  validPct: number,
): { readonly train: Int32Array; readonly valid: Int32Array } {
  const n = Math.floor(validPct * order.length);
  return { train: order.subarray(n), valid: order.subarray(0, n) };
}

/** `rng.permutation(n)`, the same numbers, while the event loop runs. */
export async function longPermutation(rng: Rng, n: number): Promise<Int32Array> {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  await inBlocks(n - 1, (from, to) => {
    for (let k = from; k < to; k++) {
      const i = n - 1 - k, j = Math.floor(rng.uniform() * (i + 1)), t = order[i];
      order[i] = order[j];
      order[j] = t;
    }
  });
  return order;
}
