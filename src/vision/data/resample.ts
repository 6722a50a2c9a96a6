/**
 * Bilinear resizing with antialiasing, with Pillow's arithmetic: rows first, then columns, u8 in between. The pixels are
 * Pillow's bit for bit but where it goes by columns first, as it may where the two axes are scaled differently; some are
 * off by 1 of 255 there.
 *
 * @see Pillow, src/libImaging/Resample.c
 * @module
 */
import type { PixelImage } from "../../plot/mod.ts";

/** Bits behind the point of a weight: 32, less 8 for the pixel and 2 for sign and sum. */
const BITS = 22, ONE = 1 << BITS, HALF = 1 << (BITS - 1);

/** Which input pixels make each output pixel, and how much. */
interface Taps {
  /** First input pixel of each output pixel. */
  readonly start: Int32Array;
  /** Number of input pixels of each output pixel. */
  readonly count: Int32Array;
  /** Weights, `width` for each output pixel, with {@link BITS} bits behind the point. */
  readonly weights: Int32Array;
  readonly width: number;
}

const known = new Map<string, Taps>();
/** Most pairs of sizes that are remembered. */
const KNOWN = 256;

/** Weights of a triangle filter, as wide as the scale but at least one input pixel to each side. */
function tapsOf(size: number, out: number): Taps {
  const key = `${size} ${out}`, found = known.get(key);
  if (found !== undefined) return found;
  const scale = size / out, stretch = Math.max(1, scale);
  const width = Math.ceil(stretch) * 2 + 1;
  const start = new Int32Array(out), count = new Int32Array(out), weights = new Int32Array(out * width);
  const raw = new Float64Array(width);
  for (let i = 0; i < out; i++) {
    const center = (i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(center - stretch + 0.5)),
      high = Math.min(size, Math.trunc(center + stretch + 0.5));
    let sum = 0;
    for (let k = 0; k < high - low; k++) sum += raw[k] = Math.max(0, 1 - Math.abs((k + low - center + 0.5) / stretch));
    for (let k = 0; k < high - low; k++) weights[i * width + k] = Math.trunc(0.5 + raw[k] / sum * ONE);
    start[i] = low;
    count[i] = high - low;
  }
  const taps = { start, count, weights, width };
  if (known.size >= KNOWN) known.delete(known.keys().next().value!);
  known.set(key, taps);
  return taps;
}

/** `image` (red, green, blue) at another size. */
export function resizeBilinear(image: PixelImage, width: number, height: number): PixelImage {
  let { data } = image;
  if (width !== image.width) data = rows(data, image.width, image.height, width);
  if (height !== image.height) data = columns(data, width, image.height, height);
  return { data, width, height, channels: 3 };
}

/** Sums of weights stay below 2^31: a weight is at most 2^22 and together they are 2^22 again. */
function clip(sum: number): number {
  const v = sum >> BITS;
  return v < 0 ? 0 : v > 255 ? 255 : v;
}

function rows(data: Uint8Array, size: number, height: number, out: number): Uint8Array {
  const { start, count, weights, width } = tapsOf(size, out);
  const result = new Uint8Array(out * height * 3);
  for (let y = 0, to = 0; y < height; y++) {
    const row = y * size * 3;
    for (let x = 0; x < out; x++, to += 3) {
      let r = HALF, g = HALF, b = HALF, from = row + start[x] * 3;
      for (let k = x * width, end = k + count[x]; k < end; k++, from += 3) {
        const w = weights[k];
        r = (r + Math.imul(data[from], w)) | 0;
        g = (g + Math.imul(data[from + 1], w)) | 0;
        b = (b + Math.imul(data[from + 2], w)) | 0;
      }
      result[to] = clip(r);
      result[to + 1] = clip(g);
      result[to + 2] = clip(b);
    }
  }
  return result;
}

function columns(data: Uint8Array, rowPixels: number, size: number, out: number): Uint8Array {
  const { start, count, weights, width } = tapsOf(size, out);
  const row = rowPixels * 3, result = new Uint8Array(row * out), sums = new Int32Array(row);
  for (let y = 0; y < out; y++) {
    sums.fill(HALF);
    for (let k = 0; k < count[y]; k++) {
      const w = weights[y * width + k], from = (start[y] + k) * row;
      for (let i = 0; i < row; i++) sums[i] = (sums[i] + Math.imul(data[from + i], w)) | 0;
    }
    const to = y * row;
    for (let i = 0; i < row; i++) result[to + i] = clip(sums[i]);
  }
  return result;
}
