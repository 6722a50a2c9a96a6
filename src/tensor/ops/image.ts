/**
 * Operations on sequences and images as free functions.
 *
 * @module
 */
import type { Shape } from "../../base/shape.ts";
import type { ConvOptions, ConvTransposeOptions, PerAxis } from "../fn/conv.ts";
import type { GridSampleOptions, InterpolateOptions } from "../fn/image.ts";
import type { AvgPoolOptions, MaxPoolOptions } from "../fn/pool.ts";
import type { Tensor } from "../tensor.ts";

/** Sequences `[n, cin, l]` by a weight `[cout, cin / groups, taps]`: `[n, cout, places]`. */
export function conv1d(x: Tensor, weight: Tensor, options: ConvOptions<Tensor> = {}): Tensor {
  return x.conv1d(weight, options);
}

/** Images `[n, cin, h, w]` by a weight `[cout, cin / groups, kh, kw]`: `[n, cout, oh, ow]`. */
export function conv2d(x: Tensor, weight: Tensor, options: ConvOptions<Tensor> = {}): Tensor {
  return x.conv2d(weight, options);
}

/** Images `[n, cin, h, w]` by a weight `[cin, cout / groups, kh, kw]`, as the gradient of a convolution spreads them. */
export function convTranspose2d(x: Tensor, weight: Tensor, options: ConvTransposeOptions<Tensor> = {}): Tensor {
  return x.convTranspose2d(weight, options);
}

/** The largest element of each window of images `[n, c, h, w]`; the gradient goes to the first of equal ones. */
export function maxPool2d(x: Tensor, kernel: PerAxis, options: MaxPoolOptions = {}): Tensor {
  return x.maxPool2d(kernel, options);
}

/** The mean of each window of images `[n, c, h, w]`. */
export function avgPool2d(x: Tensor, kernel: PerAxis, options: AvgPoolOptions = {}): Tensor {
  return x.avgPool2d(kernel, options);
}

/** The means of `size` windows that together cover images `[n, c, h, w]`: `[n, c, ...size]`. */
export function adaptiveAvgPool2d(x: Tensor, size: PerAxis): Tensor {
  return x.adaptiveAvgPool2d(size);
}

/** The largest elements of `size` windows that together cover images `[n, c, h, w]`: `[n, c, ...size]`. */
export function adaptiveMaxPool2d(x: Tensor, size: PerAxis): Tensor {
  return x.adaptiveMaxPool2d(size);
}

/** Images `[n, c, h, w]` at another size. */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  return x.interpolate(options);
}

/** Values of images `[n, c, h, w]` at the points of `grid`, `[n, oh, ow, 2]` as (x, y) in [-1, 1]. */
export function gridSample(x: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor {
  return x.gridSample(grid, options);
}

/** Points to sample images of `size` `[n, c, h, w]` at, for these affine maps `[n, 2, 3]`: `[n, h, w, 2]`. */
export function affineGrid(x: Tensor, size: Shape, options: { readonly alignCorners?: boolean } = {}): Tensor {
  return x.affineGrid(size, options);
}
