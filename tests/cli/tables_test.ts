/**
 * Recipes of tables as they come: other delimiters, decimal commas, numbers to predict; and arrays that do not fit.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { ConfigError, DataError, silentLogger } from "../../mod.ts";
import golden from "../golden/tables.json" with { type: "json" };
import { exportRun, type PredictionLine, predictRun } from "../../src/cli/inspect.ts";
import { main } from "../../src/cli/main.ts";
import { formOf } from "../../src/cli/predict_form.ts";
import { readRecipe } from "../../src/cli/run_folder.ts";
import { trainRecipe } from "../../src/cli/train.ts";
import { readTable } from "../../src/data/mod.ts";
import { tableBytes } from "../../src/data/table_text.ts";
import { writeSafetensors } from "../../src/io/safetensors.ts";
import { tempDir } from "../support/temp.ts";

const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false }); // the device lives for the whole process

/** Trains a recipe; gives its folder and the last row. */
async function train(folder: string, data: string, more = "") {
  const file = join(folder, "r.yaml"), out = tempDir({ dir: folder });
  await Deno.writeTextFile(
    file,
    `data: ${data}\nmodel: { kind: tabular, layers: [16] }\npolicy: { kind: oneCycle, epochs: 12, lrMax: 0.05 }\n${more}`,
  );
  const { rows } = await trainRecipe(await readRecipe(file, ["device=cpu"]), file, { logger: silentLogger, out });
  return { out, row: rows.at(-1)! };
}

test("a table with semicolons and decimal commas trains, and predicts for files and rows of its kind", async () => {
  const folder = tempDir();
  const line = (i: number) => `${i},5;${"pq"[i % 2]};${1000 + 10 * i},25`;
  const text = "size;kind;price\n" + Array.from({ length: 200 }, (_, i) => line(i)).join("\n");
  await Deno.writeTextFile(join(folder, "t.csv"), text);
  const { out, row } = await train(folder, "{ kind: csv, file: t.csv, target: price }", "metrics: [r2Score, rmse]");
  assert(Number(row.r2_score) > 0.8, JSON.stringify(row));
  const file = join(folder, "new.csv");
  await Deno.writeTextFile(file, "kind;more;size\np;x;50,5\nq;y;150,5\n");
  const found = await predictRun(out, [file], [], silentLogger) as PredictionLine[];
  assertEquals(found.map(({ input }) => input), [`${file} row 1`, `${file} row 2`]);
  found.forEach(({ prediction }, i) => assert(Math.abs(Number(prediction) - (1500 + 1000 * i)) < 500, `${prediction}`));
  const [one] = await predictRun(out, ["size=50,5", "kind=p"], [], silentLogger) as PredictionLine[];
  assert(Math.abs(Number(one.prediction) - Number(found[0].prediction)) < 1);
  await assertRejects(() => predictRun(out, ["Size=50,5"], [], silentLogger), DataError, "did you mean size?");
  const lacking = await predictRun(out, [join(folder, "r.yaml")], [], silentLogger);
  assert("error" in lacking[0]);
});

test("keys of a table's recipe are those of fromCsv", async () => {
  const folder = tempDir();
  const rows = Array.from({ length: 60 }, (_, i) => `${i}|${i === 7 ? "-" : `$${i}.5`}|${["yes", "None", ""][i % 3]}`);
  await Deno.writeTextFile(join(folder, "t.txt"), ["title", "# remark", ...rows].join("\n"));
  const { out } = await train(
    folder,
    `{ kind: csv, file: t.txt, target: c, delimiter: "|", header: false, names: [a, b, c], skipRows: 1, comment: "#",
       strip: ["$"], naValues: { b: ["-"] }, keepDefaultNa: false, dropMissingTarget: true, kinds: { a: ignore },
       stratify: false, dropLast: true, bs: 16, encoding: utf-8 }`,
  );
  const [one] = await predictRun(out, ["b=$3.5"], [], silentLogger) as PredictionLine[];
  assert(["yes", "None"].includes(String(one.prediction)), String(one.prediction));
});

