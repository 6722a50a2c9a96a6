/**
 * What a table is trained for: classes that are split fairly, numbers in the file's own unit, rows without a target.
 */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import {
  accuracy,
  ConfigError,
  DataError,
  DataLoaders,
  type FromCsvOptions,
  Learner,
  loadLearner,
  mae,
  nn,
  R2Score,
  rmse,
  setSeed,
  silentLogger,
  type TabularDataLoaders,
  type Tensor,
} from "../../mod.ts";
import { schemaFromJson } from "../../src/data/mod.ts";
import { onDevices } from "../support/devices.ts";
import { tempDir } from "../support/temp.ts";

const here = { kinds: ["cpu"] } as const;

async function file(text: string): Promise<string> {
  const path = join(tempDir(), "t.csv");
  await Deno.writeTextFile(path, text);
  return path;
}

const many = (n: number, row: (i: number) => string) => Array.from({ length: n }, (_, i) => row(i)).join("\n");

/** y = 130,000 + 60 i for x = 0.37 i. */
const LARGE = "x,y\n" + many(200, (i) => `${(i * 0.37).toFixed(2)},${(130_000 + 60 * i + 0.5).toFixed(1)}`);

function regress(dls: TabularDataLoaders, lossFunc: nn.Loss | ((p: Tensor, y: Tensor) => Tensor) = new nn.MSELoss()) {
  setSeed(1);
  return new Learner(dls, new nn.TabularModel(dls.schema, 1), {
    lossFunc,
    metrics: [new R2Score(), rmse, mae],
    logger: silentLogger,
  });
}

onDevices("a large target is learned at the defaults, and everything shown is in its unit", async () => {
  const dls = await DataLoaders.fromCsv(await file(LARGE), { target: "y", seed: 1 });
  const { target } = dls.schema;
  assert(target.kind === "regress" && target.mean > 130_000 && target.std > 1000);
  const learn = regress(dls);
  const { valley } = await learn.lrFind();
  await learn.fitOneCycle(30, { lrMax: valley ?? 1e-3 });
  const row = learn.recorder.rows.at(-1)!;
  assert(row.r2_score! > 0.8, JSON.stringify(row));

  // metrics and losses against plain loops over what getPreds gives, in the file's unit
  const { preds, targs, losses } = await learn.getPreds({ withLoss: true });
  const p = await preds.data(), y = await targs.data(), each = await losses!.data();
  assert(y.every((v) => v >= 130_000 && v < 142_001 && Math.abs((v - 0.5) % 60 - 40) < 60));
  const squares = [...p].map((v, i) => (v - y[i]) ** 2), mse = squares.reduce((a, b) => a + b) / squares.length;
  assertAlmostEquals(row.valid_loss! / mse, 1, 1e-3);
  assertAlmostEquals(row.rmse! / Math.sqrt(mse), 1, 1e-3);
  assertAlmostEquals(each[3] / squares[3], 1, 0.05);
  assertEquals(await learn.validate(), [row.valid_loss, row.r2_score, row.rmse, row.mae]);
  // training losses too: those of a fitted model are near the validation's, not near 1
  assert(row.train_loss! > 1000, String(row.train_loss));

  const one = await learn.predict({ x: 37 });
  const value = (await one.pred.data())[0];
  assert(Math.abs(value - 136_000) < 6000, String(value));
  assertEquals([...await one.decoded.data()], [value]);

  const folder = tempDir();
  const loaded = await loadLearner(await learn.export(join(folder, "m")));
  assertEquals([...await (await loaded.predict({ x: 37 })).pred.data()], [value]);
}, here);

onDevices("losses are shown in the target's unit by their own power; scaling can be left off", async () => {
  const path = await file(LARGE);
  const dls = await DataLoaders.fromCsv(path, { target: "y", seed: 1 });
  const { std } = dls.schema.target as { std: number };
  const shown = async (loss: nn.Loss | ((p: Tensor, y: Tensor) => Tensor)) => (await regress(dls, loss).validate())[0]!;
  const mse = await shown(new nn.MSELoss());
  assertAlmostEquals(await shown((p, y) => p.reshape([-1]).sub(y).square().mean()) * std ** 2 / mse, 1, 1e-5);
  assertAlmostEquals(await shown(new nn.L1Loss()) / (await regress(dls).validate())[3]!, 1, 1e-5);
  // a Huber loss of so large a delta is half a squared error, one of smooth L1 with so large a beta too
  assertAlmostEquals(await shown(new nn.HuberLoss({ delta: 100 })) * 2 / mse, 1, 1e-5);
  assertAlmostEquals(await shown(new nn.SmoothL1Loss({ beta: 100 })) * 200 * std / mse, 1, 1e-5);

  const plain = await DataLoaders.fromCsv(path, { target: "y", seed: 1, scaleTarget: false });
  assertEquals([plain.schema.target, plain.targetScale], [{ kind: "regress", name: "y", mean: 0, std: 1 }, undefined]);
  assert((await (await plain.valid.peek())![2].data())[0] > 100_000);
}, here);

