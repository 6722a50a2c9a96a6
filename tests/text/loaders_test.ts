/**
 * Loaders of texts: streams as fastai's `LMDataLoader` cuts them, texts of unlike lengths side by side, epochs that go on.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ConfigError,
  DataError,
  DataLoader,
  getTextFiles,
  Rng,
  setSeed,
  TextDataLoaders,
  Tokenizer,
} from "../../mod.ts";
import { tempFile } from "../support/temp.ts";
import { readAll, type Tensor } from "../../src/tensor/mod.ts";
import { bucketsOf, PaddedSource } from "../../src/text/data/padded_source.ts";
import { StreamSource } from "../../src/text/data/stream_source.ts";

interface Recorded {
  readonly docs: readonly (readonly number[])[];
  readonly streams: readonly {
    readonly bs: number;
    readonly seqLen: number;
    readonly batches: readonly (readonly [readonly number[][], readonly number[][]])[];
  }[];
}
const { lm }: { lm: Recorded } = JSON.parse(await Deno.readTextFile(new URL("../golden/text.json", import.meta.url)));
const lists = lm.docs.map((doc) => Int32Array.from(doc));

/** All batches as nested arrays. */
async function batchesOf(dl: DataLoader<readonly Tensor[]>): Promise<unknown[][]> {
  const out: unknown[][] = [];
  for await (const batch of dl) out.push(await Promise.all(batch.map((t) => t.array())));
  return out;
}

for (const { bs, seqLen, batches } of lm.streams) {
  Deno.test(`a stream in ${bs} rows of ${seqLen} steps is cut as fastai cuts it`, async () => {
    const dl = new DataLoader<readonly Tensor[]>({ source: new StreamSource({ lists, seqLen }), bs });
    assertEquals(dl.length, batches.length);
    assertEquals(await batchesOf(dl), batches as unknown as unknown[][]);
    assertEquals(dl.itemOrder, null);
  });
}

Deno.test("a stream has its texts in another order every epoch, and goes on from batch to batch", async () => {
  const dl = new DataLoader<readonly Tensor[]>({
    source: new StreamSource({ lists, seqLen: 4 }),
    bs: 2,
    shuffle: true,
    seed: 3,
  });
  const epochs = [await batchesOf(dl), await batchesOf(dl)];
  assert(JSON.stringify(epochs[0]) !== JSON.stringify(epochs[1]));
  for (const epoch of epochs) {
    const rows = [0, 1].map((r) => epoch.flatMap(([x]) => (x as number[][])[r]));
    const next = [0, 1].map((r) => epoch.flatMap(([, y]) => (y as number[][])[r]));
    rows.forEach((row, r) => assertEquals(next[r].slice(0, -1), row.slice(1)));
    assertEquals(next[0].at(-1), rows[1][0]);
    const stream = rows.flat();
    for (const doc of lm.docs) { // each text is whole wherever it lies whole in the rows
      const at = stream.indexOf(doc[0]);
      if (at >= 0 && at + doc.length <= stream.length) assertEquals(stream.slice(at, at + doc.length), [...doc]);
    }
  }
});

Deno.test("rows of a stream are shared among processes, each with its own, in all batches", async () => {
  const whole = new DataLoader<readonly Tensor[]>({ source: new StreamSource({ lists, seqLen: 5 }), bs: 4 });
  const all = await batchesOf(whole);
  for (const rank of [0, 1]) {
    const part = new DataLoader<readonly Tensor[]>({ source: new StreamSource({ lists, seqLen: 5 }), bs: 2 });
    part.shard = { rank, size: 2, pad: true };
    assertEquals(part.length, whole.length);
    const own = await batchesOf(part);
    assertEquals(own, all.map((b) => b.map((t) => (t as unknown[]).filter((_, r) => r % 2 === rank))));
  }
});

const words = "a bb ccc dddd eeeee ffffff".split(" ");
const texts = Array.from({ length: 90 }, (_, i) => words.slice(0, 1 + i % 6).join(" ").repeat(1 + i % 3).trim());
const labels = texts.map((_, i) => i % 2 === 0 ? "even" : "odd");
const chars = Tokenizer.chars();

