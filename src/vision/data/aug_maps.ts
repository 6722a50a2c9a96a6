/**
 * Random maps of the plane: where each pixel of a changed image comes from. Points are (x, y) in [-1, 1], the corners of the
 * image being the ends; a map is a 3 x 3 matrix, row by row, that acts on (x, y, 1), with a division by the third result.
 *
 * @module
 */
import type { Rng } from "../../tensor/mod.ts";

/** A 3 x 3 matrix, row by row. */
export type Map3 = readonly number[];

/** What maps are drawn from. */
export interface MapOptions {
  /** Whether half of the images are mirrored. */
  readonly doFlip: boolean;
  /** Whether mirroring and quarter turns are all among the flips. */
  readonly flipVert: boolean;
  /** Largest angle, in degrees. */
  readonly maxRotate: number;
  /** Least factor. */
  readonly minZoom: number;
  /** Largest factor. */
  readonly maxZoom: number;
  /** Largest shift of a corner, in halves of the image. */
  readonly maxWarp: number;
  /** Probability of each of rotation, zoom and warp. */
  readonly pAffine: number;
  /** Whether all images of a batch are changed alike. */
  readonly batch: boolean;
}

/** `n` numbers from `draw`, each with probability `p`, else `neutral`; all the same with `batch`. */
export function masked(n: number, rng: Rng, p: number, neutral: number, batch: boolean, draw: () => number): number[] {
  const one = (): number => {
    const value = draw(); // always drawn: what follows does not depend on the chance
    return rng.uniform() < p ? value : neutral;
  };
  if (!batch) return Array.from({ length: n }, one);
  const value = one();
  return Array.from({ length: n }, () => value);
}

/** The flips of a square: x' = xs (m0 x + m1 y), y' = ys (m1 x + m0 y). */
const XS = [1, -1, 1, -1, -1, 1, 1, -1], YS = [1, 1, -1, 1, -1, -1, 1, -1], M0 = [1, 1, 1, 0, 1, 0, 0, 0];

/** One map for each of `n` images of `height` x `width`: flip, then rotation, then zoom, then warp. */
export function drawMaps(n: number, height: number, width: number, options: MapOptions, rng: Rng): Map3[] {
  const { doFlip, flipVert, maxRotate, minZoom, maxZoom, maxWarp, pAffine, batch } = options;
  const between = (low: number, high: number) => (): number => low + (high - low) * rng.uniform();
  const draw = (p: number, neutral: number, f: () => number): number[] => masked(n, rng, p, neutral, batch, f);
  const flips = doFlip ? draw(0.5, 0, () => flipVert ? rng.integer(8) : 1) : [];
  const angles = maxRotate > 0 ? draw(pAffine, 0, between(-maxRotate, maxRotate)) : [];
  const zoom = minZoom < 1 || maxZoom > 1;
  const zooms = zoom ? draw(pAffine, 1, between(minZoom, maxZoom)) : [];
  const columns = zoom ? draw(1, 0.5, rng.uniform.bind(rng)) : [],
    rows = zoom ? draw(1, 0.5, rng.uniform.bind(rng)) : [];
  const xs = maxWarp > 0 ? draw(pAffine, 0, between(-maxWarp, maxWarp)) : [];
  const ys = maxWarp > 0 ? draw(pAffine, 0, between(-maxWarp, maxWarp)) : [];
  return Array.from({ length: n }, (_, i) => {
    let map: Map3 = [1, 0, 0, 0, 1, 0, 0, 0, 1];
    if (doFlip) {
      const f = flips[i], m0 = M0[f];
      map = times(map, [XS[f] * m0, XS[f] * (1 - m0), 0, YS[f] * (1 - m0), YS[f] * m0, 0, 0, 0, 1]);
    }
    if (maxRotate > 0) {
      const a = angles[i] * Math.PI / 180;
      map = times(map, [Math.cos(a), Math.sin(a), 0, -Math.sin(a), Math.cos(a), 0, 0, 0, 1]);
    }
    if (zoom) {
      const s = 1 / zooms[i];
      map = times(map, [s, 0, (1 - s) * (2 * columns[i] - 1), 0, s, (1 - s) * (2 * rows[i] - 1), 0, 0, 1]);
    }
    // turns are turns of pixels, whatever the proportions
    map = [map[0], map[1] * height / width, map[2], map[3] * width / height, ...map.slice(4)];
    return maxWarp > 0 ? times(warp(xs[i], ys[i]), map) : map;
  });
}

