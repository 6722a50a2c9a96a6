/**
 * Image files of many kinds: pixels as Pillow has them, orientation, what cannot be read, and files that change.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { dirname, join } from "@std/path";
import sharp from "sharp";
import {
  type DataLoaders,
  getImageFiles,
  ImageDataLoaders,
  Learner,
  loadLearner,
  nn,
  silentLogger,
} from "../../mod.ts";
import { loadData } from "../../src/cli/recipe/data.ts";
import { ConfigError, DataError } from "../../src/base/errors.ts";
import { decodeImage, imageSize, Resize, verifyImages } from "../../src/vision/data/mod.ts";
import { onDevices } from "../support/devices.ts";
import { inFolder, noise, plain, writePng } from "./support/images.ts";

interface Golden {
  readonly files: Readonly<
    Record<string, { readonly file: string; readonly width: number; readonly height: number; readonly rgb: number[] }>
  >;
}

Deno.test("BMP, icons and Netpbm: Pillow's pixels", async () => {
  const { files }: Golden = JSON.parse(
    await Deno.readTextFile(new URL("../golden/formats.json", import.meta.url)),
  );
  for (const [name, { file, width, height, rgb }] of Object.entries(files)) {
    const bytes = Uint8Array.from(atob(file), (c) => c.charCodeAt(0));
    const image = await decodeImage(bytes);
    assertEquals([image.width, image.height, [...image.data]], [width, height, rgb], name);
    assertEquals(await imageSize(bytes), { width, height }, name);
    // what ends early is refused, and nothing else than that
    for (let cut = 1; cut < bytes.length; cut += Math.ceil(bytes.length / 40)) {
      await decodeImage(bytes.slice(0, cut)).then(
        () => {},
        (error) => assert(error instanceof DataError, `${name} ${cut}: ${error}`),
      );
    }
    let seed = 7;
    const next = (n: number) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % n;
    for (let i = 0; i < 60; i++) {
      const bad = bytes.slice();
      bad[next(Math.min(64, bad.length))] = next(256);
      await decodeImage(bad).then(
        ({ data, width, height }) => assertEquals(data.length, 3 * width * height),
        (error) => assert(error instanceof DataError, `${name}: ${error}`),
      );
    }
  }
  const half = Uint8Array.from(atob(files.ppm.file), (c) => c.charCodeAt(0)).slice(0, 30);
  await assertRejects(() => decodeImage(half), DataError, "it ends after 30 of ");
});

Deno.test("a picture that was taken on its side is turned, unless it is to stay", () =>
  inFolder(async (folder) => {
    const { data, width, height } = noise(6, 4, 1);
    const raw = { raw: { width, height, channels: 3 as const } };
    const upright = join(folder, "a.png"), side = join(folder, "b.png");
    await sharp(data, raw).png().toFile(upright);
    await sharp(data, raw).withMetadata({ orientation: 6 }).png().toFile(side);
    const as = await decodeImage(side, { orient: false });
    assertEquals(as, await decodeImage(upright));
    const turned = await decodeImage(side); // a quarter to the right
    assertEquals([turned.width, turned.height], [4, 6]);
    const at = (image: typeof as, x: number, y: number) => [...image.data.slice(3 * (y * image.width + x)).slice(0, 3)];
    for (let x = 0; x < 6; x++) for (let y = 0; y < 4; y++) assertEquals(at(turned, 3 - y, x), at(as, x, y));
    assertEquals(await imageSize(side), { width: 4, height: 6 });
    assertEquals(await imageSize(side, { orient: false }), { width: 6, height: 4 });
  }));

Deno.test("what cannot be read is said as it is", () =>
  inFolder(async (folder) => {
    const missing = join(folder, "missing corner.png"), none = join(folder, "none.png"), empty = join(folder, "e.png");
    await Deno.writeTextFile(missing, "no picture");
    await Deno.writeTextFile(empty, "");
    await Deno.mkdir(join(folder, "d.png"));
    const reason = async (file: string) => (await assertRejects(() => decodeImage(file), DataError)).message;
    assert(
      (await reason(missing)).includes("it is no image, or of a format that is not supported (those are JPEG, PNG"),
    );
    assertEquals(await reason(none), `Cannot read image ${none}: there is no such file`);
    assertEquals(await reason(empty), `Cannot read image ${empty}: it is empty`);
    assertEquals(await reason(join(folder, "d.png")), `Cannot read image ${join(folder, "d.png")}: it is a folder`);
    const odd = await writePng(join(folder, "no such file [1] %20 é.png"), plain(3, 2, [1, 2, 3]));
    assertEquals((await decodeImage(odd)).width, 3);
    assertEquals((await verifyImages([odd, missing])).map((b) => b.file), [missing]);
  }));

Deno.test("images of formats that cannot be read are left out of the listing", () =>
  inFolder(async (folder) => {
    await writePng(join(folder, "a.png"), plain(2, 2, [1, 2, 3]));
    await Deno.writeFile(join(folder, "b.ppm"), new TextEncoder().encode("P3 1 1 255 1 2 3"));
    for (const name of ["c.heic", "d.xpm"]) await Deno.writeTextFile(join(folder, name), "x");
    assertEquals(await getImageFiles(folder), ["a.png", "b.ppm"].map((name) => join(folder, name)));
    const sole = join(folder, "sole");
    await Deno.mkdir(sole);
    await Deno.writeTextFile(join(sole, "e.heic"), "x");
    await assertRejects(() => getImageFiles(sole), DataError, "1 such as " + join(sole, "e.heic") + " cannot, convert");
  }));

onDevices("a file that was written anew is read anew; one that is gone is told", () =>
  inFolder(async (folder) => {
    for (const [name, colour] of [["blue", [0, 0, 220]], ["red", [220, 0, 0]]] as const) {
      for (let i = 0; i < 8; i++) await writePng(join(folder, "p", name, `${i}.png`), plain(16, 16, [...colour]));
    }
    const dls = await ImageDataLoaders.fromFolder(join(folder, "p"), {
      validPct: 0.25,
      seed: 1,
      bs: 4,
      itemTfms: [new Resize(16)],
      resident: false,
    });
    const snap = join(folder, "snap.png");
    const first = async (file: string) => [...await (await dls.testDl([file]).peek())![0].data()].slice(0, 1);
    await writePng(snap, plain(16, 16, [255, 0, 0]));
    assertEquals(await first(snap), [1]);
    assertEquals(await first(snap), [1]);
    await writePng(snap, plain(16, 16, [0, 0, 254]));
    await Deno.utime(snap, new Date(), new Date(Date.now() + 5000));
    assertEquals(await first(snap), [0]);
    await Deno.remove(snap);
    await assertRejects(() => first(snap), DataError, "there is no such file");
    // and a set that is trained on
    const file = dls.validSet.files[0];
    await (await dls.valid.peek())![0].data();
    await writePng(file, plain(16, 16, [0, 255, 0]));
    await Deno.utime(file, new Date(), new Date(Date.now() + 5000));
    assertEquals((await (await dls.valid.peek())![0].data())[256], 1);
  }), { kinds: ["cpu"] });

onDevices("learners that leave orientation alone do so after export, too", () =>
  inFolder(async (folder) => {
    for (const name of ["a", "b"]) {
      for (let i = 0; i < 3; i++) await writePng(join(folder, "p", name, `${i}.png`), noise(8, 8, i));
    }
    const side = join(folder, "side.png"), { data, width, height } = noise(8, 8, 9);
    await sharp(data, { raw: { width, height, channels: 3 } }).withMetadata({ orientation: 3 }).png().toFile(side);
    const preds = async (orient: boolean) => {
      const dls = await ImageDataLoaders.fromFolder(join(folder, "p"), { validPct: 0.3, seed: 1, bs: 2, orient });
      const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(192, 2));
      const learn = new Learner(dls as unknown as DataLoaders, model, { logger: silentLogger, path: folder });
      for (const [i, p] of model.parameters().entries()) p.assign(p.mul(0).add(i === 0 ? 1 : 0));
      model.parameters()[0].assign(await ramp(model.parameters()[0].shape));
      const values = [...await (await learn.predict(side)).pred.data()];
      const again = await loadLearner(await learn.export(`o${orient}`), { logger: silentLogger });
      assertEquals([...await (await again.predict(side)).pred.data()], values);
      return values;
    };
    assert((await preds(true)).join() !== (await preds(false)).join());
  }), { kinds: ["cpu"] });

async function ramp(shape: readonly number[]) {
  const { tensor } = await import("../../mod.ts");
  const n = shape.reduce((a, b) => a * b, 1);
  return tensor(Float32Array.from({ length: n }, (_, i) => Math.sin(i)), { shape: [...shape] });
}

Deno.test("folders that are no classes are named; recipes use train and valid where they are", () =>
  inFolder(async (folder) => {
    const set = join(folder, "set");
    const png = (path: string) => writePng(join(set, path), plain(4, 4, [1, 2, 3]));
    for (const [dir, n] of [["train/cat", 4], ["train/dog", 4], ["valid/cat", 2], ["valid/dog", 2]] as const) {
      for (let i = 0; i < n; i++) await png(`${dir}/${i}.png`);
    }
    const options = { validPct: 0.25, seed: 1, bs: 2 };
    assertEquals((await ImageDataLoaders.fromFolder(set, options)).vocab, ["cat", "dog"]);
    const stray = await png("test/0.png");
    await assertRejects(
      () => ImageDataLoaders.fromFolder(set, options),
      DataError,
      `Cannot take the folder "test" for a class: ${stray} lies in it`,
    );
    await Deno.remove(dirname(stray), { recursive: true });
    const logo = await png("logo.png");
    await assertRejects(
      () => ImageDataLoaders.fromFolder(set, options),
      DataError,
      `Cannot take the folder "set" for a class: ${logo} lies in ${set} itself`,
    );
    const spec = { kind: "images", path: "set", size: 4, bs: 2 } as const;
    const sets = async (more: object = {}) => {
      const { dls, vocab } = await loadData({ ...spec, ...more } as never, folder, 1);
      const { trainSet, validSet } = dls as unknown as ImageDataLoaders;
      return { vocab, train: trainSet.files.length, valid: validSet.files.filter((f) => f.includes("/valid/")).length };
    };
    assertEquals(await sets(), { vocab: ["cat", "dog"], train: 8, valid: 4 });
    await assertRejects(() => sets({ validPct: 0.1 }), ConfigError, "the folders train and valid");
    await Deno.rename(join(set, "valid"), join(set, "val"));
    assertEquals((await sets()).train, 8);
    await Deno.remove(join(set, "val"), { recursive: true });
    assertEquals((await sets()).train, 7, "a part of train is held out");
    await Deno.remove(logo);
    await Deno.rename(join(set, "train"), join(folder, "only"));
    assertEquals((await sets({ path: "only" })).train, 7);
  }));
