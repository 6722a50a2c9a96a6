/**
 * What transforms do to an image's pixels, as data: where to cut, what to add around, which size in the end. An image is
 * red, green, blue, u8 `[height, width, 3]`.
 *
 * @module
 */
import type { PixelImage } from "../../plot/mod.ts";
import { resizeBilinear } from "./resample.ts";

/** What is put around an image: the mirrored image without its edge, black, or the edge itself. */
export type PadMode = "reflection" | "zeros" | "border";

/** One step. Lengths and positions are in pixels. */
export type PixelOp =
  | {
    readonly op: "crop";
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
  }
  | {
    readonly op: "pad";
    readonly left: number;
    readonly top: number;
    readonly right: number;
    readonly bottom: number;
    readonly mode: PadMode;
  }
  | { readonly op: "resize"; readonly width: number; readonly height: number };

/** An image after these steps; the given one is left alone. */
export function applyOps(image: PixelImage, ops: readonly PixelOp[]): PixelImage {
  for (const [i, op] of ops.entries()) {
    const before = i > 0 ? ops[i - 1] : null, after = i + 1 < ops.length ? ops[i + 1] : null;
    if (op.op === "resize" && before?.op === "crop") image = resizeBilinear(image, op.width, op.height, before);
    else if (op.op === "crop" && after?.op === "resize") continue; // cut out by the resize
    else if (op.op === "resize") image = resizeBilinear(image, op.width, op.height);
    else if (op.op === "crop") image = window(image, op.left, op.top, op.width, op.height, (i) => i);
    else {
      const width = op.left + image.width + op.right, height = op.top + image.height + op.bottom;
      image = window(image, -op.left, -op.top, width, height, indexOf(op.mode));
    }
  }
  return image;
}

/** A map of one number a pixel after these steps: numbers are taken, not mixed, as Pillow's `NEAREST` does it. */
export function applyOpsNearest(image: PixelImage, ops: readonly PixelOp[]): PixelImage {
  for (const op of ops) {
    const { width: w, height: h } = image;
    if (op.op === "resize") {
      const across = (x: number) => Math.floor((x + 0.5) * w / op.width);
      image = gather(image, op.width, op.height, across, (y) => Math.floor((y + 0.5) * h / op.height));
    } else if (op.op === "crop") image = gather(image, op.width, op.height, (x) => op.left + x, (y) => op.top + y);
    else {
      const width = op.left + w + op.right, height = op.top + h + op.bottom, index = indexOf(op.mode);
      image = gather(image, width, height, (x) => index(x - op.left, w), (y) => index(y - op.top, h));
    }
  }
  return image;
}

/** The numbers at the columns and rows that are told; 0 for those at -1. */
function gather(
  { data, width: w }: PixelImage,
  width: number,
  height: number,
  column: (x: number) => number,
  row: (y: number) => number,
): PixelImage {
  const out = new Uint8Array(width * height), columns = Int32Array.from({ length: width }, (_, x) => column(x));
  for (let y = 0; y < height; y++) {
    const from = row(y);
    if (from < 0) continue;
    for (let x = 0; x < width; x++) if (columns[x] >= 0) out[y * width + x] = data[from * w + columns[x]];
  }
  return { data: out, width, height, channels: 1 };
}

/** Which pixel of `n` stands for pixel `i`, which may lie outside; -1 for none. */
type Index = (i: number, n: number) => number;

function indexOf(mode: PadMode): Index {
  if (mode === "zeros") return (i, n) => i >= 0 && i < n ? i : -1;
  if (mode === "border") return (i, n) => Math.min(n - 1, Math.max(0, i));
  return (i, n) => {
    if (n === 1) return 0;
    const period = 2 * (n - 1), at = ((i % period) + period) % period;
    return at < n ? at : period - at;
  };
}

/** The pixels from (`left`, `top`) on, those outside by `index`. */
function window(
  { data, width: w, height: h }: PixelImage,
  left: number,
  top: number,
  width: number,
  height: number,
  index: Index,
): PixelImage {
  if (left === 0 && top === 0 && width === w && height === h) return { data, width, height, channels: 3 };
  const out = new Uint8Array(width * height * 3);
  const columns = Int32Array.from({ length: width }, (_, x) => index(left + x, w));
  const whole = left >= 0 && left + width <= w;
  for (let y = 0; y < height; y++) {
    const row = index(top + y, h);
    if (row < 0) continue;
    const to = y * width * 3, from = row * w * 3;
    if (whole) {
      out.set(data.subarray(from + left * 3, from + (left + width) * 3), to);
      continue;
    }
    for (let x = 0; x < width; x++) {
      if (columns[x] < 0) continue;
      const a = to + x * 3, b = from + columns[x] * 3;
      out[a] = data[b];
      out[a + 1] = data[b + 1];
      out[a + 2] = data[b + 2];
    }
  }
  return { data: out, width, height, channels: 3 };
}
