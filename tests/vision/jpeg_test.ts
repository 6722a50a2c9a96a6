/**
 * JPEG files by libjpeg-turbo: the pixels that sharp gives, and files that are left to sharp.
 */
import { assert, assertEquals } from "@std/assert";
import sharp from "sharp";
import { decodeImage } from "../../src/vision/data/decode.ts";
import { decodeJpeg } from "../../src/vision/data/jpeg.ts";
import { fill } from "../support/fill.ts";

const linux = Deno.build.os === "linux";

/** A picture of `width` x `height` with edges and slopes. */
function picture(width: number, height: number, channels: 1 | 3 = 3): ReturnType<typeof sharp> {
  const noise = fill(3, width * height * channels, 1);
  const data = Uint8Array.from(noise, (v, i) => (i % (width * channels)) / (width * channels) * 160 + (v + 1) * 40);
  return sharp(data, { raw: { width, height, channels } });
}

const bytesOf = async (image: ReturnType<typeof sharp>) => Uint8Array.from(await image.toBuffer());

/** The file with a segment of EXIF that has an orientation. */
function oriented(jpeg: Uint8Array, orientation: number): Uint8Array<ArrayBuffer> {
  const exif = [0x45, 0x78, 0x69, 0x66, 0, 0, 0x49, 0x49, 42, 0, 8, 0, 0, 0];
  const entry = [1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0];
  const segment = [0xff, 0xe1, 0, 2 + exif.length + entry.length, ...exif, ...entry];
  return Uint8Array.from([...jpeg.subarray(0, 2), ...segment, ...jpeg.subarray(2)]);
}

async function bySharp(bytes: Uint8Array): Promise<Uint8Array> {
  return Uint8Array.from(await sharp(bytes).toColourspace("srgb").removeAlpha().raw().toBuffer());
}

Deno.test({
  name: "JPEG: the pixels are sharp's, bit for bit, of every kind that is decoded here",
  ignore: !linux,
  fn: async () => {
    for (const [width, height] of [[1, 1], [17, 5], [64, 48], [101, 67]]) {
      for (const options of [{}, { chromaSubsampling: "4:4:4" }, { progressive: true }, { quality: 20 }]) {
        const bytes = await bytesOf(picture(width, height).jpeg(options));
        const image = await decodeJpeg(bytes, true);
        assert(image !== null, `${width} x ${height} ${JSON.stringify(options)}`);
        assertEquals([image.width, image.height, image.channels], [width, height, 3]);
        assertEquals(image.data, await bySharp(bytes), `${width} x ${height} ${JSON.stringify(options)}`);
      }
      const grey = await bytesOf(picture(width, height, 1).toColourspace("b-w").jpeg());
      assertEquals((await decodeJpeg(grey, true))?.data, await bySharp(grey));
    }
  },
});

Deno.test({
  name: "JPEG: several at once, more than there are processors",
  ignore: !linux,
  fn: async () => {
    const files = await Promise.all(Array.from({ length: 12 }, (_, i) => bytesOf(picture(40 + i, 30).jpeg())));
    const images = await Promise.all(files.map((bytes) => decodeJpeg(bytes, true)));
    for (const [i, bytes] of files.entries()) assertEquals(images[i]?.data, await bySharp(bytes));
  },
});

Deno.test("JPEG: what is damaged, turned, of other colors or no JPEG is left to sharp", async () => {
  const plain = await bytesOf(picture(40, 30).jpeg());
  const left: Record<string, Uint8Array<ArrayBuffer>> = {
    png: await bytesOf(picture(40, 30).png()),
    turned: oriented(plain, 6),
    profile: await bytesOf(picture(40, 30).withIccProfile("p3").jpeg()),
    cmyk: await bytesOf(picture(40, 30).toColourspace("cmyk").jpeg()),
    "cut short": plain.slice(0, plain.length >> 1),
    "cut in its head": plain.slice(0, 30),
    empty: new Uint8Array(0),
  };
  for (const [name, bytes] of Object.entries(left)) assertEquals(await decodeJpeg(bytes, true), null, name);
  const { width, height } = await decodeImage(left.turned);
  assertEquals([width, height], [30, 40], "turned as its EXIF orientation says");
  if (!linux) return;
  const lying = await decodeJpeg(left.turned, false);
  assertEquals([lying?.width, lying?.height], [40, 30]);
  assertEquals((await decodeJpeg(oriented(plain, 1), true))?.width, 40);
});

Deno.test("JPEG: a thousand damaged files end in pixels or in null, never in an error", async () => {
  const plain = await bytesOf(picture(24, 16).withExif({ IFD0: { Copyright: "nobody" } }).jpeg());
  const draw = fill(9, 4000, 1);
  for (let i = 0; i < 1000; i++) {
    const bytes = plain.slice(0, i % 3 === 0 ? Math.floor(plain.length * Math.abs(draw[4 * i])) : plain.length);
    for (let k = 1; k < 4 && bytes.length > 0; k++) {
      const at = Math.floor(Math.abs(draw[4 * i + k]) * (k === 1 ? Math.min(200, bytes.length) : bytes.length));
      if (at < bytes.length) bytes[at] = (at * 31 + i) & 255;
    }
    const image = await decodeJpeg(bytes, true);
    if (image !== null) assertEquals(image.data.length, image.width * image.height * 3);
  }
});
