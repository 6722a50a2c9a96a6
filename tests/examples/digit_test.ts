import { assert, assertEquals } from "@std/assert";
import { digitOf, type Point } from "../../examples/browser/digit.ts";

/** The box of what is not paper, and its centre of mass. */
function measure(picture: Uint8Array) {
  let [left, right, top, bottom, sum, sx, sy] = [28, -1, 28, -1, 0, 0, 0];
  picture.forEach((ink, i) => {
    const x = i % 28, y = Math.floor(i / 28);
    sum += ink;
    sx += ink * (x + 0.5);
    sy += ink * (y + 0.5);
    if (ink < 128) return;
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
  });
  return { width: right - left + 1, height: bottom - top + 1, centre: [sx / sum, sy / sum] };
}

const seven: Point[][] = [[[40, 30], [200, 30], [110, 250]]];

Deno.test("drawn digits lie as MNIST's do: 20 pixels, the centre of mass in the middle", () => {
  const { width, height, centre } = measure(digitOf(seven, 280)!);
  assert(Math.abs(height - 20) <= 1 && width < 18, `${width} x ${height}`);
  for (const c of centre) assert(Math.abs(c - 14) < 0.1, `${centre}`);
});

Deno.test("neither the place nor the size of a drawing matters", () => {
  const small = seven.map((points) => points.map(([x, y]): Point => [x / 2 + 90, y / 2 + 5]));
  assertEquals(digitOf(small, 280), digitOf(seven, 280));
});

Deno.test("a dot stays small, nothing is nothing", () => {
  assertEquals(digitOf([], 280), null);
  const { width, height } = measure(digitOf([[[100, 100]]], 280)!);
  assert(width <= 3 && height <= 3, `${width} x ${height}`);
});