Deno.test("texts with classes: each once an epoch, filled up to one of few widths, with a mask", async () => {
  const dls = await TextDataLoaders.fromTexts(texts, labels, {
    tokenizer: chars,
    bs: 8,
    seed: 1,
    buckets: 3,
    seqLen: 100,
  });
  assertEquals(dls.vocab, ["even", "odd"]);
  assertEquals(dls.c, 2);
  assertEquals([dls.trainSet.texts.length, dls.validSet.texts.length], [72, 18]);
  const widths = new Set<number>(), seen: string[] = [];
  for await (const [ids, mask, y] of dls.train) {
    const [b, n] = ids.shape;
    widths.add(n);
    assertEquals([mask.shape, mask.dtype, ids.dtype, y.dtype], [[b, n], "bool", "i32", "i32"]);
    const [i, m, classes] = await readAll([ids, mask, y]);
    for (let r = 0; r < b; r++) {
      const row = Array.from(i.subarray(r * n, (r + 1) * n)), on = Array.from(m.subarray(r * n, (r + 1) * n));
      const length = on.filter((v) => v !== 0).length;
      assertEquals(on, on.map((_, k) => k < length ? 1 : 0));
      assert(row.slice(length).every((id) => id === dls.tokenizer.padId));
      seen.push(`${dls.tokenizer.decode(row.slice(0, length))} ${dls.label(classes[r])}`);
    }
  }
  assert(widths.size <= 3, [...widths].join());
  assertEquals(seen.sort(), dls.trainSet.texts.map((t, i) => `${t} ${dls.label(dls.trainSet.codes[i])}`).sort());
  const again = await batchesOf(dls.train), other = await batchesOf(dls.train);
  assert(JSON.stringify(again) !== JSON.stringify(other), "two epochs have one order");
});

Deno.test("texts with classes: shards share batches, and validation has every item once", async () => {
  const dls = await TextDataLoaders.fromTexts(texts, labels, { tokenizer: chars, bs: 4, seed: 1 });
  const items: number[] = [];
  for (const rank of [0, 1, 2]) {
    dls.valid.shard = { rank, size: 3, pad: false };
    for await (const [ids] of dls.valid) items.push(ids.shape[0]);
  }
  dls.valid.shard = null;
  assertEquals(items.reduce((a, b) => a + b), 18);
  assert(dls.valid.itemOrder !== null);
  assertEquals([...dls.valid.itemOrder!].sort((a, b) => a - b), Array.from({ length: 18 }, (_, i) => i));
});

for (const isLm of [false, true]) {
  Deno.test(`an epoch of ${isLm ? "a stream" : "texts"} goes on after an interruption with the same batches`, async () => {
    const options = { tokenizer: chars, bs: 4, seqLen: 6, seed: 5, isLm };
    const make = () => TextDataLoaders.fromTexts(texts, isLm ? null : labels, options);
    const whole = await make();
    await batchesOf(whole.train);
    const expected = await batchesOf(whole.train), third = await batchesOf(whole.train);
    const first = await make();
    await batchesOf(first.train);
    let n = 0;
    for await (const _ of first.train) if (++n === 5) break;
    // the state is that of the moment: an iteration that is left has ended its epoch
    const loader = (await make()).train;
    await batchesOf(loader);
    const iterator = loader[Symbol.asyncIterator]();
    for (let k = 0; k < 5; k++) await iterator.next();
    const again = await make();
    again.train.restore(JSON.parse(JSON.stringify(loader.state)));
    assertEquals(await batchesOf(again.train), expected.slice(5));
    assertEquals(await batchesOf(again.train), third);
  });
}

