/**
 * Recipes of tables as they come: other delimiters, decimal commas, numbers to predict; and arrays that do not fit.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { DataError, silentLogger } from "../../mod.ts";
import { type PredictionLine, predictRun } from "../../src/cli/inspect.ts";
import { readRecipe } from "../../src/cli/run_folder.ts";
import { trainRecipe } from "../../src/cli/train.ts";
import { writeSafetensors } from "../../src/io/safetensors.ts";

const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false }); // the device lives for the whole process

/** Trains a recipe; gives its folder and the last row. */
async function train(folder: string, data: string, more = "") {
  const file = join(folder, "r.yaml"), out = await Deno.makeTempDir({ dir: folder });
  await Deno.writeTextFile(
    file,
    `data: ${data}\nmodel: { kind: tabular, layers: [16] }\npolicy: { kind: oneCycle, epochs: 12, lrMax: 0.05 }\n${more}`,
  );
  const { rows } = await trainRecipe(await readRecipe(file, ["device=cpu"]), file, { logger: silentLogger, out });
  return { out, row: rows.at(-1)! };
}

test("a table with semicolons and decimal commas trains, and predicts for files and rows of its kind", async () => {
  const folder = await Deno.makeTempDir();
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
  const folder = await Deno.makeTempDir();
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

test("arrays of unlike lengths are refused by name", async () => {
  const folder = await Deno.makeTempDir(), path = join(folder, "d.safetensors");
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
