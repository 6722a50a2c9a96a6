/**
 * SVG to PNG, with a font from a package, so that machines without fonts draw text, too; on a page by the browser.
 *
 * @module
 */
import { host } from "../base/host.ts";
import { fromFileUrl } from "../base/path.ts";
import { drawnPng } from "./drawn_png.ts";

/** The package as no bundler for browsers looks for it: it is native code of twenty systems. */
export const RESVG: string = host.kind === "deno" ? "npm:@resvg/resvg-js@^2.6.2" : "@resvg/resvg-js";

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
 * @throws {ConfigError} In a worker of a browser.
 */
export async function renderPng(svg: string, scale = 2): Promise<Uint8Array> {
  if (host.kind === "browser") return await drawnPng(svg, scale);
  const { Resvg } = await import(RESVG) as typeof import("@resvg/resvg-js");
  const font = { loadSystemFonts: false, fontFiles: [await fontFile()], defaultFontFamily: "DejaVu Sans" };
  return new Resvg(svg, { fitTo: { mode: "zoom", value: scale }, font }).render().asPng();
}
