/**
 * Image files as pixels, decoded by sharp in threads of its own; in browsers by the browser.
 *
 * @module
 */
import { host } from "../../base/host.ts";
import { fileFault, files, isMissing } from "../../base/host_files.ts";
import { AnnealError, ConfigError, DataError } from "../../base/errors.ts";
import { checkOptions, checkPath, flag, type OptionTable } from "../../base/options.ts";
import type { PixelImage } from "../../plot/mod.ts";
import { bitmapPixels, bitmapSize } from "./decode_bitmap.ts";
import type { ImageSize } from "./item_tfms.ts";
import { type DecodeOptions, type ImageSource, nameOf } from "./read_image.ts";

type Sharp = typeof import("sharp").default;
/** The decoder, whose start may fail and be tried again. */
let loaded: Promise<Sharp> | null = null;

/** What sharp needs of Deno: it is native code, and looks at the environment. */
async function load(): Promise<Sharp> {
  const needs = [{ name: "ffi", flag: "--allow-ffi" }, { name: "env", flag: "--allow-env" }, {
    name: "read",
    flag: "--allow-read",
  }] as const;
  const missing = needs.filter(({ name }) => !host.granted(name));
  if (missing.length > 0) {
    throw new ConfigError(
      `Cannot decode images: the decoder is native code, run again with ${missing.map((m) => m.flag).join(" ")}`,
    );
  }
  let sharp: Sharp;
  try {
    ({ default: sharp } = await import("sharp"));
  } catch (error) {
    throw new ConfigError(`Cannot decode images: sharp does not start here, ${reasonOf(error)}`, { cause: error });
  }
  sharp.concurrency(1); // a thread an image: several images are decoded at once
  sharp.cache(false); // decoded images are kept by whoever needs them again
  return sharp;
}

/** The decoder, started when first needed. */
async function decoder(): Promise<Sharp> {
  loaded ??= load();
  try {
    return await loaded;
  } catch (error) {
    loaded = null; // a permission may be granted later
    throw error;
  }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0].trim();
}

function refusal(source: ImageSource, error: unknown): AnnealError {
  if (error instanceof AnnealError && error.message.startsWith("Cannot ")) return error;
  let reason = reasonOf(error);
  if (isMissing(error)) reason = "there is no such file";
  else if (fileFault(error) === "folder") reason = "it is a folder";
  else if (fileFault(error) === "denied") reason = "reading it is not permitted";
  else if (/unsupported image format/i.test(reason)) {
    reason =
      "it is no image, or of a format that is not supported (those are JPEG, PNG, WebP, GIF, AVIF, TIFF, SVG, BMP, " +
      "ICO, PBM, PGM and PPM)";
  }
  return new DataError(`Cannot read image ${nameOf(source)}: ${reason}`, { cause: error });
}

/** Bytes of a source, where it exists and holds some. */
async function bytesOf(source: ImageSource): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof source === "string") checkPath("read an image", source);
  const bytes = source instanceof Uint8Array ? owned(source) : await files.readFile(source);
  if (bytes.length === 0) throw new DataError(`Cannot read image ${nameOf(source)}: it is empty`);
  return bytes;
}

/** The same bytes, where no other thread writes to them. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? bytes as Uint8Array<ArrayBuffer> : Uint8Array.from(bytes);
}

/** Opens an image: warnings of the decoder pass, as they do in fastai, errors and missing data do not. */
async function open(bytes: Uint8Array, { orient = true }: DecodeOptions): Promise<ReturnType<Sharp>> {
  return (await decoder())(bytes, { failOn: "error", autoOrient: orient });
}

const DECODE: OptionTable<DecodeOptions> = { orient: flag };

/** See `decodeImage` of `read_image.ts`. */
export async function decodeImage(source: ImageSource, options: DecodeOptions = {}): Promise<PixelImage> {
  checkOptions("decode an image", options, DECODE);
  try {
    const bytes = await bytesOf(source);
    const other = await (await import("./other_formats.ts")).decodeOther(bytes);
    if (other !== null) return other;
    if (host.kind === "browser") return await bitmapPixels(bytes, options.orient ?? true);
    await decoder(); // says what is missing
    const jpeg = await (await import("./jpeg.ts")).decodeJpeg(bytes, options.orient !== false);
    if (jpeg !== null) return jpeg;
    const image = await open(bytes, options);
    const { data, info } = await image.toColourspace("srgb").removeAlpha().raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return { data: channels === 3 ? pixels : toRgb(pixels, channels), width, height, channels: 3 };
  } catch (error) {
    throw refusal(source, error);
  }
}

/** Grey, with further channels or none, as red, green and blue. */
function toRgb(data: Uint8Array, channels: number): Uint8Array {
  const n = data.length / channels, out = new Uint8Array(n * 3);
  const [g, b] = channels > 3 ? [1, 2] : [0, 0];
  for (let i = 0; i < n; i++) {
    out[3 * i] = data[channels * i];
    out[3 * i + 1] = data[channels * i + g];
    out[3 * i + 2] = data[channels * i + b];
  }
  return out;
}

/** See `imageSize` of `read_image.ts`. */
export async function imageSize(source: ImageSource, options: DecodeOptions = {}): Promise<ImageSize> {
  checkOptions("measure an image", options, DECODE);
  try {
    const bytes = await bytesOf(source);
    const other = await (await import("./other_formats.ts")).decodeOther(bytes);
    if (other !== null) return { width: other.width, height: other.height };
    if (host.kind === "browser") return await bitmapSize(bytes, options.orient ?? true);
    const { width, height, autoOrient } = await (await open(bytes, options)).metadata();
    return options.orient === false ? { width, height } : { width: autoOrient.width, height: autoOrient.height };
  } catch (error) {
    throw refusal(source, error);
  }
}
