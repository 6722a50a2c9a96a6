/**
 * Pooling of images `[n, c, h, w]`, as PyTorch does it.
 *
 * @module
 */
import { ConfigError, ShapeError } from "../../base/errors.ts";
import { fmtShape } from "../../base/shape.ts";
import { cast, div, mul } from "../../graph/elementwise.ts";
import { array, constant } from "../../graph/leaves.ts";
import type { Node } from "../../graph/node.ts";
import { gather } from "../../graph/products.ts";
import { reduce, reduceFirst } from "../../graph/reduce.ts";
import { reshape } from "../../graph/views.ts";
import { windows, type WindowSpec } from "../../graph/windows.ts";
import { like } from "./activation.ts";
import { composite } from "./composite.ts";
import { type PerAxis, perAxis, placesOf } from "./conv.ts";

/** Options of the pools; numbers stand for both axes. */
export interface PoolOptions {
  /** Distance between windows; the kernel's size if left out. */
  readonly stride?: PerAxis;
  /** Rows and columns around the image, at most half the kernel; 0 if left out. */
  readonly padding?: PerAxis;
  /** Whether windows may hang over the end of the image; false if left out. */
  readonly ceilMode?: boolean;
}

/** Options of `maxPool2d`. */
export interface MaxPoolOptions extends PoolOptions {
  /** Distance between the elements of a window; 1 if left out. */
  readonly dilation?: PerAxis;
}

/** Options of `avgPool2d`. */
export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts as elements of value 0; true if left out. */
  readonly countIncludePad?: boolean;
}

interface Layout {
  readonly spec: WindowSpec;
  readonly taps: readonly number[];
  readonly places: readonly number[];
}

const TAP_AXES = [3, 5];

function layout(what: string, x: Node, kernel: PerAxis, options: MaxPoolOptions): Layout {
  checkImage(what, x);
  const taps = perAxis(what, "kernel", kernel, 2, 1);
  const { stride = taps, padding = 0, dilation = 1, ceilMode = false } = options;
  const spec = {
    stride: perAxis(what, "stride", stride, 2, 1),
    before: perAxis(what, "padding", padding, 2, 0),
    dilation: perAxis(what, "dilation", dilation, 2, 1),
  };
  const wide = taps.findIndex((k, i) => spec.before[i] * 2 > (k - 1) * spec.dilation[i] + 1);
  if (wide >= 0) {
    throw new ConfigError(
      `Cannot ${what} with padding ${spec.before[wide]}: it is at most half the kernel, got a kernel of ${taps[wide]}`,
    );
  }
  const size = x.shape.slice(2);
  const places = size.map((n, i) => {
    const [k, s, p, d] = [taps[i], spec.stride[i], spec.before[i], spec.dilation[i]];
    if (!ceilMode) return placesOf(n, k, s, p, d);
    const all = Math.ceil((n + 2 * p - d * (k - 1) - 1) / s) + 1;
    return (all - 1) * s >= n + p ? all - 1 : all; // the last window begins inside the image or the padding before it
  });
  if (places.some((n) => n < 1)) {
    throw new ShapeError(
      `Cannot ${what} ${fmtShape(x.shape)} by a kernel of ${fmtShape(taps)}: it is larger than the padded image`,
    );
  }
  return { spec, taps, places };
}

function checkImage(what: string, x: Node): void {
  if (x.shape.length !== 4) {
    throw new ShapeError(`Cannot ${what} ${fmtShape(x.shape)}: images have the shape [n, c, h, w]`);
  }
  if (x.size === 0) throw new ShapeError(`Cannot ${what} ${fmtShape(x.shape)}: there is no element`);
}

/** The largest element of each window; the gradient goes to the first of equal ones. */
export function maxPool(x: Node, kernel: PerAxis, options: MaxPoolOptions): Node {
  const { spec, taps, places } = layout("maxPool2d", x, kernel, options);
  const image = cast(x, "f32");
  const y = reduceFirst("max", windows(image, spec, places, taps, true), TAP_AXES);
  return like(x, pooled("maxPool", y, image, { spec, taps, places }));
}

/** A pool as one operation. */
function pooled(kind: string, y: Node, x: Node, { spec, taps }: Layout, countPad = false): Node {
  const { stride, before, dilation } = spec;
  return composite(y, kind, [x], { taps, stride, padding: before, dilation, countPad: countPad ? 1 : 0 });
}