Deno.test("fingerprints tell texts, labels, tokenizers and cuts from others", async () => {
  const print = async (t: string[], l: string[] | null, options: object) =>
    JSON.stringify(
      await (await TextDataLoaders.fromTexts(t, l, { tokenizer: chars, bs: 4, seed: 5, ...options })).train
        .fingerprint(),
    );
  const other = texts.with(3, "zz"),
    prints = [
      await print(texts, labels, {}),
      await print(other, labels, {}),
      await print(texts, labels.toReversed(), {}),
      await print(texts, labels, { seqLen: 9 }),
      await print(texts, labels, { tokenizer: Tokenizer.words({ minFreq: 1 }) }),
      await print(texts, labels, { maxVocab: 6 }),
      await print(texts, labels, { bs: 5 }),
      await print(texts, null, { isLm: true }),
      await print(texts, null, { isLm: true, seqLen: 9 }),
    ];
  assertEquals(new Set(prints).size, prints.length);
  assertEquals(await print(texts, labels, {}), prints[0]);
});

Deno.test("widths of batches need the least padding", () => {
  assertEquals(bucketsOf([3, 5, 8], 4, 100), [8]);
  assertEquals(bucketsOf([1, 9, 17, 25], 2, 100), [16, 32]);
  assertEquals(bucketsOf([1, 1, 1, 1, 1, 1, 9, 17, 25], 2, 100), [8, 32]);
  assertEquals(bucketsOf([100, 200, 300], 3, 77), [77]);
  // against all choices
  const rng = new Rng(4);
  for (let trial = 0; trial < 20; trial++) {
    const lengths = Array.from({ length: 30 }, () => 1 + Math.floor(rng.uniform() ** 3 * 90));
    const widths = [...new Set(lengths.map((n) => Math.ceil(n / 8) * 8))].sort((a, b) => a - b);
    const cells = (choice: readonly number[]) =>
      lengths.reduce((sum, n) => sum + (choice.find((w) => w >= n) ?? Infinity), 0);
    let best = Infinity;
    for (let bits = 0; bits < 1 << widths.length; bits++) {
      const choice = widths.filter((_, i) => bits >> i & 1);
      if (choice.length <= 3) best = Math.min(best, cells(choice));
    }
    const got = bucketsOf(lengths, 3, 96);
    assert(got.length <= 3);
    assertEquals(cells(got), best, lengths.join());
  }
});

Deno.test("an empty text, one of 1 MB, and one without tokens are texts", async () => {
  const long = "all work and no play makes jack a dull boy ".repeat(25_000);
  const given = ["", long, "x", "y ".repeat(5)], classes = [0, 1, 0, 1];
  const dls = await TextDataLoaders.fromTexts(given, classes, {
    validPct: 0,
    bs: 4,
    seqLen: 32,
    minFreq: 1,
    shuffle: false,
  });
  const { batch: [ids, mask] } = await dls.oneBatch();
  assertEquals(ids.shape, [4, 32]);
  const on = (await mask.cast("i32").sum({ axis: 1 }).data()) as Int32Array;
  assert(on.every((n) => n >= 1), on.join());
  assert(dls.notes.some((note) => note.includes("cut after 32 tokens")), dls.notes.join());
  // a tokenizer that puts nothing at the ends gives no token for an empty text: it gets one
  const source = Tokenizer.own((t) => t.split(" ").filter((w) => w !== ""), { vocab: ["xxunk", "xxpad", "x"] });
  const bare = await TextDataLoaders.fromTexts(["", "x"], [0, 1], {
    tokenizer: source,
    validPct: 0,
    bs: 2,
    shuffle: false,
  });
  const { batch: [, m] } = await bare.oneBatch();
  assertEquals(await m.cast("i32").sum({ axis: 1 }).array(), [1, 1]);
});

Deno.test("tables of a batch", async () => {
  const dls = await TextDataLoaders.fromTexts(texts, labels, { tokenizer: chars, bs: 4, seed: 1, validPct: 0 });
  const shown = await dls.showBatch({ maxN: 2, width: 60 });
  assertEquals(shown.split("\n").length, 3);
  assert(/^text\s+class$/.test(shown.split("\n")[0]));
  assert(shown.split("\n").every((line) => line.length <= 60), shown);
  const lmDls = await TextDataLoaders.fromTexts(["one\ntwo three four five six seven 日本"], {
    tokenizer: chars,
    isLm: true,
    bs: 1,
  });
  assert((await lmDls.showBatch({ width: 50 })).includes("one⏎"));
});

