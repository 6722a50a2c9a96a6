/**
 * Image files for tests.
 *
 * @module
 */
import sharp from "sharp";
import { dirname, join } from "@std/path";
import type { PixelImage } from "../../../src/plot/mod.ts";
import { fill } from "../../support/fill.ts";

/** Noise, red, green, blue. */
export function noise(width: number, height: number, seed: number, channels = 3): PixelImage {
  const data = Uint8Array.from(fill(seed, width * height * channels, 1), (v) => Math.floor((v + 1) * 127.999));
  return { data, width, height, channels };
}

/** One colour. */
export function plain(width: number, height: number, rgb: readonly number[]): PixelImage {
  return { data: Uint8Array.from({ length: width * height * 3 }, (_, i) => rgb[i % 3]), width, height, channels: 3 };
}

/** A picture as a PNG file; folders that are missing are made. */
export async function writePng(path: string, image: PixelImage): Promise<string> {
  const { data, width, height, channels } = image;
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeFile(
    path,
    await sharp(data, { raw: { width, height, channels: channels as 1 | 3 | 4 } }).png().toBuffer(),
  );
  return path;
}

/** Runs `body` with a folder that is gone afterwards. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "anneal_vision_" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** `n` plain PNGs `a_0.png`, `b_1.png`, ...: name, size and colour tell them apart. */
export async function writeSet(
  folder: string,
  n: number,
  size: (i: number) => readonly [number, number] = () => [8, 8],
): Promise<string[]> {
  return await Promise.all(Array.from({ length: n }, (_, i) => {
    const [w, h] = size(i);
    return writePng(join(folder, `${"ab"[i % 2]}_${i}.png`), plain(w, h, [i, 2 * i, 255 - i]));
  }));
}