/** A part of an image, in pixels. */
interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The map of a part of an image to the image. */
export function cropMap(size: { readonly width: number; readonly height: number }, part: Window): Map3 {
  const along = (n: number, start: number, length: number): readonly [scale: number, shift: number] => {
    if (n === 1) return [1, 0];
    const scale = (length - 1) / (n - 1);
    return [scale, 2 * start / (n - 1) - 1 + scale];
  };
  const [sx, tx] = along(size.width, part.left, part.width), [sy, ty] = along(size.height, part.top, part.height);
  return [sx, 0, tx, 0, sy, ty, 0, 0, 1];
}

/** The largest square in the middle of an image. */
export function middleCrop({ width, height }: { readonly width: number; readonly height: number }): Window {
  const side = Math.min(width, height);
  return { left: (width - side) >> 1, top: (height - side) >> 1, width: side, height: side };
}

/** A random square that covers at least `minScale` of an image's area, where such a square fits in. */
export function drawCrop(
  size: { readonly width: number; readonly height: number },
  minScale: number,
  rng: Rng,
): Window {
  const { width, height } = size;
  for (let attempt = 0; attempt < 10; attempt++) {
    const side = Math.round(Math.sqrt((minScale + (1 - minScale) * rng.uniform()) * width * height));
    if (side > width || side > height || side < 1) continue;
    return { left: rng.integer(width - side + 1), top: rng.integer(height - side + 1), width: side, height: side };
  }
  return middleCrop(size);
}

/** The map back. Maps of images are not singular: they zoom by a factor above 0 and tilt by less than the half. */
export function inverseOf(m: Map3): Map3 {
  const [a, b, c, d, e, f, g, h, i] = m;
  const out = [e * i - f * h, c * h - b * i, b * f - c * e, f * g - d * i, a * i - c * g, c * d - a * f];
  out.push(d * h - e * g, b * g - a * h, a * e - b * d);
  const det = a * out[0] + b * out[3] + c * out[6];
  return out.map((v) => v / det);
}

/** `a b` */
export function times(a: Map3, b: Map3): Map3 {
  return Array.from({ length: 9 }, (_, k) => {
    const i = 3 * Math.floor(k / 3), j = k % 3;
    return a[i] * b[j] + a[i + 1] * b[j + 3] + a[i + 2] * b[j + 6];
  });
}

/** The map that tilts the image: its corners go to where `x` and `y` push them. */
export function warp(x: number, y: number): Map3 {
  if (x === 0 && y === 0) return [1, 0, 0, 0, 1, 0, 0, 0, 1];
  const from = [[-1, -1], [-1, 1], [1, -1], [1, 1]];
  const to = [[-1 - y, -1 - x], [-1 + y, 1 + x], [1 + y, -1 + x], [1 - y, 1 - x]];
  const rows = from.flatMap(([a, b], i) => [
    [a, b, 1, 0, 0, 0, -to[i][0] * a, -to[i][0] * b, to[i][0]],
    [0, 0, 0, a, b, 1, -to[i][1] * a, -to[i][1] * b, to[i][1]],
  ]);
  return [...solve(rows), 1];
}

/** Unknowns of linear equations, each row with its right side; Gauss' elimination with pivots. */
function solve(rows: number[][]): number[] {
  const n = rows.length;
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c + 1; r < n; r++) if (Math.abs(rows[r][c]) > Math.abs(rows[pivot][c])) pivot = r;
    [rows[c], rows[pivot]] = [rows[pivot], rows[c]];
    for (let r = 0; r < n; r++) {
      if (r === c) continue;
      const factor = rows[r][c] / rows[c][c];
      for (let k = c; k <= n; k++) rows[r][k] -= factor * rows[c][k];
    }
  }
  return rows.map((row, i) => row[n] / row[i]);
}
