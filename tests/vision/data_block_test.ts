/**
 * Data described in parts: items that are found, labelled in every way, divided and changed together with their labels.
 */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { basename, join } from "@std/path";
import { ConfigError, DataError } from "../../src/base/errors.ts";
import { applyOpsNearest, type PixelOp } from "../../src/vision/data/pixel_ops.ts";
import { Rng, type Tensor } from "../../src/tensor/mod.ts";
import {
  augTransforms,
  CategoryBlock,
  ColReader,
  ColSplitter,
  DataBlock,
  FuncSplitter,
  getImageFiles,
  ImageBlock,
  ImageDataLoaders,
  IndexSplitter,
  MaskBlock,
  MultiCategoryBlock,
  parentLabel,
  PointBlock,
  RandomSplitter,
  RegexLabeller,
  RegressionBlock,
  Resize,
  SegmentationDataLoaders,
  TrainTestSplitter,
} from "../../src/entry/vision.ts";
import { inFolder, plain, writePng, writeSet } from "./support/images.ts";

const WIDTH = 48, HEIGHT = 40;

/** Pictures of a bright disc, each with a mask of it (0 and 255) and the disc's center. */
async function discs(root: string, n: number): Promise<{ files: string[]; centers: Map<string, [number, number]> }> {
  const rng = new Rng(5), files: string[] = [], centers = new Map<string, [number, number]>();
  for (let i = 0; i < n; i++) {
    const cx = 18 + rng.uniform() * 12, cy = 16 + rng.uniform() * 8, radius = 5;
    const image = plain(WIDTH, HEIGHT, [20, 20, 20]), mask = new Uint8Array(WIDTH * HEIGHT);
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) {
        if ((x + 0.5 - cx) ** 2 + (y + 0.5 - cy) ** 2 > radius ** 2) continue;
        image.data.set([240, 240, 240], 3 * (y * WIDTH + x));
        mask[y * WIDTH + x] = 255;
      }
    }
    const file = await writePng(join(root, "images", `${i}.png`), image);
    await writePng(join(root, "masks", `${i}.png`), { data: mask, width: WIDTH, height: HEIGHT, channels: 1 });
    files.push(file);
    centers.set(file, [cx, cy]);
  }
  return { files, centers };
}

const maskOf = (file: string) => file.replace("/images/", "/masks/").replace("\\images\\", "\\masks\\");
const images = (root: string) => getImageFiles(join(root, "images"));

/** Where the bright pixels of an image lie, in [-1, 1], and how many there are. */
async function bright(x: Tensor, i: number): Promise<[x: number, y: number, count: number]> {
  const [, , h, w] = x.shape, data = await x.slice([[i, i + 1], [0, 1]]).reshape([h * w]).data();
  let sx = 0, sy = 0, n = 0;
  data.forEach((v, k) => {
    if (v < 0.5) return;
    sx += (k % w + 0.5) / w * 2 - 1;
    sy += (Math.floor(k / w) + 0.5) / h * 2 - 1;
    n++;
  });
  return [sx / n, sy / n, n];
}

const changes = [
  ["nothing random", {}],
  ["flips", { doFlip: true, flipVert: true, maxRotate: 0, maxWarp: 0, maxZoom: 1, maxLighting: 0 }],
  ["turns, zooms and tilts", { flipVert: true, maxRotate: 30, maxZoom: 1.3, maxWarp: 0.3, pAffine: 1, maxLighting: 0 }],
  ["another size", { size: [50, 30] as const, maxRotate: 20, maxWarp: 0.2, pAffine: 1, maxLighting: 0 }],
  ["squares of another size", { size: 64, minScale: 0.8, maxWarp: 0, maxRotate: 0, maxLighting: 0 }],
] as const;

