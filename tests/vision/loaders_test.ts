/**
 * Loaders of images: what is in their batches, in which order, and what they refuse.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { basename, join } from "@std/path";
import { ConfigError, DataError } from "../../src/base/errors.ts";
import { setSeed, type Tensor } from "../../src/tensor/mod.ts";
import { augTransforms } from "../../src/vision/data/aug_transforms.ts";
import { imagenetStats, Normalize } from "../../src/vision/data/batch_tfms.ts";
import { getImageFiles } from "../../src/vision/data/image_files.ts";
import { ImageDataLoaders } from "../../src/vision/data/image_loaders.ts";
import { RandomResizedCrop, Resize } from "../../src/vision/data/item_tfms.ts";
import { codesOf, vocabOf } from "../../src/data/labels.ts";
import {
  type DataSplitter,
  FuncSplitter,
  GrandparentSplitter,
  IndexSplitter,
  RandomSplitter,
} from "../../src/data/splitters.ts";
import { torchPermutation } from "../../src/data/torch_rng.ts";
import { onDevices } from "../support/devices.ts";
import { assertGolden, loadGolden } from "../support/golden.ts";
import { inFolder, noise, plain, writePng, writeSet } from "./support/images.ts";

const letter = (name: string): string => name[0];

/** Red of the first pixel of every image, 0 to 255, and the classes, batch by batch. */
async function reds(dl: AsyncIterable<readonly Tensor[]>): Promise<[red: number, code: number][][]> {
  const all: [number, number][][] = [];
  for await (const [xb, yb] of dl) {
    const x = await xb.data(), codes = await yb.data(), size = x.length / codes.length;
    all.push(Array.from(codes, (code, i) => [Math.round(x[i * size] * 255), code]));
  }
  return all;
}

Deno.test("torchPermutation() gives torch.randperm after manual_seed", () => {
  assertEquals([...torchPermutation(10, 42)], [2, 6, 1, 8, 4, 5, 0, 9, 3, 7]);
  assertEquals([...torchPermutation(10, 0)], [4, 1, 7, 5, 3, 9, 0, 8, 6, 2]);
  // torch.manual_seed(99); p = torch.randperm(7390); p[:6], p[-3:]: beyond one state of the generator
  const long = torchPermutation(7390, 99);
  assertEquals([...long.subarray(0, 6), ...long.subarray(-3)], TORCH_99);
  assertEquals(new Set(long).size, 7390);
});

const TORCH_99 = [991, 317, 2255, 1872, 2729, 233, 347, 4150, 4687];

Deno.test("getImageFiles() finds images in folders and through links, sorted, and leaves dot names out", () =>
  inFolder(async (root) => {
    const folder = join(root, "set");
    for (const name of ["b/2.PNG", "b/x/1.jpeg", "a.webp", ".hidden/1.png", ".1.png", "notes.txt", "b/noending"]) {
      await Deno.mkdir(join(folder, name, ".."), { recursive: true });
      await Deno.writeTextFile(join(folder, name), "");
    }
    await Deno.mkdir(join(root, "else"));
    await Deno.writeTextFile(join(root, "else", "3.png"), "");
    await Deno.symlink(join(root, "else"), join(folder, "link"));
    await Deno.symlink(folder, join(folder, "b", "loop"));
    await Deno.symlink(join(root, "nowhere.png"), join(folder, "broken.png"));
    const found = async (options = {}) => (await getImageFiles(folder, options)).map((f) => f.slice(folder.length + 1));
    assertEquals(await found(), ["a.webp", "b/2.PNG", "b/x/1.jpeg", "link/3.png"]);
    assertEquals(await found({ recurse: false }), ["a.webp"]);
    assertEquals(await found({ folders: ["b"] }), ["b/2.PNG", "b/x/1.jpeg"]);
    assertEquals(await found({ folders: ["link", "."] }), ["a.webp", "link/3.png"]);
    await assertRejects(
      () => getImageFiles(join(root, "none")),
      DataError,
      `${join(root, "none")}: there is no such folder`,
    );
    await assertRejects(() => getImageFiles(join(folder, "notes.txt")), DataError, "it is no folder");
    await assertRejects(() => found({ folders: ["c"] }), DataError, "no file has the ending of an image");
  }));

