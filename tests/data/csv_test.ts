/**
 * Tables.
 *
 * @module
 */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { ConfigError, DataError, DataLoaders, Learner, nn, setSeed, silentLogger } from "../../mod.ts";
import { encodeRow } from "../../src/data/mod.ts";
import { onDevices } from "../support/devices.ts";
import { tempDir } from "../support/temp.ts";

const here = { kinds: ["cpu"] } as const;

async function file(text: string): Promise<string> {
  const path = join(tempDir(), "t.csv");
  await Deno.writeTextFile(path, text);
  return path;
}

/** A table with a column that marks rows to measure on, missing cells, quotes and a byte-order mark. */
const TABLE =
  '\ufeffsize,colour,held,kind\n1.5,red,0,a\n2.5,"blue, dark",0,b\n,red,0,a\n4.5,,0,b\n10.5,green,1,a\n?,"red",1,b\n';

onDevices("columns of a table: numbers are scaled, words counted, what is missing is marked", async () => {
  const dls = await DataLoaders.fromCsv(await file(TABLE), {
    target: "kind",
    validColumn: "held",
    bs: 4,
    naValues: ["?"],
  });
  const { numeric, categorical, target } = dls.schema;
  // of the four training rows: 1.5, 2.5, (median 2.5), 4.5
  const mean = (1.5 + 2.5 + 2.5 + 4.5) / 4;
  const std = Math.sqrt([1.5, 2.5, 2.5, 4.5].reduce((sum, v) => sum + (v - mean) ** 2, 0) / 4);
  assertEquals([numeric.length, numeric[0].name, numeric[0].median, numeric[0].hasMissing], [1, "size", 2.5, true]);
  assertAlmostEquals(numeric[0].mean, mean, 1e-12);
  assertAlmostEquals(numeric[0].std, std, 1e-12);
  assertEquals(categorical.map((c) => [c.name, ...c.words]), [["colour", "blue, dark", "red"], [
    "size_na",
    "no",
    "yes",
  ]]);
  assertEquals(target, { kind: "classify", name: "kind", classes: ["a", "b"] });
  assertEquals([dls.train.size, dls.valid.size], [4, 2]);

  const [words, numbers, labels] = (await dls.valid.peek())!;
  // green was not seen in training; the second row's size is missing
  assertEquals(await words.array(), [[0, 1], [2, 2]]);
  const [first, second] = await numbers.data();
  assertAlmostEquals(first, (10.5 - mean) / std, 1e-6);
  assertAlmostEquals(second, (2.5 - mean) / std, 1e-6);
  assertEquals(await labels.array(), [0, 1]);

  const [w, n] = encodeRow(dls.schema, { colour: "red", size: "" });
  assertEquals(await w.array(), [2, 2]);
  assertAlmostEquals((await n.data())[0], (2.5 - mean) / std, 1e-6);
  assertEquals(JSON.parse(JSON.stringify(dls.schema)), dls.schema); // it can be kept with the model
}, here);

onDevices("a bad cell is told with file, row and column", async () => {
  const bad = await file("a,b\n1,x\n2.5,y\nthree,x\n");
  const error = await assertRejects(() => DataLoaders.fromCsv(bad, { target: "b", numeric: ["a"] }), DataError);
  assert(
    error.message.startsWith(`Cannot read ${bad}:4, column "a": a number is needed, got "three"; 2 of 3 cells`),
    error.message,
  );
  const long = await file("a,b\n1,x\n2,y,z\n");
  assert(
    (await assertRejects(() => DataLoaders.fromCsv(long, { target: "b" }), DataError)).message.includes(
      "line 3: it has 3",
    ),
  );
  const quote = await file('a,b\n1,"x\n');
  await assertRejects(
    () => DataLoaders.fromCsv(quote, { target: "b" }),
    DataError,
    ":2: a quote that begins a cell is never closed",
  );
  const twice = await file("a,a\n1,2\n");
  await assertRejects(() => DataLoaders.fromCsv(twice, { target: "a" }), DataError, 'two columns are named "a"');
  await assertRejects(async () => await DataLoaders.fromCsv(await file(""), { target: "a" }), DataError, "no rows");
  await assertRejects(() => DataLoaders.fromCsv("/none.csv", { target: "a" }), DataError, "no such file");
  const missing = await file("a,b\n1.5,x\n2.5,\n3.5,y\n");
  await assertRejects(
    () => DataLoaders.fromCsv(missing, { target: "b", validPct: 0 }),
    DataError,
    ':3, column "b": the target is missing in 1 of 3 rows',
  );
  await assertRejects(() => DataLoaders.fromCsv(missing, { target: "c" }), ConfigError, "its columns are a, b");
}, here);

