/**
 * Float64 references of products, reductions and what is made of them.
 *
 * @module
 */
import { add, exp, sub } from "./ref_elementwise.ts";
import {
  at,
  axisOf,
  broadcastAt,
  broadcastShape,
  build,
  forEachCoord,
  mapped,
  type Ref,
  ref,
  withAxis,
} from "./ref_core.ts";

/** Which axes to fold, and whether they stay with size 1; all if left out. */
export interface AxisOptions {
  readonly axis?: number | readonly number[];
  readonly keepdim?: boolean;
}

/** Product of vectors, matrices and batches, as NumPy's `matmul`. */
export function matmul(a: Ref, b: Ref): Ref {
  const left: Ref = a.shape.length === 1 ? { shape: [1, ...a.shape], data: a.data } : a;
  const right: Ref = b.shape.length === 1 ? { shape: [...b.shape, 1], data: b.data } : b;
  const batch = broadcastShape(left.shape.slice(0, -2), right.shape.slice(0, -2));
  const [m, k, n] = [left.shape.at(-2) ?? 1, left.shape.at(-1) ?? 1, right.shape.at(-1) ?? 1];
  if (right.shape.at(-2) !== k) throw new Error(`[${a.shape}] and [${b.shape}] do not multiply`);
  const product = build([...batch, m, n], (c) => {
    const [lead, i, j] = [c.slice(0, -2), c[c.length - 2], c[c.length - 1]];
    let sum = 0;
    for (let l = 0; l < k; l++) sum += broadcastAt(left, [...lead, i, l]) * broadcastAt(right, [...lead, l, j]);
    return sum;
  });
  const shape = [...batch, ...(a.shape.length === 1 ? [] : [m]), ...(b.shape.length === 1 ? [] : [n])];
  return { shape, data: product.data };
}

/** Folds the elements of each group, which come in row-major order, with `f`. */
export function reduced(x: Ref, { axis, keepdim = false }: AxisOptions, f: (group: number[]) => number): Ref {
  const rank = x.shape.length;
  const all = x.shape.map((_, i) => i);
  const axes = axis === undefined ? all : [axis].flat().map((a) => axisOf(a, rank));
  const kept = x.shape.map((n, i) => axes.includes(i) ? 1 : n);
  const groups = Array.from({ length: kept.reduce((a, b) => a * b, 1) }, (): number[] => []);
  forEachCoord(x.shape, (c, i) => {
    const group = c.reduce((g, v, j) => g * kept[j] + (axes.includes(j) ? 0 : v), 0);
    groups[group].push(x.data[i]);
  });
  return ref(keepdim ? kept : x.shape.filter((_, i) => !axes.includes(i)), groups.map(f));
}

const total = (group: readonly number[]): number => group.reduce((a, b) => a + b, 0);
const average = (group: readonly number[]): number => total(group) / group.length;

export const sum = (x: Ref, options: AxisOptions = {}): Ref => reduced(x, options, total);
export const mean = (x: Ref, options: AxisOptions = {}): Ref => reduced(x, options, average);
export const max = (x: Ref, options: AxisOptions = {}): Ref => reduced(x, options, (g) => Math.max(...g));
export const min = (x: Ref, options: AxisOptions = {}): Ref => reduced(x, options, (g) => Math.min(...g));
export const any = (x: Ref, options: AxisOptions = {}): Ref =>
  reduced(x, options, (g) => g.some((v) => v !== 0) ? 1 : 0);
export const all = (x: Ref, options: AxisOptions = {}): Ref =>
  reduced(x, options, (g) => g.every((v) => v !== 0) ? 1 : 0);

/** log of the sum of exponentials, the largest taken out first. */
export function logsumexp(x: Ref, options: AxisOptions = {}): Ref {
  return reduced(x, options, (g) => {
    const most = Math.max(...g);
    return Number.isFinite(most) ? most + Math.log(total(g.map((v) => Math.exp(v - most)))) : most;
  });
}

/** Index of the first largest element; a NaN counts as the largest. */
export function argmax(x: Ref, options: AxisOptions = {}): Ref {
  return reduced(x, options, (g) => {
    const nan = g.findIndex(Number.isNaN);
    return nan >= 0 ? nan : g.indexOf(Math.max(...g));
  });
}

/** Index of the first smallest element; a NaN counts as the smallest. */
export function argmin(x: Ref, options: AxisOptions = {}): Ref {
  return argmax(mapped(x, (v) => -v), options);
}

/** Squared distance from the mean, over n - correction. */
export function variance(x: Ref, { correction = 1, ...options }: AxisOptions & { correction?: number } = {}): Ref {
  return reduced(x, options, (g) => {
    const centre = average(g);
    return total(g.map((v) => (v - centre) ** 2)) / (g.length - correction);
  });
}

/** Square root of the variance. */
export function std(x: Ref, options: AxisOptions & { correction?: number } = {}): Ref {
  return mapped(variance(x, options), Math.sqrt);
}

/** Logarithm of {@link softmax}. */
export function logSoftmax(x: Ref, { axis = -1 }: { axis?: number } = {}): Ref {
  return sub(x, logsumexp(x, { axis, keepdim: true }));
}

/** Exponentials that sum to 1 along the axis. */
export function softmax(x: Ref, options: { axis?: number } = {}): Ref {
  return exp(logSoftmax(x, options));
}

/** Sums of everything up to and including each element. */
export function cumsum(x: Ref, { axis = -1 }: { axis?: number } = {}): Ref {
  const along = axisOf(axis, x.shape.length);
  return build(x.shape, (c) => {
    let result = 0;
    for (let i = 0; i <= c[along]; i++) result += at(x, withAxis(c, along, i));
    return result;
  });
}

/** The k largest elements along the axis, largest first, equal ones by index; and where they are. */
export function topk(x: Ref, k: number, { axis = -1 }: { axis?: number } = {}): { values: Ref; indices: Ref } {
  const along = axisOf(axis, x.shape.length);
  const shape = withAxis(x.shape, along, k);
  const indices = build(shape, (c) => {
    const line = Array.from({ length: x.shape[along] }, (_, i) => at(x, withAxis(c, along, i)));
    const order = line.map((_, i) => i).sort((p, q) => line[q] - line[p] || p - q);
    return order[c[along]];
  });
  return { values: build(shape, (c) => at(x, withAxis(c, along, at(indices, c)))), indices };
}

/** x weight^T + bias; weight is [out, in]. */
export function linear(x: Ref, weight: Ref, bias?: Ref): Ref {
  const [outs, ins] = weight.shape;
  const y = matmul(x, build([ins, outs], ([i, o]) => at(weight, [o, i])));
  return bias ? add(y, bias) : y;
}
