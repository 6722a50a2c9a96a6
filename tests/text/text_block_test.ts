/**
 * Texts in data blocks: what the loaders of texts make, and what is wrong is said with its item.
 */
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import {
  CategoryBlock,
  ColReader,
  ColSplitter,
  ConfigError,
  DataBlock,
  DataError,
  getTextFiles,
  ImageBlock,
  IndexSplitter,
  languageModelLearner,
  parentLabel,
  RegressionBlock,
  Resize,
  silentLogger,
  TextBlock,
  TextDataLoaders,
  Tokenizer,
} from "../../mod.ts";
import { gptModel } from "../../src/entry/text.ts";
import type { Batch, DataLoader } from "../../src/data/mod.ts";
import { onDevices } from "../support/devices.ts";

const here = { kinds: ["cpu"] } as const;
const rows = Array.from({ length: 24 }, (_, i) => ({
  text: i % 2 === 0 ? `a good film number ${i % 5} indeed` : `a bad and very boring film ${i % 5}`,
  label: i % 2 === 0 ? "pos" : "neg",
  is_valid: i % 6 === 5,
}));
const valid = rows.flatMap((r, i) => r.is_valid ? [i] : []);

async function numbers(dl: DataLoader<Batch>): Promise<number[][][]> {
  const out: number[][][] = [];
  for await (const batch of dl) out.push(await Promise.all(batch.map(async (t) => Array.from(await t.data(), Number))));
  return out;
}

onDevices("TextBlock makes the batches that TextDataLoaders make, with classes and of a stream", async () => {
  const more = { bs: 4, seed: 3 }, splitter = IndexSplitter(valid);
  const block = new DataBlock({
    blocks: [TextBlock({ minFreq: 1 }), CategoryBlock],
    getX: ColReader("text"),
    getY: ColReader("label"),
    splitter: ColSplitter(),
  });
  const dls = await block.dataloaders(rows, more);
  const texts = rows.map((r) => r.text), labels = rows.map((r) => r.label);
  const same = await TextDataLoaders.fromTexts(texts, labels, { ...more, minFreq: 1, splitter });
  assertEquals([dls.vocab, dls.textVocab], [["neg", "pos"], same.textVocab]);
  assertEquals(await numbers(dls.train), await numbers(same.train));
  assertEquals(await numbers(dls.valid), await numbers(same.valid));
  assertEquals(dls.validSet.texts, valid.map((i) => texts[i]));
  assertEquals(await dls.validItems([1]), [texts[valid[1]]]);
  const set = await block.datasets(rows), first = await set.train.get(0);
  assertEquals([set.train.length, set.valid.length, first.x, first.label, first.y], [20, 4, texts[0], "pos", 1]);

  const stream = new DataBlock({
    blocks: [TextBlock({ isLm: true, minFreq: 1 })],
    getX: ColReader("text"),
    splitter: ColSplitter(),
  });
  const lm = await stream.dataloaders(rows, { bs: 2, seqLen: 8, seed: 3 });
  const other = await TextDataLoaders.fromTexts(texts, { isLm: true, bs: 2, seqLen: 8, seed: 3, minFreq: 1, splitter });
  assertEquals(await numbers(lm.train), await numbers(other.train));
  assertEquals(await numbers(lm.valid), await numbers(other.valid));
  assertEquals((await (await stream.datasets(rows)).train.get(0)).y, null);
  const learn = await languageModelLearner(lm, gptModel({ nLayer: 1, nHead: 2, nEmbd: 8, blockSize: 16 }), {
    logger: silentLogger,
  });
  await learn.fit(1);
  // a classifier takes the language model's tokens
  const after = new DataBlock({
    blocks: [TextBlock({ textVocab: lm.textVocab }), CategoryBlock],
    getX: ColReader("text"),
    getY: ColReader("label"),
  });
  assertEquals((await after.dataloaders(rows, { bs: 4 })).textVocab, lm.textVocab);
}, here);

