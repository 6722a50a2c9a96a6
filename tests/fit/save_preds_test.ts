/**
 * Predictions in files, read back.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { ConfigError, DataError, DataLoaders, Learner, nn, readTable, setSeed, silentLogger } from "../../mod.ts";
import type { Table } from "../../src/data/mod.ts";
import { tableBytes } from "../../src/data/table_text.ts";
import { onDevices } from "../support/devices.ts";
import { tempDir } from "../support/temp.ts";

const here = { kinds: ["cpu"] } as const;

function cells(table: Table, name: string): (string | number)[] {
  const column = table.columns.get(name)!;
  return column.kind === "number" ? [...column.values] : [...column.codes].map((code) => column.texts[code]);
}

const rows = Array.from(
  { length: 90 },
  (_, i) => ({ x: i + 0.5, word: ["p", 'q, "r"'][i % 2], y: ["a", "b", "c"][i % 3] }),
);

onDevices("predictions of classes: names, probabilities and targets, in Parquet and CSV alike", async () => {
  setSeed(1);
  const dls = await DataLoaders.fromTable(rows, { target: "y" });
  const learn = new Learner(dls, new nn.TabularModel(dls.schema, 3, { layers: [8] }), {
    lossFunc: new nn.CrossEntropyLoss(),
    logger: silentLogger,
  });
  await learn.fit(1);
  const dir = tempDir(), n = dls.valid.size;
  const { preds, targs } = await learn.getPreds();
  const probs = await preds.data(), wanted = await targs.data();
  for (const ending of ["parquet", "csv"]) {
    const path = join(dir, `preds.${ending}`);
    const id = Array.from({ length: n }, (_, i) => `item "${i}", of\n${n}`);
    await learn.savePreds(path, { columns: { id }, withLoss: true });
    const table = await readTable(path);
    assertEquals(table.names, ["id", "prediction", "probability", "p_a", "p_b", "p_c", "target", "loss"]);
    assertEquals(cells(table, "id"), id);
    assertEquals(cells(table, "target"), Array.from(wanted, (t) => "abc"[Number(t)]));
    for (let r = 0; r < n; r++) {
      const own = [...probs.subarray(3 * r, 3 * r + 3)], best = own.indexOf(Math.max(...own));
      assertEquals(cells(table, "prediction")[r], "abc"[best]);
      const read = ["p_a", "p_b", "p_c"].map((name) => Math.fround(Number(cells(table, name)[r])));
      assertEquals(read, own);
      assertEquals(Math.fround(Number(cells(table, "probability")[r])), own[best]);
    }
  }
  const path = join(dir, "new.parquet");
  await learn.savePreds(path, { dl: dls.testDl([{ x: 1, word: "p" }]) });
  assertEquals((await readTable(path)).names, ["prediction", "probability", "p_a", "p_b", "p_c"]);
  await assertRejects(() => learn.savePreds("preds.xlsx"), ConfigError, "ends with .csv or .parquet");
  await assertRejects(() => learn.savePreds(path, { columns: { target: [1] } }), ConfigError, 'a column "target"');
  await assertRejects(() => learn.savePreds(path, { columns: { id: [1] } }), DataError, "columns are of one length");
}, here);

onDevices("predictions of values are in the unit of the data", async () => {
  setSeed(1);
  const dls = await DataLoaders.fromTable(rows.map(({ x, word }) => ({ x, word, price: 1e5 * x })), {
    target: "price",
  });
  const learn = new Learner(dls, new nn.TabularModel(dls.schema, 1, { layers: [8] }), {
    lossFunc: new nn.MSELoss(),
    logger: silentLogger,
  });
  const path = join(tempDir(), "preds.csv");
  await learn.savePreds(path);
  const table = await readTable(path), target = cells(table, "target").map(Number);
  assertEquals(table.names, ["prediction", "target"]);
  assert(target.every((v) => Math.abs(v / 1e5 % 1 - 0.5) < 1e-2), String(target));
}, here);

Deno.test("tables are written as they are read: gaps, all types, many rows", async () => {
  const n = 40_000, dir = tempDir();
  const table = {
    f32: Float32Array.from({ length: n }, (_, i) => i % 7 === 0 ? NaN : Math.fround(i / 3)),
    f64: Float64Array.from({ length: n }, (_, i) => i / 3),
    i32: Int32Array.from({ length: n }, (_, i) => -i),
    text: Array.from({ length: n }, (_, i) => i % 5 === 0 ? null : `t${i % 100}`),
    flag: Array.from({ length: n }, (_, i) => i % 2 === 0),
    number: Array.from({ length: n }, (_, i) => i % 3 === 0 ? null : i),
  };
  for (const ending of ["parquet", "csv"]) {
    const path = join(dir, `t.${ending}`);
    await Deno.writeFile(
      path,
      new Uint8Array(await new Blob(await tableBytes(path, table) as BlobPart[]).arrayBuffer()),
    );
    const read = await readTable(path);
    assertEquals(read.rows, n);
    for (const [name, column] of Object.entries(table)) {
      const got = cells(read, name),
        off = Array.from(column as ArrayLike<unknown>).findIndex((cell, r) => {
          const missing = cell === null || Number.isNaN(cell), own = got[r];
          if (missing) return !(own === "" || Number.isNaN(own));
          return typeof cell === "number"
            ? (name === "f32" ? Math.fround(Number(own)) : Number(own)) !== cell
            : own !== String(cell);
        });
      assertEquals(off, -1, `${ending}, ${name}: row ${off} is ${got[off]}`);
    }
  }
  await assertRejects(() => tableBytes("t.csv", {}), DataError, "there are no columns");
  await assertRejects(() => tableBytes("t.parquet", { a: [1, "x"] }), DataError, "are alike, got number and string");
});