onDevices("the split is the seed's, and rows keep together", async () => {
  const rows = Array.from({ length: 200 }, (_, i) => `${i}.5,${i % 2 === 0 ? "even" : "odd"}`);
  const path = await file(`n,p\n${rows.join("\n")}\n`);
  const load = (seed: number) => DataLoaders.fromCsv(path, { target: "p", validPct: 0.25, seed });
  const one = await load(1), same = await load(1), other = await load(2);
  assertEquals([one.train.size, one.valid.size], [150, 50]);
  const numbers = async (d: typeof one) => [...await (await d.valid.inOrder({ bs: 50 }).peek())![1].data()];
  assertEquals(await numbers(one), await numbers(same));
  assert(String(await numbers(one)) !== String(await numbers(other)));
  const { mean, std } = one.schema.numeric[0];
  const [, values, labels] = (await one.valid.inOrder({ bs: 50 }).peek())!;
  const parities = [...await values.data()].map((v) => Math.abs(Math.round(v * std + mean - 0.5)) % 2);
  assertEquals(parities, [...await labels.data()].map(Number));
}, here);

onDevices("a tabular model learns a rule over words and numbers, and a number from both", async () => {
  const rows = Array.from({ length: 400 }, (_, i) => {
    const n = (i * 37 % 100) / 10 + 0.05, w = ["p", "q", "r"][i % 3];
    return `${n},${w},${(w === "p") === (n > 5) ? "yes" : "no"},${n + (w === "q" ? 3 : 0)}`;
  });
  const path = await file(`n,w,rule,value\n${rows.join("\n")}\n`);
  setSeed(1);
  const dls = await DataLoaders.fromCsv(path, { target: "rule", numeric: ["n"], categorical: ["w"], bs: 32 });
  const learn = new Learner(dls, new nn.TabularModel(dls.schema, 2, { layers: [32] }), {
    lossFunc: new nn.CrossEntropyLoss(),
    metrics: [(await import("../../mod.ts")).accuracy],
    logger: silentLogger,
  });
  await learn.fitOneCycle(12, { lrMax: 2e-2 });
  assert(Number(learn.recorder.rows.at(-1)?.accuracy) > 0.9, JSON.stringify(learn.recorder.rows.at(-1)));

  const values = await DataLoaders.fromCsv(path, {
    target: "value",
    task: "regress",
    numeric: ["n"],
    categorical: ["w"],
    bs: 32,
  });
  const regress = new Learner(values, new nn.TabularModel(values.schema, 1, { layers: [32] }), {
    lossFunc: new nn.MSELoss(),
    logger: silentLogger,
  });
  await regress.fitOneCycle(20, { lrMax: 2e-2 });
  assert(regress.recorder.validLoss < 0.5, String(regress.recorder.validLoss));
}, here);

onDevices("word columns of unlike sizes train, and a label that is no class is told by its step", async () => {
  const rows = Array.from({ length: 40 }, (_, i) => `w${i % 9},v${i % 3},${"ab"[i % 2]}`);
  const dls = await DataLoaders.fromCsv(await file(["p,q,y", ...rows].join("\n")), { target: "y", seed: 1, bs: 8 });
  const options = { lossFunc: new nn.CrossEntropyLoss(), logger: silentLogger };
  const learn = new Learner(dls, new nn.TabularModel(dls.schema, 2, { layers: [4] }), options);
  await learn.fit(1);
  assert(learn.recorder.losses.every(Number.isFinite));
  // a model with too few outputs: the steps whose labels fit are taken, whatever class the others have
  const x = { data: new Float32Array(12).fill(1), shape: [12, 1] };
  const y = { data: Int32Array.from({ length: 12 }, (_, i) => i < 8 ? i % 2 : 2), shape: [12] };
  const few = new Learner(DataLoaders.fromArrays({ x, y }, { bs: 4, shuffle: false }), new nn.Linear(1, 2), options);
  await assertRejects(() => few.fit(1), DataError, "label 2 is none of the 2 classes");
  assertEquals(few.trainIter, 2);
}, here);