Deno.test("classes are sorted as in Python", () => {
  assertEquals(vocabOf(["b", "a", "b", "C", "Ä", "a"]), ["C", "a", "b", "Ä"]);
  assertEquals(vocabOf(["\u{1F600}", "\uFF21", "z"]), ["z", "\uFF21", "\u{1F600}"]); // by code points, not UTF-16 units
  assertEquals(vocabOf([true, false, true]), [false, true]);
  assertEquals(vocabOf([10, 9, 2]), [2, 9, 10]);
  assertThrows(() => vocabOf(["a", 1]), DataError, "labels must be of one type, got string and number");
  assertThrows(() => vocabOf(["a", "a"]), DataError, 'at least two labels, got only "a", 2 times');
  assertThrows(() => codesOf(["a", "q"], ["a", "b"], ["1.png", "2.png"]), DataError, 'the label "q" of 2.png');
});

Deno.test("splitters", () => {
  const items = Array.from({ length: 11 }, (_, i) => `${i}.png`);
  const [train, valid] = RandomSplitter(0.2, { seed: 42 })(items);
  assertEquals([...valid, ...train], [...torchPermutation(11, 42)]);
  assertEquals(valid.length, 2);
  setSeed(5);
  const [first] = RandomSplitter()(items), [second] = RandomSplitter()(items);
  assert(first.join() !== second.join(), "without a seed every split is another one");
  setSeed(5);
  assertEquals(RandomSplitter()(items)[0], first);
  assertEquals(IndexSplitter([3, 1])(["a", "b", "c", "d"]), [[0, 2], [3, 1]]);
  assertEquals(FuncSplitter((s) => s > "b")(["a", "b", "c", "d"]), [[0, 1], [2, 3]]);
  const paths = ["r/train/a/1.png", "r/valid/a/1.png", "r/test/a/2.png", "r/train/b/3.png"];
  assertEquals(GrandparentSplitter()(paths), [[0, 3], [1]]);
  assertEquals(GrandparentSplitter({ trainName: "test", validName: "train" })(paths), [[2], [0, 3]]);
  assertThrows(() => GrandparentSplitter({ validName: "val" })(paths), DataError, "no image lies in val/<class>/");
  assertThrows(() => IndexSplitter([4])(["a"]), ConfigError, "item 4");
  assertThrows(() => RandomSplitter(1), ConfigError, "share of 1");
  assertThrows(() => RandomSplitter(0.1, { seed: -1 }), ConfigError, "seed -1");
});

onDevices(
  "batches hold every image with its class, on the device or one by one",
  (_, kind) =>
    inFolder(async (folder) => {
      const files = await writeSet(folder, kind === "webgpu" ? 12 : 30);
      for (const resident of [true, false]) {
        const dls = await ImageDataLoaders.fromNameFunc(folder, files, letter, { bs: 4, seed: 42, resident });
        assertEquals([dls.vocab, dls.c, dls.train.resident], [["a", "b"], 2, resident]);
        const { xb, yb } = await dls.oneBatch();
        assertEquals([xb.shape, xb.dtype, yb.shape, yb.dtype], [[4, 3, 8, 8], "f32", [4], "i32"]);
        const valid = (await reds(dls.valid)).flat(), train = (await reds(dls.train)).flat();
        const nValid = Math.trunc(0.2 * files.length), nTrain = files.length - nValid;
        assertEquals([valid.length, train.length], [nValid, nTrain - nTrain % 4], "the last training batch is dropped");
        for (const [red, code] of [...valid, ...train]) assertEquals(code, red % 2, `image ${red}`);
        assertEquals(valid.map(([red]) => red), [...torchPermutation(files.length, 42)].slice(0, nValid));
        assertEquals(new Set([...valid, ...train].map(([red]) => red)).size, valid.length + train.length);
      }
    }),
);

onDevices(
  "a seed fixes split, order and random changes, whoever splits; without one setSeed does",
  () =>
    inFolder(async (folder) => {
      const files = await Promise.all(
        Array.from({ length: 12 }, (_, i) => writePng(join(folder, `${"ab"[i % 2]}${i}.png`), noise(17, 17, i))),
      );
      const epoch = async (start: number, options: { seed?: number; splitter?: DataSplitter }) => {
        setSeed(start);
        const all = { bs: 4, itemTfms: new RandomResizedCrop(8), ...options };
        const dls = await ImageDataLoaders.fromNameFunc(folder, files, letter, all);
        const batches: number[][] = [dls.validSet.files.map((f) => files.indexOf(f))];
        for await (const [x] of dls.train) batches.push([...await x.data()]);
        return batches;
      };
      const splitter = IndexSplitter([0, 1]);
      for (const options of [{ seed: 7 }, { seed: 7, splitter }]) {
        assertEquals(await epoch(1, options), await epoch(2, options));
        assert(JSON.stringify(await epoch(1, options)) !== JSON.stringify(await epoch(1, { ...options, seed: 8 })));
      }
      assertEquals(await epoch(3, {}), await epoch(3, {}));
      assert(JSON.stringify(await epoch(3, {})) !== JSON.stringify(await epoch(4, {})));
    }),
  { kinds: ["cpu"] },
);

