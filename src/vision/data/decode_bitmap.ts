/**
 * Images decoded by a browser.
 *
 * @module
 */
import { DataError } from "../../base/errors.ts";
import type { PixelImage } from "../../plot/mod.ts";
import type { ImageSize } from "./item_tfms.ts";

/** What is used of an `OffscreenCanvas`. */
interface Canvas {
  getContext(kind: "2d", options: { readonly willReadFrequently: boolean }): {
    drawImage(image: ImageBitmap, x: number, y: number): void;
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
  };
}

/** The bitmap, with its colours as they are in the file. */
async function bitmapOf(bytes: Uint8Array, orient: boolean): Promise<ImageBitmap> {
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>]);
  try {
    return await createImageBitmap(blob, {
      imageOrientation: orient ? "from-image" : "none" as "from-image", // a word of newer browsers
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
  } catch (cause) {
    throw new DataError("it is no image, it is damaged, or this browser does not know its format", { cause });
  }
}

/** Red, green and blue of each pixel. */
export async function bitmapPixels(bytes: Uint8Array, orient: boolean): Promise<PixelImage> {
  const bitmap = await bitmapOf(bytes, orient);
  const { width, height } = bitmap;
  const { OffscreenCanvas } = globalThis as unknown as { OffscreenCanvas: new (w: number, h: number) => Canvas };
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const out = new Uint8Array(width * height * 3);
  for (let i = 0, k = 0; k < out.length; i += 4, k += 3) {
    out[k] = data[i];
    out[k + 1] = data[i + 1];
    out[k + 2] = data[i + 2];
  }
  return { data: out, width, height, channels: 3 };
}

/** Width and height. */
export async function bitmapSize(bytes: Uint8Array, orient: boolean): Promise<ImageSize> {
  const bitmap = await bitmapOf(bytes, orient);
  const { width, height } = bitmap;
  bitmap.close();
  return { width, height };
}
