/**
 * Small pictures as PNG bytes, for embedding in SVG.
 *
 * @module
 */
import { crc32 } from "../base/checksum.ts";
import type { PixelImage } from "./panel.ts";

const COLOUR_TYPES: Record<number, number> = { 1: 0, 3: 2, 4: 6 };

/** Length, type, data, checksum. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + data.length), view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)));
  return out;
}

/** The picture as a PNG file: 8 bits a channel, no filter. `channels` is 1, 3 or 4. */
export async function encodePng(image: PixelImage): Promise<Uint8Array> {
  const { data, width, height, channels } = image, row = width * channels;
  const header = new Uint8Array(13), view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, COLOUR_TYPES[channels], 0, 0, 0], 8);
  const raw = new Uint8Array(height * (row + 1)); // each row starts with its filter, 0
  for (let y = 0; y < height; y++) raw.set(data.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const deflated = new Blob([raw]).stream().pipeThrough(new CompressionStream("deflate"));
  const body = new Uint8Array(await new Response(deflated).arrayBuffer());
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", header),
    chunk("IDAT", body),
    chunk("IEND", new Uint8Array(0)),
  ];
  return new Uint8Array(await new Blob(parts.map((part) => part.slice())).arrayBuffer());
}
