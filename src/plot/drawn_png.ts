/**
 * SVG to PNG by a browser.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";

/** What is used of a page's image and canvas. */
interface Drawing {
  readonly Image?: new () => { src: string; readonly width: number; readonly height: number; decode(): Promise<void> };
  readonly OffscreenCanvas: new (width: number, height: number) => {
    getContext(kind: "2d"): {
      drawImage(image: unknown, x: number, y: number, width: number, height: number): void;
    };
    convertToBlob(options: { readonly type: string }): Promise<Blob>;
  };
}

/** Draws an SVG document, `scale` pixels per unit of it. */
export async function drawnPng(svg: string, scale: number): Promise<Uint8Array> {
  const { Image, OffscreenCanvas } = globalThis as unknown as Drawing;
  if (Image === undefined) {
    throw new ConfigError(
      "Cannot draw a figure as PNG in a worker: browsers draw SVG on a page only; save it as .svg, or give figure.svg() to the page",
    );
  }
  const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const width = Math.round(image.width * scale), height = Math.round(image.height * scale);
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext("2d").drawImage(image, 0, 0, width, height);
    return new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
  } finally {
    URL.revokeObjectURL(address);
  }
}