onDevices("every class gives its share to validation and keeps a row for training", async () => {
  const rows = many(200, (i) => `${i}.5,${i % 40 === 0 ? `rare ${i / 40}` : i % 4 === 0 ? "some" : "many"}`);
  const path = await file(`x,y\n${rows}`);
  const parts = async (options: Partial<FromCsvOptions> = {}) => {
    const dls = await DataLoaders.fromCsv(path, { target: "y", ...options });
    const counts = async (dl: typeof dls.train) => {
      const out = new Map<string, number>();
      for await (const [, , y] of dl.inOrder()) {
        for (const label of await y.data()) out.set(dls.vocab[label], (out.get(dls.vocab[label]) ?? 0) + 1);
      }
      return out;
    };
    return [await counts(dls.train), await counts(dls.valid)];
  };
  for (let seed = 0; seed < 10; seed++) {
    const [train, valid] = await parts({ seed });
    const [most, some] = [valid.get("many")!, valid.get("some")!];
    assertEquals([most + some, train.get("many")! + most, train.get("some")! + some], [40, 150, 45]);
    assert(Math.abs(most - 30) <= 1 && Math.abs(some - 9) <= 1, `${most} and ${some}`);
    for (let k = 0; k < 5; k++) assertEquals([train.get(`rare ${k}`), valid.get(`rare ${k}`)], [1, undefined]);
  }
  let unlucky = 0;
  for (let seed = 0; seed < 10; seed++) await parts({ seed, stratify: false }).catch(() => unlucky++);
  assert(unlucky > 0, "by chance alone, a class falls into validation only");
}, here);

onDevices("a column marks rows to measure on, in words that are known", async () => {
  const load = async (marks: string[]) =>
    await DataLoaders.fromCsv(
      await file("x,held,y\n" + many(40, (i) => `${i}.5,${marks[i % marks.length]},${"ab"[i % 2]}`)),
      { target: "y", validColumn: "held" },
    );
  for (
    const marks of [["0", "0", "1", "1"], ["FALSE", "FALSE", "True", "TRUE"], ["train", "train", "valid", "valid"], [
      "",
      "",
      "1.0",
      "1.0",
    ]]
  ) {
    const dls = await load(marks);
    assertEquals([dls.train.size, dls.valid.size, dls.schema.unused], [20, 20, ["held"]], marks.join());
  }
  await assertRejects(() => load(["train", "test"]), DataError, 'the others, got "test"');
  await assertRejects(() => load(["0"]), DataError, "it marks no row");
}, here);

onDevices("rows without a target are told, or left out", async () => {
  const path = await file("x,y\n" + many(50, (i) => `${i}.5,${i % 10 === 3 ? "NA" : `${i}.25`}`));
  await assertRejects(
    () => DataLoaders.fromCsv(path, { target: "y" }),
    DataError,
    ':5, column "y": the target is missing in 5 of 50',
  );
  const dls = await DataLoaders.fromCsv(path, { target: "y", dropMissingTarget: true });
  assertEquals([dls.train.size, dls.valid.size], [36, 9]);
  assert(dls.notes[0].endsWith("5 of 50 rows are left out: they have no y"), dls.notes.join());
}, here);

onDevices("a last batch of one row is left out, as batch norm cannot train on it; a shorter one is not", async () => {
  for (const [rows, batches] of [[81, 1], [82, 2], [80, 1]] as const) {
    const dls = await DataLoaders.fromCsv(await file("x,y\n" + many(rows, (i) => `${i / 7},${"ab"[i % 2]}`)), {
      target: "y",
    });
    assertEquals(dls.train.length, batches, `${rows} rows`);
    const learn = new Learner(dls, new nn.TabularModel(dls.schema, 2), {
      lossFunc: new nn.CrossEntropyLoss(),
      metrics: [accuracy],
      logger: silentLogger,
    });
    await learn.fit(1);
    assertEquals(learn.recorder.losses.length, batches);
  }
  const path = await file("x,y\n" + many(82, (i) => `${i / 7},${"ab"[i % 2]}`));
  assertEquals((await DataLoaders.fromCsv(path, { target: "y", dropLast: true })).train.length, 1);
  const one = await file("x,y\n" + many(81, (i) => `${i / 7},${"ab"[i % 2]}`));
  assertEquals((await DataLoaders.fromCsv(one, { target: "y", dropLast: false })).train.length, 2);
}, here);