for (const [name, aug] of changes) {
  Deno.test(`masks and points stay on what they mark: ${name}`, () =>
    inFolder(async (root) => {
      const { centers } = await discs(root, 6);
      const rest = {
        getItems: images,
        splitter: IndexSplitter([5]),
        itemTfms: new Resize([36, 32]),
        batchTfms: name === "nothing random" ? [] : augTransforms({ ...aug, padMode: "zeros" }),
      };
      const masks = await new DataBlock({
        blocks: [ImageBlock, MaskBlock({ codes: ["ground", "disc"], values: [0, 255] })],
        getY: maskOf,
        ...rest,
      }).dataloaders(root, { bs: 5, seed: 3 });
      const points = await new DataBlock({
        blocks: [ImageBlock, PointBlock],
        getY: (file: string) => [centers.get(file)!],
        ...rest,
      }).dataloaders(root, { bs: 5, seed: 3 });
      for (const training of [true, false]) {
        const [xm, m] = (await (training ? masks.train : masks.valid).peek())!;
        const [xp, p] = (await (training ? points.train : points.valid).peek())!;
        assertEquals(await xm.data(), await xp.data(), "the same random changes");
        assertEquals([m.dtype, p.dtype, p.shape], ["i32", "f32", [xp.shape[0], 1, 2]]);
        const [n, , h, w] = xm.shape;
        assertEquals(m.shape, [n, h, w]);
        const codes = await m.data(), at = await p.data(), pixels = await xm.slice([null, [0, 1]]).data();
        let wrong = 0, all = 0;
        codes.forEach((code, k) => {
          assert(code === 0 || code === 1);
          const value = pixels[k];
          if (value > 0.25 && value < 0.75) return; // an edge
          all++;
          if ((value > 0.5) !== (code === 1)) wrong++;
        });
        assert(wrong <= all * 0.01, `${wrong} of ${all} pixels have another class`);
        for (let i = 0; i < n; i++) {
          const [x, y, count] = await bright(xp, i);
          assert(count > 20, "the disc is in the image");
          assertAlmostEquals(at[2 * i], x, 0.06);
          assertAlmostEquals(at[2 * i + 1], y, 0.06);
        }
      }
    }));
}

Deno.test("masks are resized as Pillow's NEAREST does it, and cropped and padded as their images are", () => {
  const image = { data: Uint8Array.from({ length: 30 }, (_, i) => i), width: 6, height: 5, channels: 1 };
  const after = (...ops: PixelOp[]) => Array.from(applyOpsNearest(image, ops).data);
  // Image.fromarray(np.arange(30, dtype=np.uint8).reshape(5, 6)).resize((4, 3), Image.NEAREST)
  assertEquals(after({ op: "resize", width: 4, height: 3 }), [0, 2, 3, 5, 12, 14, 15, 17, 24, 26, 27, 29]);
  assertEquals(after({ op: "crop", left: 2, top: 1, width: 2, height: 2 }), [8, 9, 14, 15]);
  const pad = { op: "pad", left: 1, top: 0, right: 0, bottom: 1 } as const;
  const tiny = (mode: "zeros" | "border" | "reflection") =>
    after({ op: "crop", left: 0, top: 0, width: 2, height: 2 }, { ...pad, mode });
  assertEquals(tiny("zeros"), [0, 0, 1, 0, 6, 7, 0, 0, 0]);
  assertEquals(tiny("border"), [0, 0, 1, 6, 6, 7, 6, 6, 7]);
  assertEquals(tiny("reflection"), [1, 0, 1, 7, 6, 7, 1, 0, 1]);
});

