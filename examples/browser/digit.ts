/**
 * Drawn strokes as a picture like MNIST's: the digit fills a box of 20 x 20 pixels, its centre of mass is the centre of 28 x 28.
 *
 * @see http://yann.lecun.com/exdb/mnist/ on how its pictures were made
 * @module
 */

/** A point of a stroke, in any unit. */
export type Point = readonly [x: number, y: number];

const SIDE = 28, BOX = 20;
/** Width of the pen in pixels, whatever size was drawn in. */
const PEN = 2.7;

/** Distance of a point from a line between two others. */
function distance([px, py]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const dx = bx - ax, dy = by - ay, length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.max(0, Math.min(1, ((px - ax) * dx + (py - ay) * dy) / length));
  return Math.hypot(px - ax - t * dx, py - ay - t * dy);
}

/** How much of each pixel strokes cover, 0 to 1. */
function paint(strokes: readonly (readonly Point[])[]): Float32Array {
  const out = new Float32Array(SIDE * SIDE), reach = PEN / 2 + 0.5;
  for (const points of strokes) {
    points.forEach((b, i) => {
      const a = points[Math.max(0, i - 1)];
      const [x0, x1, y0, y1] = [0, 1].flatMap((axis) => [
        Math.max(0, Math.floor(Math.min(a[axis], b[axis]) - reach)),
        Math.min(SIDE - 1, Math.ceil(Math.max(a[axis], b[axis]) + reach)),
      ]);
      for (let y = y0; y <= y1; y++) {
        for (let x = x0; x <= x1; x++) {
          const ink = Math.max(0, Math.min(1, reach - distance([x + 0.5, y + 0.5], a, b)));
          out[y * SIDE + x] = Math.max(out[y * SIDE + x], ink);
        }
      }
    });
  }
  return out;
}

/** Where the ink lies in the mean; null where there is none. */
function centreOf(ink: Float32Array): Point | null {
  let sum = 0, sx = 0, sy = 0;
  ink.forEach((v, i) => {
    sum += v;
    sx += v * (i % SIDE + 0.5);
    sy += v * (Math.floor(i / SIDE) + 0.5);
  });
  return sum === 0 ? null : [sx / sum, sy / sum];
}

/**
 * The picture of some strokes, `28 * 28` bytes from 0 (paper) to 255 (ink); null where nothing was drawn.
 *
 * @param strokes Points in order, one list for each stroke.
 * @param size Side of what was drawn on: a dot stays small.
 */
export function digitOf(strokes: readonly (readonly Point[])[], size: number): Uint8Array | null {
  const all = strokes.flat();
  if (all.length === 0) return null;
  const low = [0, 1].map((axis) => Math.min(...all.map((p) => p[axis])));
  const high = [0, 1].map((axis) => Math.max(...all.map((p) => p[axis])));
  const extent = Math.max(high[0] - low[0], high[1] - low[1], size / 6);
  const scale = (BOX - PEN) / extent;
  const place = (by: Point): Point[][] =>
    strokes.map((points) =>
      points.map(([x, y]): Point => [
        (x - (low[0] + high[0]) / 2) * scale + by[0],
        (y - (low[1] + high[1]) / 2) * scale + by[1],
      ])
    );
  const middle = SIDE / 2, centre = centreOf(paint(place([middle, middle])))!;
  const ink = paint(place([2 * middle - centre[0], 2 * middle - centre[1]]));
  return Uint8Array.from(ink, (v) => Math.round(255 * v));
}
