/** From values to pixels, and where ticks stand. */

/** Ticks at round numbers, about `count` of them. */
export function linearTicks(low, high, count) {
  const rough = (high - low) / Math.max(1, count), power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999) ?? 10 * power;
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) {
    ticks.push(Number((k * step).toPrecision(12)));
  }
  return ticks;
}

/** Ticks at powers of ten; their doubles and fives too where there are few. */
export function logTicks(low, high, count) {
  const from = Math.floor(Math.log10(low)), to = Math.ceil(Math.log10(high));
  const every = Math.max(1, Math.ceil((to - from) / count));
  const ticks = [];
  for (let p = from; p <= to; p += every) {
    for (const m of to - from <= 2 ? [1, 2, 5] : [1]) ticks.push(Number(`${m}e${p}`));
  }
  const inside = ticks.filter((t) => t >= low * 0.999999 && t <= high * 1.000001);
  return inside.length > 1 ? inside : linearTicks(low, high, count);
}

/** A scale from `[low, high]` to `[start, end]`. */
export function makeScale(low, high, start, end, log) {
  const f = log ? Math.log : (v) => v;
  const a = f(low), b = f(high);
  return (v) => start + (end - start) * (f(v) - a) / (b - a);
}

/** A range that is not empty, with some air; `air` is a fraction of its length. */
export function widen([low, high], log, air) {
  if (log) {
    if (low === high) return [low / 2, high * 2];
    const by = (high / low) ** air;
    return [low / by, high * by];
  }
  if (low === high) {
    const by = low === 0 ? 1 : Math.abs(low) * 0.1;
    return [low - by, high + by];
  }
  return [low - (high - low) * air, high + (high - low) * air];
}
