/**
 * Image files as pixels; the decoders come with the first image.
 *
 * @module
 */
import type { PixelImage } from "../../plot/mod.ts";
import type { ImageSize } from "./item_tfms.ts";

/** A file's path, its `file:` URL, or its bytes. */
export type ImageSource = string | URL | Uint8Array;

/** Options of {@link decodeImage} and {@link imageSize}. */
export interface DecodeOptions {
  /**
   * Whether pictures that a camera took on its side are turned as their EXIF orientation says; true by default. Pillow, and
   * with it fastai, does not by itself.
   */
  readonly orient?: boolean;
}

/** The name of an image, for errors. */
export function nameOf(source: ImageSource): string {
  return source instanceof Uint8Array ? `${source.length} bytes` : fileOf(source);
}

/** Its path. */
export function fileOf(source: string | URL): string {
  return source instanceof URL ? decodeURIComponent(source.pathname) : source;
}

/**
 * The pixels of an image: red, green, blue, u8 `[height, width, 3]`, turned by its EXIF orientation. Grey becomes three equal
 * channels, CMYK is converted, 16 bits are cut to 8, transparency is dropped: what lies below it stays, but transparent
 * pixels of a GIF, which have no color, are black. Of several pictures in a file the first counts, of an icon the largest.
 *
 * In browsers formats are the browser's (JPEG, PNG, WebP, GIF, AVIF, BMP, ICO and Netpbm's), and transparent pixels are black.
 *
 * @throws {DataError} That names the file, if it is missing, no image, or damaged.
 */
export async function decodeImage(source: ImageSource, options: DecodeOptions = {}): Promise<PixelImage> {
  const { decodeImage } = await import("./decode.ts");
  return await decodeImage(source, options);
}

/**
 * The size of an image as {@link decodeImage} gives it.
 */
export async function imageSize(source: ImageSource, options: DecodeOptions = {}): Promise<ImageSize> {
  const { imageSize } = await import("./decode.ts");
  return await imageSize(source, options);
}
