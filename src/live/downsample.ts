/**
 * Long records as few points.
 *
 * @module
 */

/**
 * Which entries of `values` to show, `from` on, where all are too many: of each stretch of equal length the smallest and
 * the largest, so that spikes stay, and the last one. In order; at most about `most`.
 *
 * @param values A record, one entry a step.
 * @param from First entry that counts.
 * @param most How many entries to give, at least 2.
 */
export function downsample(values: readonly number[], from: number, most: number): number[] {
  const n = values.length - from;
  if (n <= most) return Array.from({ length: Math.max(0, n) }, (_, i) => from + i);
  const stretches = Math.max(1, Math.floor(most / 2));
  const out: number[] = [];
  for (let s = 0; s < stretches; s++) {
    const start = from + Math.floor(s * n / stretches), end = from + Math.floor((s + 1) * n / stretches);
    let low = start, high = start;
    for (let i = start + 1; i < end; i++) {
      if (values[i] < values[low]) low = i;
      // NaN counts as the largest: it is what one wants to see
      if (values[i] > values[high] || Number.isNaN(values[i])) high = i;
    }
    out.push(Math.min(low, high));
    if (low !== high) out.push(Math.max(low, high));
  }
  if (out[out.length - 1] !== values.length - 1) out.push(values.length - 1);
  return out;
}