onDevices("a batch is scaled and normalized as in fastai", () =>
  inFolder(async (folder) => {
    const { normalized } = loadGolden<{
      normalized: { first12: number[]; first4PerChannel: number[][]; meanPerChannel: number[]; shape: number[] };
    }>("images.json");
    const file = await writePng(join(folder, "x.png"), noise(37, 23, 7000));
    await writePng(join(folder, "y.png"), noise(37, 23, 7001));
    const dls = await ImageDataLoaders.fromNameFunc(folder, [file, join(folder, "y.png")], letter, {
      splitter: IndexSplitter([]),
      itemTfms: new Resize(16),
      batchTfms: [Normalize.fromStats(...imagenetStats)],
      bs: 2,
    });
    for await (const [xb] of dls.testDl([file])) {
      assertEquals(xb.shape, normalized.shape);
      const x = Array.from(await xb.data());
      assertGolden(x.slice(0, 12), normalized.first12, "first 12");
      for (const c of [0, 1, 2]) {
        const channel = x.slice(c * 256, (c + 1) * 256);
        assertGolden(channel.slice(0, 4), normalized.first4PerChannel[c], `channel ${c}`);
        assertGolden([channel.reduce((a, b) => a + b) / 256], [normalized.meanPerChannel[c]], `mean ${c}`);
      }
      const back = await dls.decodeImages(xb).data();
      assert(back.every((v) => v > -1e-6 && v < 1 + 1e-6));
    }
  }));

onDevices("transforms that are added later reach every loader", () =>
  inFolder(async (folder) => {
    const files = await writeSet(folder, 8);
    const dls = await ImageDataLoaders.fromNameFunc(folder, files, letter, { bs: 2, seed: 1 });
    const before = (await (await dls.oneBatch()).xb.data())[0];
    dls.addBatchTfms(new Normalize([0.5, 0.5, 0.5], [2, 2, 2]));
    const after = await dls.oneBatch();
    setSeed(0);
    assert(Math.abs((await dls.decodeImages(after.xb).data())[0] - before) < 1e-6);
    for await (const [xb] of dls.valid) assert((await xb.data())[0] < 0, "reds are dark");
  }), { kinds: ["cpu"] });

onDevices(
  "random crops go on with the same numbers in the middle of an epoch, whatever is made ahead",
  () =>
    inFolder(async (folder) => {
      const files = await Promise.all(
        Array.from({ length: 12 }, (_, i) => writePng(join(folder, `${"ab"[i % 2]}${i}.png`), noise(31, 17, i))),
      );
      const make = (prefetch: number) =>
        ImageDataLoaders.fromNameFunc(folder, files, letter, {
          bs: 2,
          seed: 1,
          prefetch,
          itemTfms: new RandomResizedCrop(8),
        });
      const pixels = async (dl: AsyncIterable<readonly Tensor[]>) => {
        const all: number[][] = [];
        for await (const [xb] of dl) all.push(Array.from((await xb.data()).subarray(0, 400)));
        return all;
      };
      const one = await make(0), two = await make(5);
      setSeed(3);
      const epoch = await pixels(one.train), next = await pixels(one.train);
      assert(epoch.flat().join() !== next.flat().join());
      setSeed(3);
      const seen: number[][] = [];
      let state = two.train.state;
      for await (const [xb] of two.train) {
        seen.push(Array.from((await xb.data()).subarray(0, 400)));
        if (seen.length === 2) state = JSON.parse(JSON.stringify(two.train.state));
      }
      assertEquals(seen, epoch);
      const third = await make(2);
      third.train.restore(state);
      assertEquals(await pixels(third.train), epoch.slice(2));
    }),
  { kinds: ["cpu"] },
);

onDevices(
  "training images are looked at as validation images are: in order, without random crops and changes",
  () =>
    inFolder(async (folder) => {
      const files = await Promise.all(
        Array.from({ length: 12 }, (_, i) => writePng(join(folder, `${"ab"[i % 2]}${i}.png`), noise(31, 17, i))),
      );
      const options = { bs: 4, seed: 1, itemTfms: new RandomResizedCrop(8), batchTfms: augTransforms() };
      const dls = await ImageDataLoaders.fromNameFunc(folder, files, letter, options);
      const looked = dls.train.inOrder({ bs: 16 }), want = dls.testDl(dls.trainSet.files, { bs: 16 });
      const pixels = async (dl: typeof want) => Array.from(await (await dl.peek())![0].data() as Float32Array);
      assertEquals((await looked.peek())![0].shape[0], dls.trainSet.files.length);
      assertEquals(await pixels(looked), await pixels(want));
      assertEquals(await pixels(looked), await pixels(dls.train.inOrder({ bs: 16 })));
    }),
  { kinds: ["cpu"] },
);

