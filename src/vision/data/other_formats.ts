/**
 * Image files that sharp does not read: BMP, icons, and the formats of Netpbm.
 *
 * @module
 */
import { DataError } from "../../base/errors.ts";
import { host } from "../../base/host.ts";
import type { PixelImage } from "../../plot/mod.ts";

/** Most pixels of an image, as sharp has it. */
const MOST_PIXELS = 0x3fff * 0x3fff;

/**
 * The pixels of a file in one of these formats, which its first bytes tell; null for others.
 *
 * @throws {DataError} If it is damaged; without the file's name.
 */
export async function decodeOther(bytes: Uint8Array): Promise<PixelImage | null> {
  const [a, b, c, d] = bytes;
  try {
    const decodes = host.kind === "browser"; // these two by itself
    if (!decodes && a === 0x42 && b === 0x4d) return await bmp(bytes);
    if (!decodes && a === 0 && b === 0 && (c === 1 || c === 2) && d === 0) return await icon(bytes);
    if (a === 0x50 && b >= 0x31 && b <= 0x36 && isSpace(c)) return netpbm(bytes, b - 0x30);
    return null;
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`it is damaged (${error instanceof Error ? error.message : String(error)})`, { cause: error });
  }
}

function checked(width: number, height: number): void {
  if (!(width >= 1 && height >= 1)) throw new DataError(`it has ${width} x ${height} pixels`);
  if (width * height > MOST_PIXELS) throw new DataError(`it has more than ${MOST_PIXELS} pixels`);
}

async function bmp(bytes: Uint8Array): Promise<PixelImage> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const old = view.getUint32(14, true) === 12; // OS/2's header has sizes of 16 bits
  const width = old ? view.getUint16(18, true) : view.getInt32(18, true);
  const height = Math.abs(old ? view.getUint16(20, true) : view.getInt32(22, true));
  const depth = old ? view.getUint16(24, true) : view.getUint16(28, true);
  checked(width, height);
  const compressed = !old && view.getUint32(30, true) !== 0 && view.getUint32(30, true) !== 3;
  const needed = view.getUint32(10, true) + Math.ceil(width * depth / 32) * 4 * height;
  if (!compressed && bytes.length < needed) throw new DataError(`it ends after ${bytes.length} of ${needed} bytes`);
  const { decode } = await import("bmp-ts");
  const { Buffer } = globalThis as unknown as {
    Buffer: { from(bytes: ArrayBuffer, start: number, length: number): never };
  };
  const { data } = decode(Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength));
  return fromFour(data, [3, 2, 1], width, height); // its { toRGBA } mixes up the channels of palettes
}

async function icon(bytes: Uint8Array): Promise<PixelImage> {
  const { default: decodeIco } = await import("decode-ico");
  const [largest] = decodeIco(bytes).sort((a, b) => b.width * b.height - a.width * a.height);
  if (largest === undefined) throw new DataError("it holds no image");
  checked(largest.width, largest.height);
  if (largest.type === "bmp") return fromFour(largest.data, [0, 1, 2], largest.width, largest.height);
  const { decodeImage } = await import("./decode.ts");
  return await decodeImage(Uint8Array.from(largest.data));
}

/** Pixels of four bytes as red, green and blue, which lie at these places. */
function fromFour(data: ArrayLike<number>, places: readonly number[], width: number, height: number): PixelImage {
  const n = width * height, out = new Uint8Array(n * 3);
  if (data.length !== 4 * n) throw new DataError(`it has ${data.length / 4} of ${n} pixels`);
  for (let i = 0; i < n; i++) places.forEach((place, k) => out[3 * i + k] = data[4 * i + place]);
  return { data: out, width, height, channels: 3 };
}

function isSpace(code: number): boolean {
  return code === 0x20 || code >= 0x09 && code <= 0x0d;
}

/**
 * Portable bit, grey and pixel maps, as text or bytes; see https://netpbm.sourceforge.net/doc/. Values up to other maxima
 * than 255 are scaled to it.
 */
function netpbm(bytes: Uint8Array, kind: number): PixelImage {
  let at = 2;
  const number = (): number => {
    while (at < bytes.length && (isSpace(bytes[at]) || bytes[at] === 0x23)) {
      if (bytes[at++] === 0x23) { while (at < bytes.length && bytes[at] !== 0x0a) at++; // a comment, to the end of its line
       }
    }
    let value = -1;
    for (; at < bytes.length && bytes[at] >= 0x30 && bytes[at] <= 0x39; at++) {
      value = Math.max(0, value) * 10 + bytes[at] - 0x30;
      if (value > 1e9) break;
    }
    if (value < 0) throw new DataError(`it is damaged: a number is missing at byte ${at}`);
    return value;
  };
  const width = number(), height = number(), bits = kind === 1 || kind === 4;
  checked(width, height);
  const most = bits ? 1 : number();
  if (most < 1 || most > 65535) throw new DataError(`its largest value is ${most}, it must be from 1 to 65535`);
  const channels = kind === 3 || kind === 6 ? 3 : 1, n = width * height * channels;
  const scaled = (v: number) => Math.round(Math.min(v, most) / most * 255);
  const out = new Uint8Array(width * height * 3);
  const put = (i: number, v: number): void => {
    if (channels === 3) out[i] = v;
    else out.fill(v, 3 * i, 3 * i + 3);
  };
  if (kind <= 3) {
    if (bytes.length < n) throw new DataError(`it ends after ${bytes.length} bytes, before its ${n} values`);
    for (let i = 0; i < n; i++) put(i, bits ? 255 * (1 - bit()) : scaled(number()));
    return { data: out, width, height, channels: 3 };
  }
  at++; // one white space ends the header
  const row = bits ? Math.ceil(width / 8) : width * channels * (most > 255 ? 2 : 1);
  if (bytes.length < at + row * height) {
    throw new DataError(`it ends after ${bytes.length} of ${at + row * height} bytes`);
  }
  for (let i = 0; i < n; i++) {
    if (bits) {
      const x = i % width, y = Math.floor(i / width);
      put(i, bytes[at + y * row + (x >> 3)] >> (7 - (x & 7)) & 1 ? 0 : 255);
    } else put(i, scaled(most > 255 ? bytes[at + 2 * i] << 8 | bytes[at + 2 * i + 1] : bytes[at + i]));
  }
  return { data: out, width, height, channels: 3 };

  /** In a bit map of text digits may stand without space between them. */
  function bit(): number {
    while (at < bytes.length && bytes[at] !== 0x30 && bytes[at] !== 0x31) {
      if (bytes[at++] === 0x23) { while (at < bytes.length && bytes[at] !== 0x0a) at++; }
    }
    if (at >= bytes.length) throw new DataError("it is damaged: a bit is missing");
    return bytes[at++] - 0x30;
  }
}
