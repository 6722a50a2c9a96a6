/**
 * Random splits: which items are held out.
 *
 * @module
 */

/** Splits items in random `order`: the first `floor(validPct n)` are for validation, the others for training. */
export function splitOrder(
  order: Int32Array,
  validPct: number,
): { readonly train: Int32Array; readonly valid: Int32Array } {
  const n = Math.floor(validPct * order.length);
  return { train: order.subarray(n), valid: order.subarray(0, n) };
}
