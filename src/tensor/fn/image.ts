/**
 * Resampling of images `[n, c, h, w]`, as PyTorch does it.
 *
 * @module
 */
import { ConfigError, ShapeError } from "../../base/errors.ts";
import { fmtShape, type Shape, sizeOf } from "../../base/shape.ts";
import { abs, add, and, cast, div, eq, floor, ge, le, mul, round, sub, where } from "../../graph/elementwise.ts";
import { array, constant, scalar } from "../../graph/leaves.ts";
import type { Node } from "../../graph/node.ts";
import { gather } from "../../graph/products.ts";
import { expand, reshape, slice } from "../../graph/views.ts";
import { composite } from "./composite.ts";

/** Options of `interpolate`: `size` or `scale`. */
export interface InterpolateOptions {
  /** `[h, w]` of the result, or one number for both. */
  readonly size?: number | readonly [number, number];
  /** Size of the result over that of the input, for both axes or each. */
  readonly scale?: number | readonly [number, number];
  /** `"nearest"` (the default) or `"bilinear"`. */
  readonly mode?: "nearest" | "bilinear";
  /** Bilinear only: whether the centers of corner pixels, not their outer corners, are put onto each other. */
  readonly alignCorners?: boolean;
}

/** `[n, c, h, w]` at another size. */
export function interpolate(
  x: Node,
  { size, scale, mode = "nearest", alignCorners = false }: InterpolateOptions,
): Node {
  if (x.shape.length !== 4) {
    throw new ShapeError(`Cannot interpolate ${fmtShape(x.shape)}: images have the shape [n, c, h, w]`);
  }
  if ((size === undefined) === (scale === undefined)) {
    throw new ConfigError("Cannot interpolate: give either size or scale");
  }
  const scales = scale === undefined ? null : pair(scale);
  const sizes = size === undefined ? pair(scale!).map((s, i) => Math.floor(x.shape[i + 2] * s)) : pair(size);
  if (sizes.some((n) => !Number.isInteger(n) || n < 1) || sizeOf(x.shape.slice(2)) === 0) {
    throw new ShapeError(
      `Cannot interpolate ${fmtShape(x.shape)} to ${fmtShape(sizes)}: sizes are whole numbers from 1`,
    );
  }
  const from = mode === "bilinear" ? cast(x, "f32") : x;
  let y = from;
  for (const i of [0, 1]) {
    const step = scales === null ? null : 1 / scales[i];
    y = mode === "nearest" ? nearest(y, i + 2, sizes[i], step) : linear(y, i + 2, sizes[i], step, alignCorners);
  }
  const [h, w] = x.shape.slice(2), whole = sizes[0] % h === 0 && sizes[1] % w === 0;
  const same = scales === null || scales[0] * h === sizes[0] && scales[1] * w === sizes[1];
  if (!same || mode === "nearest" && !whole) return y; // others would take their own ways of rounding
  return composite(y, "interpolate", [from], { mode, corners: alignCorners ? 1 : 0, sizes });
}

function pair(v: number | readonly [number, number]): readonly [number, number] {
  return typeof v === "number" ? [v, v] : v;
}

/** Element `floor(i n / size)` along `axis`; sizes n and 2 n are exact, whatever the scale that led to them. */
function nearest(x: Node, axis: number, size: number, step: number | null): Node {
  const n = x.shape[axis];
  if (size === n) return x;
  const shape = x.shape.map((m, i) => i === axis ? size : m);
  if (size === 2 * n || (size % n === 0 && (step === null || step === n / size))) {
    // whole factors only repeat elements
    const apart = [...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)];
    return reshape(expand(reshape(x, apart), apart.map((m, i) => i === axis + 1 ? size / n : m)), shape);
  }
  const ratio = Math.fround(step ?? n / size);
  const index = Int32Array.from({ length: size }, (_, i) => Math.min(n - 1, Math.floor(Math.fround(i * ratio))));
  return gather(x, along(index, "i32", axis), axis, shape);
}

/** Two neighbours weighted by their distance along `axis`; size n is exact, whatever the scale that led to it. */
function linear(x: Node, axis: number, size: number, step: number | null, corners: boolean): Node {
  const n = x.shape[axis];
  if (size === n) return x;
  const ratio = corners ? (size > 1 ? (n - 1) / (size - 1) : 0) : step ?? n / size;
  const low = new Int32Array(size), high = new Int32Array(size), weight = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const at = corners ? i * ratio : Math.max(0, (i + 0.5) * ratio - 0.5);
    low[i] = Math.min(n - 1, Math.floor(at));
    high[i] = Math.min(n - 1, low[i] + 1);
    weight[i] = Math.min(1, at - low[i]);
  }
  const shape = x.shape.map((m, i) => i === axis ? size : m);
  const a = gather(x, along(low, "i32", axis), axis, shape);
  const b = gather(x, along(high, "i32", axis), axis, shape);
  return add(a, mul(sub(b, a), along(weight, "f32", axis)));
}

/** A host array as a tensor of four axes, all of size 1 but `axis`. */
function along(data: Int32Array | Float32Array, dtype: "i32" | "f32", axis: number): Node {
  return array(data, [0, 1, 2, 3].map((i) => i === axis ? data.length : 1), dtype);
}

/**
 * Points to sample at, `[n, h, w, 2]` as (x, y) in [-1, 1], for the affine maps `theta` (`[n, 2, 3]`) to images of `size`.
 */
