/**
 * Bilinear resizing with antialiasing, with Pillow's arithmetic: rows first, then columns, u8 in between. The pixels are
 * Pillow's bit for bit but where it goes by columns first, as it may where the two axes are scaled differently; some are
 * off by 1 of 255 there.
 *
 * @see Pillow, src/libImaging/Resample.c
 * @module
 */
import { lazy } from "../../base/lazy.ts";
import type { PixelImage } from "../../plot/mod.ts";
import { RESAMPLE } from "./resample.gen.ts";

/** Bits behind the point of a weight: 32, less 8 for the pixel and 2 for sign and sum, which stays below 2^31. */
const BITS = 22, ONE = 1 << BITS;

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

/** A part of an image, in pixels. */
export interface Window {
  /** Pixels to its left. */
  readonly left: number;
  /** Rows above it. */
  readonly top: number;
  /** Pixels of a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
}

/** What `wasm/resample.as.ts` exports. */
interface Kernels {
  rows(
    from: number,
    stride: number,
    height: number,
    to: number,
    out: number,
    start: number,
    count: number,
    weights: number,
    width: number,
  ): void;
  columns(
    from: number,
    row: number,
    to: number,
    out: number,
    start: number,
    count: number,
    weights: number,
    width: number,
  ): void;
}

/** Bytes of a page of WebAssembly's memory. */
const PAGE = 1 << 16;
/** Where the first array lies: what is below is the module's own. */
const BASE = 1024;
/** A memory that is larger is given back after the image that needed it. */
const KEEP_BYTES = 64 << 20;

const compiled = lazy(() => new WebAssembly.Module(Uint8Array.from(atob(RESAMPLE), (c) => c.charCodeAt(0))));
/** The memory of the image before, which the next one works in: a new one for each would be cleared first. */
let working: { readonly kernels: Kernels; readonly memory: WebAssembly.Memory } | null = null;

/** The kernels, with at least `bytes` of memory. */
function kernelsFor(bytes: number): { readonly kernels: Kernels; readonly memory: WebAssembly.Memory } {
  if (working === null) {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const { exports } = new WebAssembly.Instance(compiled(), { env: { memory } });
    working = { kernels: exports as unknown as Kernels, memory };
  }
  const missing = Math.ceil(bytes / PAGE) - working.memory.buffer.byteLength / PAGE;
  if (missing > 0) working.memory.grow(missing);
  return working;
}

/** `image` (red, green, blue), or the `window` of it, at another size. */
export function resizeBilinear(
  { data, ...size }: PixelImage,
  width: number,
  height: number,
  window: Window = { left: 0, top: 0, width: size.width, height: size.height },
): PixelImage {
  const row = window.width * 3, across = tapsOf(window.width, width), down = tapsOf(window.height, height);
  let end = BASE;
  const place = (bytes: number): number => {
    const at = end;
    end += (bytes + 31) & ~15; // a vector's width behind each, which kernels may touch
    return at;
  };
  const tables = [across, down].map(({ start, count, weights }) =>
    [start, count, weights].map((a) => place(a.byteLength))
  );
  const source = place(row * window.height);
  const middle = width === window.width ? source : place(width * 3 * window.height);
  const target = height === window.height ? middle : place(width * 3 * height);
  const { kernels, memory } = kernelsFor(end);
  const bytes = new Uint8Array(memory.buffer);
  for (const [i, { start, count, weights }] of [across, down].entries()) {
    for (const [k, array] of [start, count, weights].entries()) {
      bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), tables[i][k]);
    }
  }
  for (let y = 0; y < window.height; y++) {
    const from = ((window.top + y) * size.width + window.left) * 3;
    bytes.set(data.subarray(from, from + row), source + y * row);
  }
  const [a, d] = tables;
  if (middle !== source) kernels.rows(source, row, window.height, middle, width, a[0], a[1], a[2], across.width);
  if (target !== middle) kernels.columns(middle, width * 3, target, height, d[0], d[1], d[2], down.width);
  if (bytes.length > KEEP_BYTES) working = null;
  return { data: bytes.slice(target, target + width * height * 3), width, height, channels: 3 };
}