Deno.test("texts of files and folders", async () => {
  const root = await Deno.makeTempDir();
  try {
    for (
      const [path, body] of [
        ["train/neg/1.txt", "bad bad"],
        ["train/pos/1.txt", "good good"],
        ["train/neg/2.txt", "awful"],
        ["valid/pos/1.txt", "\ufeffgreat"],
        ["valid/neg/x.md", "not read"],
      ]
    ) {
      await Deno.mkdir(`${root}/${path.replace(/[^/]*$/, "")}`, { recursive: true });
      await Deno.writeTextFile(`${root}/${path}`, body);
    }
    const dls = await TextDataLoaders.fromFolder(root, { bs: 2, minFreq: 1 });
    assertEquals(dls.vocab, ["neg", "pos"]);
    assertEquals(dls.trainSet.texts.toSorted(), ["awful", "bad bad", "good good"]);
    assertEquals(dls.validSet.texts, ["great"]);
    const lmDls = await TextDataLoaders.fromFolder(root, { isLm: true, bs: 1, minFreq: 1 });
    assertEquals(lmDls.trainSet.texts.length, 3);
    const mixed = await TextDataLoaders.fromFolder(root, { validPct: 0.3, bs: 1, minFreq: 1, seed: 2 });
    assertEquals(mixed.trainSet.texts.length + mixed.validSet.texts.length, 4);
    assertEquals((await getTextFiles(root)).length, 4);
    await Deno.writeFile(`${root}/train/neg/3.txt`, Uint8Array.of(0x61, 0x62, 0xe9, 0x20));
    await assertRejects(() => TextDataLoaders.fromFolder(root), DataError, "byte 2");
    const latin = await TextDataLoaders.fromFolder(root, { encoding: "windows-1252", bs: 2, minFreq: 1 });
    assert(latin.trainSet.texts.includes("abé "));
    await assertRejects(() => getTextFiles(`${root}/nope`), DataError, "no such folder");
    await assertRejects(
      () => getTextFiles(root, { extensions: [".pdf"] }),
      DataError,
      "no file ends with .pdf; there are 6",
    );

    const csv = `${root}/m.csv`;
    await Deno.writeTextFile(csv, 'message,spam,held\n"hi, there",no,false\nbuy now,yes,false\nbuy me,yes,true\n');
    const table = await TextDataLoaders.fromCsv(csv, {
      text: "message",
      label: "spam",
      validColumn: "held",
      bs: 1,
      minFreq: 1,
    });
    assertEquals([table.trainSet.texts, table.validSet.texts], [["hi, there", "buy now"], ["buy me"]]);
    await assertRejects(() => TextDataLoaders.fromCsv(csv), DataError, 'no column "text", its columns are message');

    const rows = [{ text: "hi, there", label: 0, held: false, more: [1] }, { text: "buy now", label: 1, held: false }, {
      text: "buy me",
      label: 1,
      held: true,
    }];
    const jsonl = `${root}/m.jsonl`;
    await Deno.writeTextFile(jsonl, rows.map((row) => JSON.stringify(row)).join("\n"));
    for (const source of [jsonl, rows.map(({ text, label, held }) => ({ text, label, held }))]) {
      const same = await TextDataLoaders.fromTable(source, { validColumn: "held", bs: 1, minFreq: 1 });
      assertEquals([same.trainSet.texts, same.validSet.texts], [["hi, there", "buy now"], ["buy me"]]);
      assertEquals(same.vocab, ["0", "1"]);
    }
    await assertRejects(
      () => TextDataLoaders.fromTable(jsonl, { text: "more" }),
      DataError,
      "a cell is a number, a text",
    );
    const lm = await TextDataLoaders.fromTable(jsonl, { isLm: true, bs: 1, validPct: 0.4, minFreq: 1, seqLen: 2 });
    assertEquals(lm.trainSet.texts.length + lm.validSet.texts.length, 3);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("loaders of texts say what is wrong", async () => {
  const load = (t: readonly unknown[], l?: unknown, o: object = {}) =>
    TextDataLoaders.fromTexts(t as string[], l as null, { bs: 2, ...("splitter" in o ? {} : { validPct: 0 }), ...o });
  await assertRejects(() => load([], []), DataError, "there are none");
  await assertRejects(() => load(["a"]), ConfigError, "without labels");
  await assertRejects(() => load(["a", "b"], [1]), DataError, "2 texts: there are 1 labels");
  await assertRejects(() => load(["a", "b"], [1, 1]), DataError, "the training texts need at least two labels");
  await assertRejects(() => load(["a", null], [0, 1]), DataError, "text 1");
  await assertRejects(() => load(["a", "b", "c"], ["x", "", "y"]), DataError, "is an empty text");
  await assertRejects(() => load(["a"], null, { isLm: true, bs: 64 }), DataError, "into 64 rows");
  await assertRejects(() => load(["a", "b"], [0, 1], { tokenizer: "words" }), ConfigError, "it takes a Tokenizer");
  await assertRejects(() => load(["a", "b"], [0, 1], { maxLen: 3 }), ConfigError, "seqLen");
  const split = () => [[0, 1], [2]] as const;
  await assertRejects(() => load(["a", "b", "c"], [0, 1, 2], { splitter: split }), DataError, "the label 2 of text 0");
  await assertRejects(
    () => load(["a", "b"], [0, 1], { splitter: split, validPct: 0.2 }),
    ConfigError,
    "leave validPct out",
  );
  const fitted = await Tokenizer.chars().learn(["ab"]);
  await assertRejects(() => load(["a", "b"], [0, 1], { tokenizer: fitted, minFreq: 2 }), ConfigError, "of its own");
  const dls = await load(["a", "b"], [0, 1]);
  await assertRejects(() => dls.testDl([]), DataError, "there are no texts");
  await assertRejects(() => dls.testDl(["a"], { labels: [5] }), DataError, "the label 5");
  await assertRejects(() => dls.itemInputs([5]), ConfigError, "a text, or tensors");
});

Deno.test("a vocabulary of the language model serves the classifier, under either name", async () => {
  setSeed(1);
  const lmDls = await TextDataLoaders.fromTexts(texts, { isLm: true, bs: 2, minFreq: 1 });
  for (const given of [{ textVocab: lmDls.textVocab }, { vocab: lmDls.vocab }, { tokenizer: lmDls.tokenizer }]) {
    const dls = await TextDataLoaders.fromTexts(texts, labels, { bs: 2, ...given });
    assertEquals(dls.textVocab, lmDls.textVocab);
    assertEquals(dls.vocab, ["even", "odd"]);
  }
  const named = await TextDataLoaders.fromTexts(texts, labels, { bs: 2, vocab: ["odd", "even"] });
  assertEquals(named.vocab, ["odd", "even"]);
});

Deno.test("items are drawn from the default generator where there is no seed", async () => {
  const source = new PaddedSource({ lists, codes: null, padId: 0, buckets: [64], most: 64 });
  const orders: string[] = [];
  for (const seed of [1, 1, 2]) {
    setSeed(seed);
    orders.push(JSON.stringify(await batchesOf(new DataLoader<readonly Tensor[]>({ source, bs: 1, shuffle: true }))));
  }
  assertEquals(orders[0], orders[1]);
  assert(orders[0] !== orders[2]);
});

Deno.test("texts of a table: classes that are numbers in their order, none without one, marks in a column alone", async () => {
  const rows = Array.from(
    { length: 48 },
    (_, i) => ({ text: `text ${i}`, label: i % 12, held: i % 5 === 0 ? 1.0 : 0.0 }),
  );
  const all = { seed: 1, validColumn: "held" };
  assertEquals((await TextDataLoaders.fromTable(rows, all)).vocab, Array.from({ length: 12 }, (_, i) => `${i}`));
  const path = tempFile({ suffix: ".csv" });
  const write = (of: (row: typeof rows[0], i: number) => string) =>
    Deno.writeTextFile(path, `text,label,held\n${rows.map(of).join("\n")}`);
  await write(({ text, label, held }) => `${text},${label},${held.toFixed(1)}`);
  const dls = await TextDataLoaders.fromCsv(path, all);
  assertEquals(dls.vocab.slice(0, 3), ["0", "1", "2"]);
  assertEquals([dls.trainSet.texts.length, dls.validSet.texts.length], [38, 10]);
  await assertRejects(
    () => TextDataLoaders.fromCsv(path, { ...all, validPct: 0.5 }),
    ConfigError,
    "leave validPct out",
  );
  await write(({ text, label }, i) => `${text},${i % 9 === 4 ? "" : label},0`);
  await assertRejects(
    () => TextDataLoaders.fromCsv(path),
    DataError,
    `${path}:6, column "label": the class is missing in 5 of 48 rows`,
  );
  await write(({ text, label }, i) => `${i % 9 === 4 ? "" : text},${label % 2},0`);
  await assertRejects(() => TextDataLoaders.fromCsv(path, all), DataError, "it marks no row");
  assertEquals((await TextDataLoaders.fromCsv(path)).notes, [`${path}: 5 of 48 rows have nothing in the column text`]);
});

Deno.test("files of text may be UTF-16 by their mark; what holds zero bytes is no text, and no letters by another name", async () => {
  const root = await Deno.makeTempDir(), units = Uint16Array.from("ab cd", (c) => c.charCodeAt(0));
  const write = async (bytes: Uint8Array) => {
    for (const part of ["train/x", "train/y", "valid/x"]) {
      await Deno.mkdir(`${root}/${part}`, { recursive: true });
      await Deno.writeFile(`${root}/${part}/1.txt`, bytes);
    }
  };
  const load = async (encoding?: string) =>
    (await TextDataLoaders.fromFolder(root, { minFreq: 1, ...(encoding === undefined ? {} : { encoding }) })).trainSet
      .texts;
  await write(new Uint8Array(Uint16Array.of(0xfeff, ...units).buffer));
  assertEquals(await load(), ["ab cd", "ab cd"]);
  await write(new Uint8Array(units.buffer));
  await assertRejects(() => load(), DataError, "1.txt: it holds zero bytes, as no utf-8 text does");
  assertEquals(await load("utf-16le"), ["ab cd", "ab cd"]);
  await write(Uint8Array.of(0xe9));
  assertEquals(await load("latin-1"), ["é", "é"]);
  await assertRejects(() => load("latin-7"), ConfigError, "did you mean");
});

Deno.test("no text to validate on, a vocabulary of other texts, and streams that have no batch are told", async () => {
  const three = await TextDataLoaders.fromTexts(["a", "b", "c"], [0, 1, 0], { seed: 2, bs: 1, minFreq: 1 });
  assertEquals(three.notes, ["No text is validated on: 0.2 of 3 is none; validPct takes more"]);
  const texts = Array.from({ length: 8 }, (_, i) => `this text has number ${i}`);
  const told = /^\d+ of \d+ tokens to train on are in no vocabulary and read as xxunk: it has 9 tokens/;
  const few = { seed: 1, bs: 2, minFreq: 1000 };
  for (
    const dls of [
      await TextDataLoaders.fromTexts(texts, texts.map((_, i) => i % 2), few),
      await TextDataLoaders.fromTexts(texts, { ...few, isLm: true }),
    ]
  ) assert(dls.notes.some((note) => told.test(note)), dls.notes.join());
  const lm = await TextDataLoaders.fromTexts(texts, { ...few, minFreq: 1, isLm: true });
  assertEquals(lm.notes, []);
  await assertRejects(() => lm.testDl(["a"], { bs: 64 }), DataError, "Cannot cut a stream of 2 tokens into 64 rows");
});
