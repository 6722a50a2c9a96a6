/**
 * Images of all kinds, right or broken: each gives its pixels or an error that names it.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import sharp from "sharp";
import { ConfigError, DataError } from "../../src/base/errors.ts";
import { decodeImage, imageSize } from "../../src/vision/data/decode.ts";
import { ImageDataLoaders } from "../../src/vision/data/image_loaders.ts";
import { Gate, ImageStore } from "../../src/vision/data/image_store.ts";
import { Resize } from "../../src/vision/data/item_tfms.ts";
import { IndexSplitter } from "../../src/data/splitters.ts";
import { verifyImages } from "../../src/vision/data/verify_images.ts";
import { onDevices } from "../support/devices.ts";
import { inFolder, noise, plain, writePng } from "./support/images.ts";

const red = { width: 20, height: 10, channels: 3, background: { r: 200, g: 10, b: 30 } } as const;

/** Largest distance of any pixel from one colour. */
function off(data: Uint8Array, rgb: readonly number[]): number {
  return data.reduce((most, v, i) => Math.max(most, Math.abs(v - rgb[i % 3])), 0);
}

Deno.test("grey, alpha, 16 bits, CMYK, palette, GIF, WebP, TIFF and one pixel become red, green and blue", () =>
  inFolder(async (folder) => {
    const check = async (name: string, bytes: Uint8Array, rgb: readonly number[], allowed: number) => {
      const path = join(folder, name);
      await Deno.writeFile(path, bytes);
      const image = await decodeImage(path);
      assertEquals([image.channels, image.data.length], [3, image.width * image.height * 3], name);
      assert(off(image.data, rgb) <= allowed, `${name}: off by ${off(image.data, rgb)}`);
      assertEquals(await imageSize(path), { width: image.width, height: image.height }, name);
    };
    const flat = (channels: 1 | 2 | 3 | 4, values: number[], n = 12) =>
      sharp(Uint8Array.from({ length: n * channels }, (_, i) => values[i % channels]), {
        raw: { width: n / 2, height: 2, channels },
      });
    await check("grey.png", await flat(1, [77]).toColourspace("b-w").png().toBuffer(), [77, 77, 77], 0);
    await check("grey.jpg", await flat(1, [77]).toColourspace("b-w").jpeg().toBuffer(), [77, 77, 77], 1);
    await check("grey_alpha.png", await flat(2, [77, 9]).toColourspace("b-w").png().toBuffer(), [77, 77, 77], 0);
    // transparency is dropped, not blended: what lies under it counts, as in fastai
    await check("alpha.png", await flat(4, [200, 10, 30, 0]).png().toBuffer(), [200, 10, 30], 0);
    await check("palette.png", await sharp({ create: red }).png({ palette: true }).toBuffer(), [200, 10, 30], 0);
    await check("x.gif", await sharp({ create: red }).gif().toBuffer(), [200, 10, 30], 8);
    await check("x.webp", await sharp({ create: red }).webp({ lossless: true }).toBuffer(), [200, 10, 30], 0);
    await check("x.tiff", await sharp({ create: red }).tiff().toBuffer(), [200, 10, 30], 3);
    await check("gif_named.jpg", await sharp({ create: red }).gif().toBuffer(), [200, 10, 30], 8);
    const deep = await sharp({ create: red }).toColourspace("rgb16").png().toBuffer();
    assertEquals((await sharp(deep).metadata()).depth, "ushort");
    await check("deep.png", deep, [200, 10, 30], 1);
    const deepGrey = await flat(1, [77]).toColourspace("grey16").png().toBuffer();
    await check("deep_grey.png", deepGrey, [77, 77, 77], 1);
    const cmyk = await sharp({ create: red }).toColourspace("cmyk").jpeg({ quality: 100 }).toBuffer();
    assertEquals((await sharp(cmyk).metadata()).space, "cmyk");
    await check("cmyk.jpg", cmyk, [200, 10, 30], 40); // there and back through inks
    await check("dot.png", await sharp({ create: { ...red, width: 1, height: 1 } }).png().toBuffer(), [200, 10, 30], 0);
  }));

Deno.test("a JPEG with stray bytes before its end is read, as PETS has some", () =>
  inFolder(async (folder) => {
    const jpeg = await sharp({ create: red }).jpeg().toBuffer();
    const stray = new Uint8Array([...jpeg.subarray(0, -2), ...new Array(240).fill(0), ...jpeg.subarray(-2)]);
    await Deno.writeFile(join(folder, "x.jpg"), stray);
    assertEquals((await decodeImage(join(folder, "x.jpg"))).data, (await decodeImage(new Uint8Array(jpeg))).data);
  }));

/** Broken files by name, and what their errors say. */
async function writeBroken(folder: string): Promise<Record<string, string>> {
  const { data } = noise(60, 40, 1), raw = { width: 60, height: 40, channels: 3 as const };
  const png = await sharp(data, { raw }).png().toBuffer(), jpeg = await sharp(data, { raw }).jpeg().toBuffer();
  const damaged = Uint8Array.from(png);
  damaged.fill(0, 60, 400);
  await Deno.writeFile(join(folder, "a_short.png"), png.subarray(0, 1000));
  await Deno.writeFile(join(folder, "b_short.jpg"), jpeg.subarray(0, 1500));
  await Deno.writeFile(join(folder, "c_damaged.png"), damaged);
  await Deno.writeTextFile(join(folder, "d_text.jpg"), "no picture at all");
  await Deno.writeTextFile(join(folder, "e_empty.png"), "");
  await Deno.mkdir(join(folder, "g_folder.png"));
  return {
    "a_short.png": "",
    "b_short.jpg": "",
    "c_damaged.png": "",
    "d_text.jpg": "it is no image, or of a format that is not supported",
    "e_empty.png": "it is empty",
    "f_missing.png": "there is no such file",
    "g_folder.png": "",
  };
}