Deno.test("blocks of classes, several classes and numbers: batches, vocabularies, losses and names", () =>
  inFolder(async (root) => {
    const files = await writeSet(root, 8);
    const number = (file: string) => Number(/\d+/.exec(basename(file))![0]);
    const rest = { getItems: () => files, splitter: IndexSplitter([6, 7]) };
    const one = await new DataBlock({
      blocks: [ImageBlock, CategoryBlock],
      getY: (f: string) => basename(f)[0],
      ...rest,
    })
      .dataloaders(root, { bs: 6, shuffle: false });
    assertEquals([one.vocab, one.c], [["a", "b"], 2]);
    assertEquals([...await (await one.train.peek())![1].data()], [0, 1, 0, 1, 0, 1]);

    const several = await new DataBlock({
      blocks: [ImageBlock, MultiCategoryBlock()],
      getY: (f: string) => ["even", "small"].filter((_, k) => k === 0 ? number(f) % 2 === 0 : number(f) < 3),
      ...rest,
    }).dataloaders(root, { bs: 6, shuffle: false });
    const [, y] = (await several.train.peek())!;
    assertEquals([y.dtype, y.shape, several.vocab], ["f32", [6, 2], ["even", "small"]]);
    assertEquals([...await y.data()], [1, 1, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0]);
    assertEquals(several.lossFunc?.constructor.name, "BCEWithLogitsLoss");
    assertEquals(several.target.caption([1, 1]), "even;small");

    const numbers = await new DataBlock({ blocks: [ImageBlock, RegressionBlock], getY: number, ...rest })
      .dataloaders(root, { bs: 6, shuffle: false });
    const [, v] = (await numbers.train.peek())!;
    assertEquals([v.dtype, v.shape, numbers.c], ["f32", [6], 1]);
    assertEquals([...await v.data()], [0, 1, 2, 3, 4, 5]);
    assertEquals(numbers.lossFunc?.constructor.name, "MSELoss");
    const pairs = await new DataBlock({
      blocks: [ImageBlock, RegressionBlock],
      getY: (f: string) => [number(f), 1],
      ...rest,
    })
      .dataloaders(root, { bs: 6 });
    assertEquals([pairs.c, (await pairs.valid.peek())![1].shape], [2, [2, 2]]);
  }));

Deno.test("rows of tables: ColReader, ColSplitter, and labels with a text between them", () =>
  inFolder(async (root) => {
    await writeSet(root, 4);
    const rows = ["a_0", "b_1", "a_2", "b_3"].map((name, i) => ({
      name,
      tags: ["car sky", "", "sky", "car"][i],
      is_valid: i === 3 ? "True" : "False",
    }));
    const dls = await new DataBlock({
      blocks: [ImageBlock, MultiCategoryBlock],
      getX: ColReader("name", { pref: `${root}/`, suff: ".png" }),
      getY: ColReader("tags", { labelDelim: " " }),
      splitter: ColSplitter(),
    }).dataloaders(rows, { bs: 3, shuffle: false });
    assertEquals(dls.vocab, ["car", "sky"]);
    assertEquals([...await (await dls.train.peek())![1].data()], [1, 1, 0, 0, 0, 1]);
    const several = ColReader("tags", { labelDelim: ";" });
    assertEquals(["a; b;", " b ", ";", ""].map((tags) => several({ tags })), [["a", "b"], ["b"], [], []]);
    assertThrows(() => ColReader("label")({ name: 1 }), DataError, 'the column "label" of a row: it has name');
    assertThrows(() => ColSplitter("v")([{ v: "maybe" }]), DataError, 'row 0 "maybe"');
  }));

Deno.test("labellers and splitters", () => {
  assertEquals(parentLabel("pets/cat/1.jpg"), "cat");
  assertEquals(RegexLabeller(/^(.*)_\d+\.jpg$/g)("x/great_pyrenees_173.jpg"), "great_pyrenees");
  assertThrows(() => RegexLabeller(/^(.*)_\d+\.jpg$/)("x/1.png"), DataError, "its name must match");
  const items = Array.from({ length: 40 }, (_, i) => ({ i, label: i < 10 ? "rare" : "common" }));
  const split = TrainTestSplitter<{ i: number; label: string }>({ testSize: 0.2, seed: 1, stratify: (x) => x.label });
  const [train, valid] = split(items);
  assertEquals([train.length, valid.length], [32, 8]);
  assertEquals(valid.filter((i) => i < 10).length, 2);
  assertEquals([...train, ...valid].sort((a, b) => a - b), items.map(({ i }) => i));
  assertEquals(split(items), split(items));
  assertThrows(() => TrainTestSplitter({ testSize: 1 }), ConfigError, "(0, 1)");
  assertEquals(FuncSplitter((n: number) => n > 1)([0, 1, 2]), [[0, 1], [2]]);
});