onDevices("TextBlock reads files, and its summary walks one text through", async () => {
  const dir = await Deno.makeTempDir();
  for (const [i, { text, label }] of rows.entries()) {
    await Deno.mkdir(join(dir, label), { recursive: true });
    await Deno.writeTextFile(join(dir, label, `${i}.txt`), text);
  }
  const block = new DataBlock({
    blocks: [TextBlock({ files: true, tokenizer: Tokenizer.words(), minFreq: 1 }), CategoryBlock],
    getItems: (path: string) => getTextFiles(path),
    getY: parentLabel,
  });
  const text = await block.summary(dir, { bs: 4 });
  assertStringIncludes(text, "Items: 24");
  assertStringIncludes(text, "CategoryBlock: 2 classes: neg, pos");
  assertStringIncludes(text, "Batch: ids i32 [4, ");
  assertEquals((await block.dataloaders(dir, { bs: 4 })).path, dir);
  const stream = new DataBlock({
    blocks: [TextBlock({ isLm: true, files: true })],
    getItems: (path: string) => getTextFiles(path),
  });
  const walked = await stream.summary(dir, { bs: 2, seqLen: 4 });
  assertStringIncludes(walked, "No labels");
  assertStringIncludes(walked, "Batch: x i32 [2, 4], y i32 [2, 4]");
  await Deno.writeFile(join(dir, "neg", "bad.txt"), Uint8Array.of(0xff, 0x41));
  assertStringIncludes(await block.summary(dir), "breaks: Cannot read");
  await Deno.remove(dir, { recursive: true });
}, here);

onDevices("data blocks say which item fails, what does not go together, and where an option belongs", async () => {
  const getX = ColReader("text"), getY = ColReader("label");
  const make = (blocks: readonly unknown[], more = {}) =>
    new DataBlock({ blocks: blocks as never, getX, getY, ...more });
  assertThrows(() => make([TextBlock({ isLm: true }), CategoryBlock]), ConfigError, "TextBlock is the only block");
  assertThrows(() => make([TextBlock({ isLm: true })]), ConfigError, "TextBlock needs no labels");
  assertThrows(() => make([TextBlock]), ConfigError, "it takes two blocks");
  assertThrows(() => make([ImageBlock]), ConfigError, "it takes two blocks");
  assertThrows(() => TextBlock({ encoding: "latin1" }), ConfigError, "it is of files");
  const scores = make([TextBlock, RegressionBlock], { getY: () => 1 });
  await assertRejects(() => scores.dataloaders(rows), ConfigError, "their labels are of CategoryBlock");
  const tfms = make([TextBlock, CategoryBlock], { itemTfms: new Resize(8) });
  await assertRejects(() => tfms.dataloaders(rows), ConfigError, "transforms are of images");
  const fine = make([TextBlock, CategoryBlock]);
  await assertRejects(() => fine.dataloaders(rows, { minFreq: 1 } as never), ConfigError, "TextBlock({ minFreq })");

  const odd = [...rows.slice(0, 5), { text: "no label", is_valid: false }];
  const where = "Cannot get the label of item 5";
  await assertRejects(() => fine.dataloaders(odd as never), DataError, where);
  assertStringIncludes(await fine.summary(odd as never), `(getY, splitter) breaks: ${where}`);
  const throws = make([TextBlock, CategoryBlock], {
    getX: () => {
      throw new Error("no such column");
    },
  });
  assertStringIncludes(await throws.summary(rows), "item 0, ");
  assertStringIncludes(await throws.summary(rows), "getX fails: no such column");

  const silent = make([TextBlock, CategoryBlock], { getY: (row: { label?: string }) => row.label });
  await assertRejects(() => silent.dataloaders(odd as never), DataError, "item 5, ");
  await assertRejects(() => silent.dataloaders(odd as never), DataError, "getY gives nothing");
  const nan = make([TextBlock, CategoryBlock], { getY: (row: { label: string }) => row.label === "pos" ? 1 : NaN });
  await assertRejects(() => nan.dataloaders(rows), DataError, "is NaN; leave its item out");

  const split = (train: number[], valid: number[]) =>
    make([TextBlock({ minFreq: 1 }), CategoryBlock], { splitter: () => [train, valid] })
      .dataloaders(rows, { bs: 2 }) as Promise<TextDataLoaders>;
  const all = rows.map((_, i) => i);
  await assertRejects(() => split(all, [24]), ConfigError, "Cannot validate on item 24: positions go from 0 to 23");
  await assertRejects(() => split([0.5], []), ConfigError, "Cannot train on item 0.5");
  await assertRejects(() => split([], all), DataError, "leaves none of 24 items to train on");
  assertEquals((await split(all, [1, 2])).notes[0], "2 of 2 items to validate on are trained on, too");
  assertEquals((await split([...all, 0, 0], [])).notes, []);
  const none = make([TextBlock, CategoryBlock], { splitter: () => all });
  await assertRejects(() => none.dataloaders(rows), ConfigError, "a splitter gives two lists");
}, here);
