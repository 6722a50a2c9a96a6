/**
 * JPEG files by libjpeg-turbo, which Pillow decodes with, too: the same pixels in a third of the time that sharp takes. Where
 * the library does not load, and for files that need more than decoding, sharp does it.
 *
 * @module
 */
import { host } from "../../base/host.ts";
import { lazy } from "../../base/lazy.ts";
import type { PixelImage } from "../../plot/mod.ts";

/** Most pixels of an image, as sharp has it. */
const MOST_PIXELS = 0x3fff * 0x3fff;
/** The library, as the npm package carries it for Linux. The package's own entry asks it for a faster, coarser transform. */
const LIBRARY = "libturbojpeg.so.0";

/** Red, green, blue, a byte each. */
const TJPF_RGB = 0;
/** The exact inverse transform, as Pillow asks for it. */
const TJFLAG_ACCURATEDCT = 4096;
/** Color spaces that become red, green and blue by themselves. */
const TJCS_RGB = 0, TJCS_YCBCR = 1, TJCS_GRAY = 2;

const SYMBOLS = {
  tjInitDecompress: { parameters: [], result: "pointer" },
  tjDecompressHeader3: {
    parameters: ["pointer", "buffer", "usize", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  tjDecompress2: {
    parameters: ["pointer", "buffer", "usize", "buffer", "i32", "i32", "i32", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

type Turbo = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** The library's decoders, as many as there are processors: each decodes one image at a time. */
class Decoders {
  readonly #idle: Deno.PointerObject[] = [];
  /** Those who wait for one. */
  readonly #waiting: ((decoder: Deno.PointerObject) => void)[] = [];
  #made = 0;

  constructor(readonly turbo: Turbo) {}

  /** One that nobody else has, once there is one; null where the library makes none. */
  async take(): Promise<Deno.PointerObject | null> {
    const free = this.#idle.pop();
    if (free !== undefined) return free;
    if (this.#made >= navigator.hardwareConcurrency) return await new Promise((resolve) => this.#waiting.push(resolve));
    const one = this.turbo.tjInitDecompress();
    if (one !== null) this.#made++;
    return one;
  }

  release(one: Deno.PointerObject): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(one);
    else next(one);
  }
}

/** Null where this machine has no library, or native code is not allowed. */
const decoders = lazy(async (): Promise<Decoders | null> => {
  if (host.kind !== "deno" || host.os !== "linux") return null;
  try {
    await import("@julusian/jpeg-turbo"); // loads the library, which then is known by its name
    return new Decoders(Deno.dlopen(LIBRARY, SYMBOLS).symbols);
  } catch {
    return null;
  }
});

/**
 * The pixels of a JPEG file, decoded in another thread; null for other files, and for those that sharp has to see: damaged
 * ones, with an orientation (unless `orient` is false), a color profile, four colors or 12 bits.
 */
export async function decodeJpeg(bytes: Uint8Array<ArrayBuffer>, orient: boolean): Promise<PixelImage | null> {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8 || !isPlain(bytes, orient)) return null;
  const own = await decoders(), one = own === null ? null : await own.take();
  if (own === null || one === null) return null;
  try {
    const { turbo } = own;
    const facts = new Int32Array(4), size = BigInt(bytes.length);
    const [width, height, , space] = [0, 1, 2, 3].map((i) => facts.subarray(i));
    if (turbo.tjDecompressHeader3(one, bytes, size, width, height, facts.subarray(2), space) !== 0) return null;
    if (![TJCS_RGB, TJCS_YCBCR, TJCS_GRAY].includes(space[0]) || width[0] * height[0] > MOST_PIXELS) return null;
    const image = { data: new Uint8Array(width[0] * height[0] * 3), width: width[0], height: height[0], channels: 3 };
    const { data } = image;
    const code = await turbo.tjDecompress2(
      one,
      bytes,
      size,
      data,
      image.width,
      0,
      image.height,
      TJPF_RGB,
      TJFLAG_ACCURATEDCT,
    );
    return code === 0 ? image : null;
  } finally {
    own.release(one);
  }
}

/** Whether the segments before the picture say nothing of its orientation or its colors, and it has 8 bits a color. */
function isPlain(bytes: Uint8Array, orient: boolean): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 4 <= bytes.length;) {
    if (bytes[at] !== 0xff) return false;
    const marker = bytes[at + 1];
    if (marker === 0xff) { // filled up before a marker
      at++;
      continue;
    }
    if (marker === 0xda) return true; // the picture
    const from = at + 4, end = at + 2 + view.getUint16(at + 2);
    if (end > bytes.length || end < from) return false;
    if (marker === 0xe1 && orient && !isUpright(view, from, end)) return false;
    if (marker === 0xe2 && startsWith(bytes, from, "ICC_PROFILE\0")) return false;
    const frame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (frame && (marker > 0xc2 || bytes[from] !== 8)) return false;
    at = end;
  }
  return false;
}

function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  return Array.from(text).every((c, i) => bytes[at + i] === c.charCodeAt(0));
}

/** The number of EXIF's orientation, in its first directory. */
const ORIENTATION = 0x112;

/** Whether a segment of EXIF says nothing of an orientation, or that the picture is upright; false where it makes no sense. */
function isUpright(view: DataView, from: number, end: number): boolean {
  const tiff = from + 6;
  if (tiff + 8 > end || view.getUint32(from) !== 0x45786966) return true; // no EXIF
  const little = view.getUint16(tiff) === 0x4949, directory = tiff + view.getUint32(tiff + 4, little);
  if (directory + 2 > end) return false;
  for (let i = 0, n = view.getUint16(directory, little); i < n; i++) {
    const entry = directory + 2 + 12 * i;
    if (entry + 12 > end) return false;
    if (view.getUint16(entry, little) === ORIENTATION) return view.getUint16(entry + 8, little) === 1;
  }
  return true;
}
