/**
 * Labels drawn into pictures: masks as colors over them, points as dots.
 *
 * @module
 */
import type { PixelImage } from "../../plot/mod.ts";

/** Colors of classes, told apart by people who confuse red and green, too (Okabe and Ito, 2008); the first class has none. */
const COLORS: readonly (readonly [number, number, number])[] = [
  [230, 159, 0],
  [86, 180, 233],
  [0, 158, 115],
  [240, 228, 66],
  [0, 114, 178],
  [213, 94, 0],
  [204, 121, 167],
];

/** Share of a class's color in a pixel. */
const ALPHA = 0.55;

/** The picture with the color of each pixel's class over it; class 0 is left as it is. */
export function withMask(image: PixelImage, codes: ArrayLike<number>): PixelImage {
  const data = Uint8Array.from(image.data);
  for (let i = 0; i < codes.length; i++) {
    if (codes[i] === 0) continue;
    const color = COLORS[(codes[i] - 1) % COLORS.length];
    for (let c = 0; c < 3; c++) data[3 * i + c] = Math.round((1 - ALPHA) * data[3 * i + c] + ALPHA * color[c]);
  }
  return { ...image, data };
}

/** The picture with a dot at each point; `points` are x and y from -1 to 1, one point after the other. */
export function withPoints(image: PixelImage, points: ArrayLike<number>, color = COLORS[3]): PixelImage {
  const { width, height } = image, data = Uint8Array.from(image.data);
  const radius = Math.max(1, Math.round(Math.max(width, height) / 50));
  for (let i = 0; i + 1 < points.length; i += 2) {
    const cx = (points[i] + 1) / 2 * width, cy = (points[i + 1] + 1) / 2 * height;
    for (let y = Math.max(0, Math.floor(cy - radius)); y < Math.min(height, cy + radius); y++) {
      for (let x = Math.max(0, Math.floor(cx - radius)); x < Math.min(width, cx + radius); x++) {
        if ((x + 0.5 - cx) ** 2 + (y + 0.5 - cy) ** 2 > radius ** 2) continue;
        color.forEach((v, c) => data[3 * (y * width + x) + c] = v);
      }
    }
  }
  return { ...image, data };
}
