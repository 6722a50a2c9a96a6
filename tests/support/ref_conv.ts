/**
 * Convolutions and pools in plain float64: sums over the taps of each window, as the definitions read.
 *
 * @module
 */
import { at, build, forEachCoord, type Ref } from "./ref_core.ts";

/** How windows lie, one number an axis. */
export interface RefWindows {
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups?: number;
}

/** Coordinates of tap `k` of the window at `o`, or null outside of an image of `size`. */
function tapAt(o: readonly number[], k: readonly number[], w: RefWindows, size: readonly number[]): number[] | null {
  const c = o.map((v, i) => v * w.stride[i] + k[i] * w.dilation[i] - w.padding[i]);
  return c.every((v, i) => v >= 0 && v < size[i]) ? c : null;
}

/** How many windows fit. */
export function refPlaces(size: readonly number[], taps: readonly number[], w: RefWindows): number[] {
  return size.map((n, i) => Math.floor((n + 2 * w.padding[i] - w.dilation[i] * (taps[i] - 1) - 1) / w.stride[i]) + 1);
}

/** `x` `[n, cin, size...]` by `weight` `[cout, cin / groups, taps...]`. */
export function refConv(x: Ref, weight: Ref, w: RefWindows): Ref {
  const { groups = 1 } = w;
  const [cout, cin, ...taps] = weight.shape;
  const size = x.shape.slice(2);
  return build([x.shape[0], cout, ...refPlaces(size, taps, w)], ([n, co, ...o]) => {
    const g = Math.floor(co / (cout / groups));
    let sum = 0;
    forEachCoord([cin, ...taps], ([ci, ...k]) => {
      const c = tapAt(o, k, w, size);
      if (c !== null) sum += at(x, [n, g * cin + ci, ...c]) * at(weight, [co, ci, ...k]);
    });
    return sum;
  });
}

/** Gradient of the weight, of `shape`: `x` at each tap times the result's gradient `dy`, summed over batch and places. */
export function refConvWeight(x: Ref, dy: Ref, shape: readonly number[], w: RefWindows): Ref {
  const { groups = 1 } = w;
  const [cout, cin] = shape;
  const [batch, , ...places] = dy.shape;
  return build(shape, ([co, ci, ...k]) => {
    const g = Math.floor(co / (cout / groups));
    let sum = 0;
    forEachCoord([batch, ...places], ([n, ...o]) => {
      const c = tapAt(o, k, w, x.shape.slice(2));
      if (c !== null) sum += at(x, [n, g * cin + ci, ...c]) * at(dy, [n, co, ...o]);
    });
    return sum;
  });
}

/** Each element of `x` `[n, cin, size...]`, times `weight` `[cin, cout / groups, taps...]`, spread over its window. */
export function refConvTranspose(x: Ref, weight: Ref, w: RefWindows, size: readonly number[]): Ref {
  const { groups = 1 } = w;
  const [cin, cout, ...taps] = weight.shape;
  const y = build([x.shape[0], cout * groups, ...size], () => 0);
  forEachCoord(x.shape, ([n, ci, ...o], i) => {
    const g = Math.floor(ci / (cin / groups));
    forEachCoord([cout, ...taps], ([co, ...k]) => {
      const c = tapAt(o, k, w, size);
      if (c === null) return;
      let place = n * cout * groups + g * cout + co;
      c.forEach((v, axis) => place = place * size[axis] + v);
      y.data[place] += x.data[i] * at(weight, [ci, co, ...k]);
    });
  });
  return y;
}

/** Windows of the last axes: `[..., places, taps, places, taps]`, 0 outside. */
export function refWindows(x: Ref, places: readonly number[], taps: readonly number[], w: RefWindows): Ref {
  const d = taps.length, lead = x.shape.length - d;
  const shape = [...x.shape.slice(0, lead), ...places.flatMap((n, i) => [n, taps[i]])];
  return build(shape, (c) => {
    const o = taps.map((_, i) => c[lead + 2 * i]), k = taps.map((_, i) => c[lead + 2 * i + 1]);
    const inside = tapAt(o, k, w, x.shape.slice(lead));
    return inside === null ? 0 : at(x, [...c.slice(0, lead), ...inside]);
  });
}

/** Largest element of each window. */
export function refMaxPool(x: Ref, taps: readonly number[], w: RefWindows): Ref {
  const size = x.shape.slice(2);
  return build([...x.shape.slice(0, 2), ...refPlaces(size, taps, w)], ([n, c, ...o]) => {
    let best = -Infinity;
    forEachCoord(taps, (k) => {
      const p = tapAt(o, k, w, size);
      if (p !== null) best = Math.max(best, at(x, [n, c, ...p]));
    });
    return best;
  });
}