onDevices("a column that is constant in training has deviation 1", async () => {
  for (const c of ["14.62", "0.1", "1e9", "-3.3"]) {
    const path = await file("c,x,y\n" + many(1000, (i) => `${c},${i % 101 / 10 + 0.01},${i % 101 > 50 ? "a" : "b"}`));
    const { schema } = await DataLoaders.fromCsv(path, { target: "y", numeric: ["c", "x"] });
    assertEquals([schema.numeric[0].mean, schema.numeric[0].std], [Number(c), 1]);
  }
}, here);

onDevices("a schema is plain data, read back with its version checked", async () => {
  const path = await file(
    "n;w;k;y\n" + many(60, (i) => `${i % 7 === 0 ? "" : `${i},5`};${"pq"[i % 2]};${i % 3};${1000 + i},25`),
  );
  for (const target of ["y", "w"]) {
    const { schema } = await DataLoaders.fromCsv(path, { target, naValues: { w: ["-"] }, strip: ["%"] });
    assertEquals(schemaFromJson(JSON.parse(JSON.stringify(schema))), schema);
    const spoil = (change: object) => () =>
      schemaFromJson({ ...JSON.parse(JSON.stringify(schema)), ...change }, "x.json");
    assertThrows(spoil({ version: 2 }), DataError, "Cannot read x.json: its version is 2");
    assertThrows(spoil({ numeric: [{ name: "n" }] }), DataError, "numeric[0].mean is not a number");
    assertThrows(spoil({ target: { kind: "guess", name: "y" } }), DataError, "neither classify nor regress");
    assertThrows(spoil({ cells: {} }), DataError, "cells.naByColumn is not an object");
  }
}, here);

onDevices("what was left out is told once, before the first fit", async () => {
  const path = await file("day,x,y\n" + many(60, (i) => `d${i},${i}.5,${"ab"[i % 2]}`));
  const dls = await DataLoaders.fromCsv(path, { target: "y" });
  const lines: string[] = [];
  const learn = new Learner(dls, new nn.TabularModel(dls.schema, 2), {
    lossFunc: new nn.CrossEntropyLoss(),
    logger: { line: (text) => lines.push(text) },
  });
  await learn.fit(1);
  await learn.fit(1);
  assertEquals(lines.filter((line) => line.includes("column day is left out")).length, 1);
  assert(lines[0].startsWith(path), lines[0]);
}, here);

onDevices("a metric that gives no number is told by name; plain numbers and promises are taken", async () => {
  const dls = await DataLoaders.fromCsv(await file(LARGE), { target: "y" });
  const with_ = (metric: () => unknown) =>
    new Learner(dls, new nn.TabularModel(dls.schema, 1), {
      lossFunc: new nn.MSELoss(),
      metrics: [metric as () => Tensor],
      logger: silentLogger,
    }).fit(1);
  await assertRejects(
    () =>
      with_(function half() {
        return "0.5";
      }),
    ConfigError,
    "Cannot use the metric half: it gives one number, as a tensor, which stays on the device, or a plain one, got 0.5",
  );
  await assertRejects(() => with_(() => Promise.resolve([1])), ConfigError, "got a Array");
  await with_(() => 0.5);
  await with_(() => Promise.resolve(1));
}, here);

onDevices("a target with another whole number in most rows is one of numbers, however few rows there are", async () => {
  const of = async (n: number, y: (i: number) => number) => {
    const { schema, notes } = await DataLoaders.fromTable(
      Array.from({ length: n }, (_, i) => ({ x: i * 0.5, y: y(i) })),
      { target: "y", validPct: 0 },
    );
    return [schema.target.kind, notes.join()] as const;
  };
  assertEquals(await of(15, (i) => 115 + 3 * i), ["regress", ""]);
  assertEquals(await of(200, (i) => i % 11), ["classify", ""]);
  assertEquals(await of(12, (i) => i % 3), ["classify", ""]);
  assertEquals(await of(8, (i) => 10 * i), [
    "classify",
    'the rows: the target y has 8 classes in 8 rows; task: "regress" predicts a number',
  ]);
  assertEquals(await of(30, () => 7.5), [
    "regress",
    "the rows: the target y is one number in all 30 training rows: nothing is to be learned",
  ]);
}, here);