onDevices("fromFolder, fromNameRe, fromPathFunc, fromLists", () =>
  inFolder(async (folder) => {
    for (const [i, name] of ["train/cat/1", "train/dog/2", "train/dog/3", "valid/dog/4", "test/emu/5"].entries()) {
      await writePng(join(folder, `${name}.png`), plain(4, 4, [i + 1, 0, 0]));
    }
    const dls = await ImageDataLoaders.fromFolder(folder, { bs: 2 });
    assertEquals([dls.vocab, dls.trainSet.files.map((f) => basename(f)), [...dls.validSet.codes]], [["cat", "dog"], [
      "1.png",
      "2.png",
      "3.png",
    ], [1]]);
    const random = await ImageDataLoaders.fromFolder(folder, { validPct: 0, bs: 2 });
    assertEquals(random.vocab, ["cat", "dog", "emu"]);
    const files = await getImageFiles(folder);
    const byRe = await ImageDataLoaders.fromNameRe(folder, files, /^([0-9])\.png$/g, { validPct: 0 });
    assertEquals(byRe.vocab, ["1", "2", "3", "4", "5"]);
    await assertRejects(
      async () => await ImageDataLoaders.fromNameRe(folder, files, /^([1-4])\.png$/),
      DataError,
      `Cannot label ${join(folder, "test/emu/5.png")}: its name must match`,
    );
    const byPath = await ImageDataLoaders.fromPathFunc(folder, files, (f) => f.includes("train"), { validPct: 0 });
    assertEquals(byPath.vocab, [false, true]);
    const lists = await ImageDataLoaders.fromLists(folder, files, [3, 1, 2, 1, 3], { validPct: 0 });
    assertEquals([lists.vocab, lists.c, [...lists.trainSet.codes].length], [[1, 2, 3], 3, 5]);
  }), { kinds: ["reference"] });

onDevices("what makes no loaders is told, with names", () =>
  inFolder(async (folder) => {
    const files = await writeSet(folder, 6, (i) => i === 4 ? [9, 8] : [8, 8]);
    const make = (options = {}, label: (name: string) => string = letter) =>
      ImageDataLoaders.fromNameFunc(folder, files, label, { bs: 2, ...options });
    await assertRejects(() => make({}, () => "x"), DataError, 'got only "x", 5 times');
    await assertRejects(
      () => make({ splitter: IndexSplitter([2]) }, (name) => name[2]),
      DataError,
      `the label "2" of ${files[2]}: it does not occur in the training set, which has "0", "1", "3", "4", "5"`,
    );
    await assertRejects(() => ImageDataLoaders.fromNameFunc(folder, [], letter), DataError, "there are no images");
    await assertRejects(
      () => ImageDataLoaders.fromLists(folder, files, ["a"]),
      DataError,
      "6 images: there are 1 labels",
    );
    await assertRejects(() => make({ resident: true }), DataError, "use itemTfms: [new Resize(224)]");
    const mixed = await make({ splitter: IndexSplitter([]) });
    const error = await assertRejects(() => reds(mixed.train), DataError, "8 x 8");
    assert(error.message.includes(files[4]) && error.message.includes("9 x 8"), error.message);
    await assertRejects(
      () => make({ resident: true, itemTfms: new RandomResizedCrop(4) }),
      ConfigError,
      "a transform of training images is random",
    );
  }), { kinds: ["cpu"] });

Deno.test("images are divided by a splitter or by validPct, and none to validate on are told", () =>
  inFolder(async (root) => {
    await writeSet(root, 4);
    const files = (await getImageFiles(root)).slice(0, 4), itemTfms = new Resize(4);
    const load = (options: object) =>
      ImageDataLoaders.fromLists(root, files, ["x", "y", "x", "y"], { itemTfms, ...options });
    await assertRejects(() => load({ splitter: IndexSplitter([1]), validPct: 0.5 }), ConfigError, "leave validPct out");
    assertEquals((await load({ seed: 1 })).notes, ["No image is validated on: 0.2 of 4 is none; validPct takes more"]);
    for (const none of [{ validPct: 0 }, { splitter: IndexSplitter([]) }]) assertEquals((await load(none)).notes, []);
  }));