/** The mean of each window. */
export function avgPool(x: Node, kernel: PerAxis, options: AvgPoolOptions): Node {
  const { countIncludePad = true, ...rest } = options;
  const { spec, taps, places } = layout("avgPool2d", x, kernel, rest);
  const image = cast(x, "f32");
  const sums = reduce("sum", windows(image, spec, places, taps), TAP_AXES);
  const full = taps[0] * taps[1];
  const counts = places.map((n, i) =>
    Array.from({ length: n }, (_, o) => {
      const [low, size] = [o * spec.stride[i] - spec.before[i], x.shape[i + 2]];
      const high = Math.min(low + taps[i], size + spec.before[i]);
      return countIncludePad ? high - low : Math.min(high, size) - Math.max(low, 0);
    })
  );
  if (counts.every((axis, i) => axis.every((n) => n === taps[i]))) {
    return like(x, pooled("avgPool", mul(sums, constant(Math.fround(1 / full))), image, { spec, taps, places }, true));
  }
  const along = counts.map((axis, i) => {
    const shape = i === 0 ? [axis.length, 1] : [axis.length];
    return array(Float32Array.from(axis), shape, "f32");
  });
  const y = div(sums, mul(along[0], along[1]));
  // what hangs over the end of the padding is not counted, and has no counterpart elsewhere
  return like(x, countIncludePad ? y : pooled("avgPool", y, image, { spec, taps, places }));
}

/** The elements of each window `[n, c, oh, kh, ow, kw]`, and the weight of each in its window's mean. */
interface Uneven {
  readonly view: Node;
  readonly weights: readonly Node[];
}

/** Windows of different sizes; beyond a window's end its last element is repeated, with weight 0. */
function uneven(x: Node, places: readonly number[]): Uneven {
  let view = x;
  const weights: Node[] = [];
  for (const [i, n] of places.entries()) {
    const axis = 2 + 2 * i;
    const size = view.shape[axis];
    const low = Array.from({ length: n }, (_, o) => Math.floor(o * size / n));
    const high = Array.from({ length: n }, (_, o) => Math.ceil((o + 1) * size / n));
    const taps = Math.max(...low.map((l, o) => high[o] - l));
    const index = new Int32Array(n * taps), weight = new Float32Array(n * taps);
    for (let o = 0; o < n; o++) {
      for (let t = 0; t < taps; t++) {
        index[o * taps + t] = Math.min(low[o] + t, high[o] - 1);
        weight[o * taps + t] = low[o] + t < high[o] ? 1 / (high[o] - low[o]) : 0;
      }
    }
    const flat = view.shape.map((m, a) => a === axis ? n * taps : m);
    const picked = gather(view, array(index, flat.map((m, a) => a === axis ? m : 1), "i32"), axis, flat);
    view = reshape(picked, [...flat.slice(0, axis), n, taps, ...flat.slice(axis + 1)]);
    weights.push(array(weight, i === 0 ? [n, taps, 1, 1] : [n, taps], "f32"));
  }
  return { view, weights };
}

/** Kernel of windows that cover the image evenly, or null if there are none. */
function evenKernel(x: Node, places: readonly number[]): readonly number[] | null {
  const taps = places.map((n, i) => x.shape[i + 2] / n);
  return taps.every(Number.isInteger) ? taps : null;
}

/** The means of `size` windows that together cover the image. */
export function adaptiveAvgPool(x: Node, size: PerAxis): Node {
  checkImage("adaptiveAvgPool2d", x);
  const places = perAxis("adaptiveAvgPool2d", "size", size, 2, 1);
  const taps = evenKernel(x, places);
  if (taps !== null) return avgPool(x, taps, {});
  const { view, weights: [rows, columns] } = uneven(cast(x, "f32"), places);
  return like(x, reduce("sum", mul(mul(view, rows), columns), TAP_AXES));
}

/** The largest elements of `size` windows that together cover the image; the gradient goes to the first of equal ones. */
export function adaptiveMaxPool(x: Node, size: PerAxis): Node {
  checkImage("adaptiveMaxPool2d", x);
  const places = perAxis("adaptiveMaxPool2d", "size", size, 2, 1);
  const taps = evenKernel(x, places);
  return taps !== null ? maxPool(x, taps, {}) : reduceFirst("max", uneven(cast(x, "f32"), places).view, TAP_AXES);
}