Deno.test("broken images are errors that name them; verifyImages() lists them all", () =>
  inFolder(async (folder) => {
    const broken = await writeBroken(folder);
    for (const [name, message] of Object.entries(broken)) {
      const path = join(folder, name);
      const error = await assertRejects(() => decodeImage(path), DataError, message);
      assert(error.message.startsWith(`Cannot read image ${path}: `), error.message);
      assert(!error.message.includes("\n"), error.message);
    }
    const good = await writePng(join(folder, "good.png"), plain(3, 3, [1, 2, 3]));
    const found = await verifyImages([good, ...Object.keys(broken).map((name) => join(folder, name)), good]);
    assertEquals(found.map(({ file }) => file), Object.keys(broken).map((name) => join(folder, name)));
    for (const { file, reason } of found) assert(reason.includes(file));
  }));

onDevices(
  "a broken image stops an epoch with its name, and the loader goes on after it",
  () =>
    inFolder(async (folder) => {
      await writeBroken(folder);
      const files = await Promise.all(
        Array.from({ length: 6 }, (_, i) => writePng(join(folder, `${"xy"[i % 2]}${i}.png`), noise(20, 10, i))),
      );
      const bad = join(folder, "b_short.jpg");
      const make = (resident: boolean, dropLast: boolean) =>
        ImageDataLoaders.fromNameFunc(folder, [...files, bad], (name) => name[0] === "x", {
          bs: 2,
          shuffle: false,
          dropLast,
          resident,
          splitter: IndexSplitter([]),
          itemTfms: new Resize(8, { method: "squish" }),
        });
      await assertRejects(() => make(true, true), DataError, `Cannot read image ${bad}`);
      const dls = await make(false, true);
      const whole = await make(false, false);
      for (let epoch = 0; epoch < 2; epoch++) {
        let batches = 0;
        for await (const [xb] of dls.train) batches += (await xb.data()).length > 0 ? 1 : 0;
        assertEquals(batches, 3, "the broken image is in the batch that is left out");
        batches = 0;
        await assertRejects(
          async () => {
            for await (const [xb] of whole.train) batches += (await xb.data()).length > 0 ? 1 : 0;
          },
          DataError,
          `Cannot read image ${bad}`,
        );
        assertEquals(batches, 3, "batches before it were given out");
      }
      await assertRejects(
        async () => {
          for await (const [xb] of dls.testDl([files[0], bad])) await xb.data();
        },
        DataError,
        `Cannot read image ${bad}`,
      );
    }),
  { kinds: ["cpu"] },
);

Deno.test("the cache keeps no more bytes than it may, and what it keeps", () =>
  inFolder(async (folder) => {
    const files = await Promise.all(
      Array.from({ length: 5 }, (_, i) => writePng(join(folder, `${i}.png`), noise(10, 10, i))),
    );
    const store = new ImageStore(650);
    const first = await Promise.all(files.map((f) => store.load(f)));
    assertEquals(store.keptBytes, 600);
    const again = await Promise.all(files.map((f) => store.load(f)));
    assertEquals(again.filter((image, i) => image === first[i]).length, 2);
    again.forEach((image, i) => assertEquals(image.data, first[i].data));
    store.clear();
    assertEquals(store.keptBytes, 0);
  }));

Deno.test("a gate lets as many in as their bytes allow, in order, and survives failures", async () => {
  const gate = new Gate(2);
  let running = 0, most = 0;
  const done: number[] = [];
  const task = (i: number, bytes: number) =>
    gate.run(async () => {
      most = Math.max(most, ++running);
      await new Promise((go) => setTimeout(go, 2));
      running--;
      done.push(i);
      if (i % 5 === 4) throw new Error("no");
      return bytes;
    }, (n) => n);
  await Promise.allSettled(Array.from({ length: 20 }, (_, i) => task(i, 100 << 20)));
  assertEquals([most, done], [2, Array.from({ length: 20 }, (_, i) => i)]);
  most = 0;
  await Promise.all([0, 1, 2].map((i) => task(i, 300 << 20))); // larger than all memory allowed: still one by one
  most = 0;
  await Promise.all([0, 1, 2].map((i) => task(i, 1)));
  assertEquals(most, 1);
});

Deno.test({
  name: "without permission for native code decoding says which flag is missing",
  permissions: { read: true, env: true, ffi: false },
  fn: async () => {
    const { decodeImage } = await import(new URL("../../src/vision/data/decode.ts?fresh", import.meta.url).href);
    await assertRejects(() => decodeImage(new Uint8Array([1])), ConfigError, "--allow-ffi");
  },
});

onDevices(
  "transforms that are none, and sizes that are no numbers, are refused by name",
  () =>
    inFolder(async (folder) => {
      for (const label of ["a", "b"]) {
        for (let i = 0; i < 3; i++) await writePng(join(folder, label, `${i}.png`), plain(8, 8, [9 * i, 0, 0]));
      }
      const load = (options: object) => () => ImageDataLoaders.fromFolder(folder, { validPct: 0.4, ...options });
      for (const itemTfms of [[Resize], [undefined], ["resize"], {}]) {
        await assertRejects(load({ itemTfms }), ConfigError, "itemTfms");
      }
      for (const batchTfms of [[(x: unknown) => x], [Resize], [new Resize(8)]]) {
        await assertRejects(load({ batchTfms }), ConfigError, "batchTfms");
      }
      assertThrows(() => new Resize("16" as never), ConfigError, 'Cannot resize to "16" x "16"');
    }),
  { kinds: ["cpu"] },
);