Deno.test("a summary walks one item through, and says where something breaks", () =>
  inFolder(async (root) => {
    await discs(root, 6);
    const rest = { getItems: images, getY: maskOf, splitter: RandomSplitter(0.2, { seed: 1 }) };
    const blocks = [ImageBlock, MaskBlock({ codes: ["ground", "disc"], values: [0, 255] })] as const;
    const text = await new DataBlock({ blocks, ...rest, itemTfms: new Resize(24) }).summary(root, { bs: 4 });
    for (const part of ["Items: 6", "5 to train on, 1 to validate", "2 classes: ground, disc", "48 x 40", "24 x 24"]) {
      assertStringIncludes(text, part);
    }
    assertStringIncludes(text, "Batch of 4: image f32 [4, 3, 24, 24], mask i32 [4, 24, 24]");
    const last = async (block: Promise<string>) => (await block).split("\n").at(-1)!;
    const plainBlocks = [ImageBlock, MaskBlock({ codes: ["ground", "disc"] })] as const;
    const grey = await last(new DataBlock({ blocks: plainBlocks, ...rest, itemTfms: new Resize(24) }).summary(root));
    assertStringIncludes(grey, "breaks: ");
    assertStringIncludes(grey, "the grey value 255 at (");
    assertStringIncludes(grey, "give { values }");
    const missing = { ...rest, getY: () => join(root, "none.png"), itemTfms: new Resize(24) };
    assertStringIncludes(await last(new DataBlock({ blocks, ...missing }).summary(root)), "there is no such file");
    const nothing = { ...rest, getItems: () => [] as string[] };
    assertStringIncludes(await last(new DataBlock({ blocks, ...nothing }).summary(root)), "Finding items breaks");
  }));

Deno.test("data sets of a block: items as they are read, with their labels", () =>
  inFolder(async (root) => {
    await writeSet(root, 4);
    const block = new DataBlock({
      blocks: [ImageBlock, CategoryBlock],
      getItems: getImageFiles,
      getY: (f: string) => basename(f)[0],
      splitter: IndexSplitter([3]),
    });
    const { train, valid, target } = await block.datasets(root);
    assertEquals([train.length, valid.length, target.vocab], [3, 1, ["a", "b"]]);
    const { x, label, y } = await valid.get(0);
    assertEquals([(x as { width: number }).width, label, y], [8, "b", 1]);
    await assertRejects(() => valid.get(1), DataError, "there are 1");
  }));

Deno.test("masks and blocks that make no sense are refused", () =>
  inFolder(async (root) => {
    const { files } = await discs(root, 3);
    const options = { codes: ["ground", "disc"], values: [0, 255], splitter: IndexSplitter([2]), bs: 2 };
    const batch = async (labelFunc: (f: string) => string, more = {}) =>
      await (await SegmentationDataLoaders.fromLabelFunc(root, files, labelFunc, { ...options, ...more })).train.peek();
    assertEquals((await batch(maskOf))![1].shape, [2, HEIGHT, WIDTH]);
    const small = await writePng(join(root, "small.png"), plain(8, 8, [0, 0, 0]));
    await assertRejects(() => batch(() => small), DataError, "both have one size, got 8 x 8 and 48 x 40");
    const colored = await writePng(join(root, "colored.png"), plain(WIDTH, HEIGHT, [0, 255, 0]));
    await assertRejects(() => batch(() => colored), DataError, "it is colored at (0, 0)");
    await assertRejects(() => batch(maskOf, { resident: true }), ConfigError, "their labels move with them");
    assertThrows(() => MaskBlock({ codes: ["one"] }), ConfigError, "there are 2 to 255");
    assertThrows(() => MaskBlock({ codes: ["a", "b"], values: [1, 1] }), ConfigError, "a grey value of its own");
    const getY = (f: string) => f;
    assertThrows(
      () => new DataBlock({ blocks: [CategoryBlock as never, CategoryBlock], getY }),
      ConfigError,
      "ImageBlock",
    );
    assertThrows(
      () => new DataBlock({ blocks: [ImageBlock, ImageBlock as never], getY }),
      ConfigError,
      "CategoryBlock",
    );
    const block = new DataBlock({ blocks: [ImageBlock, CategoryBlock], getY });
    await assertRejects(
      () => block.dataloaders(files, { validPct: 0.1 } as never),
      ConfigError,
      "DataBlock({ splitter })",
    );
    await assertRejects(
      () =>
        ImageDataLoaders.fromBlock(root, files, [1, [2], 3], RegressionBlock() as never, {
          splitter: IndexSplitter([2]),
        }),
      DataError,
      "it takes a number",
    );
  }));
