/**
 * SVG to PNG, with a font from a package, so that machines without fonts draw text, too.
 *
 * @module
 */
import { fromFileUrl } from "../base/path.ts";

/** Path of the font file; loading the package's description is what puts its files on disk. */
async function fontFile(): Promise<string> {
  await import("dejavu-fonts-ttf/package.json", { with: { type: "json" } });
  return fromFileUrl(import.meta.resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf"));
}

/**
 * Draws an SVG document.
 *
 * @param svg The document.
 * @param scale Pixels per unit of the document.
 * @returns A PNG file.
 */
export async function renderPng(svg: string, scale = 2): Promise<Uint8Array> {
  const { Resvg } = await import("@resvg/resvg-js");
  const font = { loadSystemFonts: false, fontFiles: [await fontFile()], defaultFontFamily: "DejaVu Sans" };
  return new Resvg(svg, { fitTo: { mode: "zoom", value: scale }, font }).render().asPng();
}