export function affineGrid(theta: Node, size: Shape, corners: boolean): Node {
  if (theta.shape.length !== 3 || theta.shape[1] !== 2 || theta.shape[2] !== 3) {
    throw new ShapeError(`Cannot make a grid of maps of shape ${fmtShape(theta.shape)}: they must be [n, 2, 3]`);
  }
  if (size.length !== 4 || size[0] !== theta.shape[0]) {
    throw new ShapeError(`Cannot make a grid for ${fmtShape(size)}: give [n, c, h, w] with n = ${theta.shape[0]}`);
  }
  const [n, , h, w] = size;
  const maps = reshape(cast(theta, "f32"), [n, 1, 1, 2, 3]);
  const column = (j: number) => reshape(slice(maps, [0, 0, 0, 0, j], [n, 1, 1, 2, 1]), [n, 1, 1, 2]);
  const xs = along(positions(w, corners), "f32", 2), ys = along(positions(h, corners), "f32", 1);
  return add(add(mul(column(0), xs), mul(column(1), ys)), column(2));
}

/** Centers of `n` pixels in [-1, 1]; with `corners` the outer ones lie at the ends. */
function positions(n: number, corners: boolean): Float32Array {
  return Float32Array.from({ length: n }, (_, i) => corners ? (n > 1 ? 2 * i / (n - 1) - 1 : 0) : (2 * i + 1) / n - 1);
}

/** Options of `gridSample`. */
export interface GridSampleOptions {
  /** `"bilinear"` (the default) or `"nearest"`. */
  readonly mode?: "bilinear" | "nearest";
  /** What lies outside: 0 (`"zeros"`, the default), the edge (`"border"`) or the mirrored image (`"reflection"`). */
  readonly paddingMode?: "zeros" | "border" | "reflection";
  /** Whether -1 and 1 are the centers of corner pixels, not their outer corners. */
  readonly alignCorners?: boolean;
}

/** Values of `x` (`[n, c, h, w]`) at the points of `grid` (`[n, oh, ow, 2]`, (x, y) in [-1, 1]): `[n, c, oh, ow]`. */
export function gridSample(
  x: Node,
  grid: Node,
  { mode = "bilinear", paddingMode = "zeros", alignCorners = false }: GridSampleOptions,
): Node {
  if (x.shape.length !== 4 || grid.shape.length !== 4 || grid.shape[3] !== 2 || grid.shape[0] !== x.shape[0]) {
    throw new ShapeError(
      `Cannot sample ${fmtShape(x.shape)} at ${fmtShape(grid.shape)}: they must be [n, c, h, w] and [n, oh, ow, 2]`,
    );
  }
  const image = cast(x, "f32"), places = cast(grid, "f32");
  const y = sampled(image, places, mode, paddingMode, alignCorners);
  return composite(y, "gridSample", [image, places], { mode, padding: paddingMode, corners: alignCorners ? 1 : 0 });
}

function sampled(
  x: Node,
  grid: Node,
  mode: "bilinear" | "nearest",
  paddingMode: "zeros" | "border" | "reflection",
  alignCorners: boolean,
): Node {
  const [n, c, h, w] = x.shape;
  const [, oh, ow] = grid.shape;
  const points = oh * ow;
  const at = (j: number, size: number): Node => {
    const g = reshape(slice(grid, [0, 0, 0, j], [n, oh, ow, 1]), [n, 1, points]);
    const half = scalar(alignCorners ? (size - 1) / 2 : size / 2);
    // -1..1 to pixels: (g + 1) / 2 (size - 1), or ((g + 1) size - 1) / 2
    const pixel = mul(add(g, constant(1)), half);
    return padded(alignCorners ? pixel : sub(pixel, constant(0.5)), size, paddingMode, alignCorners);
  };
  const px = at(0, w), py = at(1, h);
  const pixels = reshape(x, [n, c, h * w]);
  const pick = (ix: Node, iy: Node): Node => {
    const inside = and(and(ge(ix, zero), le(ix, scalar(w - 1))), and(ge(iy, zero), le(iy, scalar(h - 1))));
    const cx = cast(limit(ix, w), "i32"), cy = cast(limit(iy, h), "i32");
    const index = add(mul(cy, scalar(w, "i32")), cx);
    return where(inside, gather(pixels, index, 2, [n, c, points]), zero);
  };
  if (mode === "nearest") return reshape(pick(round(px), round(py)), [n, c, oh, ow]);
  const x0 = floor(px), y0 = floor(py);
  const x1 = add(x0, constant(1)), y1 = add(y0, constant(1));
  const fx = sub(px, x0), fy = sub(py, y0), gx = sub(x1, px), gy = sub(y1, py);
  const top = add(mul(pick(x0, y0), mul(gx, gy)), mul(pick(x1, y0), mul(fx, gy)));
  const bottom = add(mul(pick(x0, y1), mul(gx, fy)), mul(pick(x1, y1), mul(fx, fy)));
  return reshape(add(top, bottom), [n, c, oh, ow]);
}

const zero = constant(0);

/** `x` limited to `[0, size - 1]`; the derivative at both ends is 0, where the neighbour beyond the end would count as 0. */
function limit(x: Node, size: number): Node {
  const end = scalar(size - 1);
  return where(le(x, zero), zero, where(ge(x, end), end, x));
}

/** A coordinate brought into the image. */
function padded(x: Node, size: number, mode: "zeros" | "border" | "reflection", corners: boolean): Node {
  if (mode === "zeros") return x;
  if (mode === "border") return limit(x, size);
  const low = corners ? 0 : -0.5, span = corners ? size - 1 : size;
  if (span === 0) return mul(x, zero);
  // distance from the lower mirror, folded: each odd span runs backwards
  const d = abs(sub(x, scalar(low)));
  const flips = floor(div(d, scalar(span)));
  const extra = sub(d, mul(flips, scalar(span)));
  const even = eq(sub(flips, mul(constant(2), floor(mul(flips, constant(0.5))))), zero);
  return limit(add(where(even, extra, sub(scalar(span), extra)), scalar(low)), size);
}