test("a table of Parquet trains, predicts for files of other kinds and in other forms, and into files", async () => {
  const folder = tempDir();
  const rows = Array.from({ length: 120 }, (_, i) => ({ size: i + 0.5, kind: "pq"[i % 2], price: 1000 + 10 * i }));
  const columns = Object.fromEntries(
    ["size", "kind", "price"].map((name) => [name, rows.map((row) => row[name as "size"])]),
  );
  const [bytes] = await tableBytes("t.parquet", columns);
  await Deno.writeFile(join(folder, "t.parquet"), bytes);
  const { out, row } = await train(folder, "{ kind: table, file: t.parquet, target: price }", "metrics: [r2Score]");
  assert(Number(row.r2_score) > 0.8, JSON.stringify(row));
  const lines = join(folder, "new.jsonl"), german = join(folder, "de.csv");
  await Deno.writeTextFile(lines, '{"kind": "p", "size": 50.5}\n');
  await Deno.writeTextFile(german, "size;kind\n50,5;p\n");
  const [one] = await predictRun(out, [lines], [], silentLogger) as PredictionLine[];
  assert(Math.abs(Number(one.prediction) - 1500) < 300, `${one.prediction}`);
  const [failed] = await predictRun(out, [german], [], silentLogger);
  assert("error" in failed && failed.error.includes("--form decimal=,"), JSON.stringify(failed));
  const form = formOf(["decimal=,", "delimiter=;"]);
  assertEquals(form, { decimal: ",", delimiter: ";" });
  const [same] = await predictRun(out, [german], [], silentLogger, form) as PredictionLine[];
  assertEquals(same.prediction, one.prediction);
  await assertRejects(
    () => predictRun(out, [german], [], silentLogger, { decimals: "," }),
    ConfigError,
    "did you mean decimal",
  );
  const repo = join(folder, "repo");
  assertEquals(await main(["export", out, repo, "--hub"]), 0);
  assertEquals(JSON.parse(await Deno.readTextFile(join(repo, "config.json"))).architectures, ["TabularModel"]);
  await assertRejects(() => exportRun(out, "m.onnx", { hub: true }, silentLogger), ConfigError, "with --hub");
  const target = join(folder, "preds.parquet");
  assertEquals(await main(["predict", out, lines, join(folder, "t.parquet"), "--out", target]), 0);
  const read = await readTable(target), prediction = read.columns.get("prediction")!;
  assertEquals([read.rows, read.names], [121, ["input", "prediction"]]);
  assert(prediction.kind === "number" && prediction.values[0] === one.prediction);
  await assertRejects(() => predictRun(out, [lines], [], silentLogger, {}, "p.txt"), ConfigError, ".csv or .parquet");
});

test("arrays of numpy train and are predicted for", async () => {
  const folder = tempDir();
  await Deno.writeFile(join(folder, "d.npz"), Uint8Array.from(atob(golden.npz.deflated), (c) => c.charCodeAt(0)));
  const file = join(folder, "r.yaml"), out = join(folder, "run");
  await Deno.writeTextFile(
    file,
    "data: { kind: arrays, file: d.npz, xValid: x, yValid: y }\nmodel: { kind: mlp, layers: [4] }\npolicy: { kind: fit, epochs: 1 }\n",
  );
  await trainRecipe(await readRecipe(file, ["device=cpu"]), file, { logger: silentLogger, out });
  const found = await predictRun(out, [join(folder, "d.npz")], [], silentLogger) as PredictionLine[];
  assertEquals(found.map(({ prediction }) => ["0", "1"].includes(String(prediction))), [true, true]);
});

test("arrays of unlike lengths are refused by name", async () => {
  const folder = tempDir(), path = join(folder, "d.safetensors");
  const rows = (n: number) => ({ dtype: "f32" as const, shape: [n, 2], data: new Float32Array(2 * n) });
  await writeSafetensors(path, new Map([["x", rows(50)], ["y", rows(80)], ["xv", rows(9)]]));
  await assertRejects(
    () => train(folder, "{ kind: arrays, file: d.safetensors }"),
    DataError,
    `Cannot pair x with y of ${path}: they have 50 and 80 items`,
  );
  await assertRejects(
    () => train(folder, "{ kind: arrays, file: d.safetensors, y: x, xValid: xv, yValid: y }"),
    DataError,
    "Cannot pair xv with y",
  );
});
