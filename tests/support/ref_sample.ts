/**
 * Float64 references of resampling; images are [n, c, h, w].
 *
 * @module
 */
import { at, build, type Ref } from "./ref_core.ts";

/** Options of {@link interpolate}: either `size` or `scale`. */
export interface InterpolateOptions {
  readonly size?: readonly [number, number];
  readonly scale?: number;
  readonly mode?: "nearest" | "bilinear";
  readonly alignCorners?: boolean;
}

/** Resizes the last two axes, as PyTorch does. */
export function interpolate(x: Ref, options: InterpolateOptions): Ref {
  const { scale = 1, mode = "nearest", alignCorners = false } = options;
  const [n, c, h, w] = x.shape;
  const [oh, ow] = options.size ?? [Math.floor(h * scale), Math.floor(w * scale)];
  if (mode === "nearest") {
    return build([n, c, oh, ow], ([b, k, i, j]) => at(x, [b, k, Math.floor(i * h / oh), Math.floor(j * w / ow)]));
  }
  // bilinear: the source position is clamped at 0, and at the far end the neighbour is the last element again
  const source = (i: number, from: number, to: number): number =>
    alignCorners ? (to > 1 ? i * (from - 1) / (to - 1) : 0) : Math.max((i + 0.5) * from / to - 0.5, 0);
  return build([n, c, oh, ow], ([b, k, i, j]) => {
    const inside = (y: number, z: number): number => at(x, [b, k, Math.min(y, h - 1), Math.min(z, w - 1)]);
    return bilinear(inside, source(i, h, oh), source(j, w, ow));
  });
}

function bilinear(pixel: (y: number, x: number) => number, y: number, x: number): number {
  const [y0, x0] = [Math.floor(y), Math.floor(x)];
  const [fy, fx] = [y - y0, x - x0];
  return (1 - fy) * ((1 - fx) * pixel(y0, x0) + fx * pixel(y0, x0 + 1)) +
    fy * ((1 - fx) * pixel(y0 + 1, x0) + fx * pixel(y0 + 1, x0 + 1));
}

/** Sampling positions [n, h, w, 2] in [-1, 1], x first, of the affine maps `theta` [n, 2, 3]. */
export function affineGrid(theta: Ref, [n, , h, w]: readonly number[], { alignCorners = false } = {}): Ref {
  const place = (i: number, size: number): number =>
    alignCorners ? (size > 1 ? -1 + 2 * i / (size - 1) : 0) : (2 * i + 1) / size - 1;
  return build(
    [n, h, w, 2],
    ([b, i, j, k]) => at(theta, [b, k, 0]) * place(j, w) + at(theta, [b, k, 1]) * place(i, h) + at(theta, [b, k, 2]),
  );
}

/** Options of {@link gridSample}. */
export interface GridSampleOptions {
  readonly mode?: "bilinear" | "nearest";
  readonly paddingMode?: "zeros" | "border" | "reflection";
  readonly alignCorners?: boolean;
}

/** x [n, c, h, w] at the positions `grid` [n, oh, ow, 2] in [-1, 1], x first. */
export function gridSample(x: Ref, grid: Ref, options: GridSampleOptions = {}): Ref {
  const { mode = "bilinear", paddingMode = "zeros", alignCorners = false } = options;
  const [n, c, h, w] = x.shape;
  const place = (v: number, size: number): number => {
    const pixel = alignCorners ? (v + 1) / 2 * (size - 1) : ((v + 1) * size - 1) / 2;
    if (paddingMode === "zeros") return pixel;
    const reflected = paddingMode === "reflection" ? reflect(pixel, size, alignCorners) : pixel;
    return Math.min(Math.max(reflected, 0), size - 1);
  };
  return build([n, c, grid.shape[1], grid.shape[2]], ([b, k, i, j]) => {
    const [gx, gy] = [place(at(grid, [b, i, j, 0]), w), place(at(grid, [b, i, j, 1]), h)];
    const pixel = (y: number, z: number): number => y >= 0 && y < h && z >= 0 && z < w ? at(x, [b, k, y, z]) : 0;
    return mode === "nearest" ? pixel(Math.round(gy), Math.round(gx)) : bilinear(pixel, gy, gx);
  });
}

// back and forth between the outermost pixels' centres (alignCorners) or edges
function reflect(pixel: number, size: number, alignCorners: boolean): number {
  const [low, high] = alignCorners ? [0, size - 1] : [-0.5, size - 0.5];
  const span = high - low;
  if (span === 0) return 0;
  const folded = Math.abs(pixel - low) % (2 * span);
  return low + (folded > span ? 2 * span - folded : folded);
}
