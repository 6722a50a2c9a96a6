/**
 * Tables in files that pandas and pyarrow wrote: every type, every codec, damaged files, and the same loaders from each.
 *
 * @module
 */
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { AnnealError, ConfigError, DataError, DataLoaders, readArrow, readParquet, readTable } from "../../mod.ts";
import { readJsonLines, schemaFromJson, type Table } from "../../src/data/mod.ts";
import { onDevices } from "../support/devices.ts";
import golden from "../golden/tables.json" with { type: "json" };
import { tempDir } from "../support/temp.ts";

const here = { kinds: ["cpu"] } as const;
const bytesOf = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
type Golden = Readonly<Record<string, string>>;
const files: Golden = golden.files, tables: Golden = golden.tables;

async function put(name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(tempDir(), name);
  await Deno.writeFile(path, typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
  return path;
}

/** A column's cells; null where one is missing. */
function cells(table: Table, name: string): (string | number | null)[] {
  const column = table.columns.get(name)!;
  return column.kind === "number"
    ? [...column.values].map((v) => Number.isNaN(v) ? null : v)
    : [...column.codes].map((code) => column.texts[code] === "" ? null : column.texts[code]);
}

Deno.test("every type of pyarrow is read as it is, whatever the format, the codec and the encoding", async () => {
  const expected: Readonly<Record<string, readonly (string | number | null)[]>> = golden.expected;
  for (const [name, content] of Object.entries(files)) {
    if (/nested|empty/.test(name)) continue;
    const table = await readTable(await put(name, bytesOf(content)));
    assertEquals(table.rows, 3, name);
    for (const column of table.names) {
      const want = expected[column].map((v) => v === "" ? null : v);
      assertEquals(cells(table, column), want, `${name}, ${column}`);
    }
    if (!/^int/.test(name)) assertEquals(table.names, Object.keys(expected), name);
  }
});

Deno.test("columns are chosen before they are read: damage elsewhere does not matter", async () => {
  const bytes = bytesOf(files["plain.parquet"]), text = bytesOf(files["nested.parquet"]);
  const file = await put("t.parquet", bytes);
  const two = await readParquet(file, { columns: ["text", "i32"] });
  assertEquals([...two.columns.keys()], ["i32", "text"]);
  assert(two.names.length > 20);
  await assertRejects(() => readParquet(file, { columns: ["i33"] }), ConfigError, "did you mean i32?");
  for (const path of [await put("n.parquet", text), await put("n.feather", bytesOf(files["nested.feather"]))]) {
    await assertRejects(() => readTable(path), DataError, 'Cannot read column "tags" of');
    await assertRejects(() => readTable(path, { columns: ["at"] }), DataError, "it holds structures");
    await assertRejects(() => readTable(path, { columns: ["raw"] }), DataError, path.endsWith("t") ? "row 1" : "bytes");
    assertEquals(cells(await readTable(path, { columns: ["a"] }), "a"), [1, 2]);
  }
});

Deno.test("files that are torn, empty, of another kind or missing are told by name", async () => {
  for (const [name, content] of Object.entries(files)) {
    const bytes = bytesOf(content), read = name.endsWith("parquet") ? readParquet : readArrow;
    if (name.startsWith("empty")) {
      await assertRejects(async () => await read(await put(name, bytes)), DataError, "it has no rows");
      continue;
    }
    if (name === "stream.arrows") continue; // a stream has no end to miss
    const cut = await put(name, bytes.subarray(0, bytes.length - 9));
    assert((await assertRejects(() => read(cut), DataError, "it was cut off")).message.includes(cut));
    for (const n of [0, 3, 6, 12]) {
      await assertRejects(async () => await read(await put(name, bytes.slice(0, n))), DataError);
    }
  }
  const stream = bytesOf(files["stream.arrows"]);
  assertEquals((await readArrow(await put("whole.arrows", stream))).notes, []);
  const open = await readArrow(await put("open.arrows", stream.subarray(0, stream.length - 8)));
  assertEquals([open.rows, open.notes], [3, ["the stream has no end: what was to come behind its 3 rows is missing"]]);
  for (const n of [20, 700, 2000]) {
    const cut = await put("cut.arrows", stream.subarray(0, stream.length - n));
    await assertRejects(() => readArrow(cut), DataError, cut);
  }
  const csv = await put("t.csv", "a,b\n1,2\n");
  await assertRejects(() => readParquet(csv), DataError, "begin with PAR1");
  await assertRejects(() => readArrow(csv), DataError, "begin with ARROW1");
  await assertRejects(() => readParquet("/none.parquet"), DataError, "there is no such file");
  await assertRejects(() => readTable(Deno.cwd()), DataError, "it is a folder");
  await assertRejects(
    () => DataLoaders.fromCsv(csv.replace("t.csv", "none"), { target: "a" }),
    DataError,
    "no such file",
  );
  const parquet = await put("t.csv", bytesOf(files["plain.parquet"]));
  await assertRejects(() => DataLoaders.fromCsv(parquet, { target: "i8" }), DataError, "it is a Parquet file");
  await assertRejects(() => readTable(parquet, { delimiter: ";" }), ConfigError, "it is of separated values");
});

Deno.test("Parquet files with bytes changed anywhere are read or refused, never worse", async () => {
  let read = 0, refused = 0, seed = 1;
  const next = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
  for (const name of ["snappy.parquet", "plain.parquet", "zstd.parquet", "brotli.parquet"]) {
    const whole = bytesOf(files[name]), path = await put(name, whole);
    for (let i = 0; i < 40; i++) {
      const bytes = whole.slice();
      for (let k = 0; k < 3; k++) bytes[next(bytes.length)] = next(256);
      await Deno.writeFile(path, bytes);
      try {
        await readTable(path);
        read++;
      } catch (error) {
        assert(error instanceof AnnealError && error.message.includes(path), `${name} ${i}: ${error}`);
        refused++;
      }
    }
  }
  assert(read > 10 && refused > 10, `${read} read, ${refused} refused`);
});

onDevices("the same table gives the same loaders from CSV, gzip, JSON lines, Parquet, Feather and rows", async () => {
  const options = { target: "price", validColumn: "held", bs: 32 } as const;
  const want = await DataLoaders.fromCsv(await put("people.csv", bytesOf(tables["people.csv"])), options);
  const first = async (dls: typeof want) => await Promise.all((await dls.valid.peek())!.map((t) => t.data()));
  const values = await first(want);
  const sources = new Map<string, Parameters<typeof DataLoaders.fromTable>[0]>();
  for (const [name, content] of Object.entries(tables)) sources.set(name, await put(name, bytesOf(content)));
  const lines = new TextDecoder().decode(bytesOf(tables["people.jsonl"])).trim().split("\n");
  const rows = lines.map((line) => JSON.parse(line));
  sources.set("rows", rows);
  sources.set("columns", Object.fromEntries(Object.keys(rows[0]).map((name) => [name, rows.map((row) => row[name])])));
  sources.set("table", await readTable(sources.get("people.parquet") as string));
  for (const [name, source] of sources) {
    const dls = await DataLoaders.fromTable(source, options);
    // pandas writes True where the others have true
    const words = ["False", "True"].map((w) => name.includes("csv") ? w : w.toLowerCase());
    assertEquals(dls.schema.categorical.find((c) => c.name === "new")!.words, words, name);
    assertEquals(dls.schema.numeric, want.schema.numeric, name);
    assertEquals(dls.schema.target, want.schema.target, name);
    assertEquals(await first(dls), values, name);
    // trained on one, predicted for the others
    for (const other of ["people.csv", "people.feather"]) {
      const dl = await dls.testTable(sources.get(other)!), [w, n] = [...(await dl.peek())!];
      const wanted = await (await want.testTable(sources.get("people.csv")!)).peek();
      assertEquals(
        [await w.data(), await n.data()],
        [await wanted![0].data(), await wanted![1].data()],
        `${name} ${other}`,
      );
      const news = ["Column size: a number is missing, as none was in training; it counts as 9.828"];
      assertEquals(dls.takeNews(), other === "people.csv" ? news : [], `${name} ${other}`); // told once
    }
  }
}, here);

onDevices("texts of files with types are words: NA is one, and numbers as text are told", async () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({
    country: ["NA", "DE", "FR"][i % 3],
    zip: String(10115 + i % 24),
    x: i + 0.5,
    y: i % 2 === 0 ? "a" : "b",
  }));
  const dls = await DataLoaders.fromTable(rows, { target: "y" });
  assertEquals(dls.schema.categorical.map((c) => [c.name, c.words.length]), [["country", 3], ["zip", 24]]);
  assertEquals(dls.schema.categorical[0].words, ["DE", "FR", "NA"]);
  assertEquals(schemaFromJson(JSON.parse(JSON.stringify(dls.schema))), dls.schema);
  assert(
    dls.notes.some((note) => note.includes('kinds: { "zip": "numeric" } takes them for numbers')),
    String(dls.notes),
  );
  const numeric = await DataLoaders.fromTable(rows, {
    target: "y",
    kinds: { zip: "numeric" },
    naValues: { country: ["NA"] },
  });
  assertEquals(numeric.schema.numeric.map((c) => c.name), ["zip", "x"]);
  assertEquals(numeric.schema.categorical[0].words, ["DE", "FR"]);
  // a file of text writes missing numbers as such files do, and NA stays the country
  const csv = await put("new.csv", "country,zip,x\nNA,10115,NA\n,10116,1.5\n");
  const [words, numbers] = [...(await (await dls.testTable(csv)).peek())!];
  assertEquals((await words.array() as number[][]).map((r) => r[0]), [3, 0]);
  assertNotEquals((await numbers.data())[0], NaN);
  const [w] = [...(await dls.testDl([{ country: "NA", zip: "10115", x: 1 }]).peek())!];
  assertEquals((await w.array() as number[][])[0][0], 3);
}, here);

Deno.test("cells of a column are alike, rows are objects, and infinite numbers are told with their row", async () => {
  const mixed = await put("t.jsonl", '{"a": 1, "b": "x"}\n\n{"a": "one"}\n');
  await assertRejects(() => readJsonLines(mixed), DataError, `${mixed}:3, column "a": cells of a column are alike`);
  assertEquals(cells(await readJsonLines(mixed, { columns: ["b"] }), "b"), ["x", null]);
  for (
    const [text, why] of [
      ['[{"a": 1}]', "it is a JSON array"],
      ["[\n", "it is a JSON array over several lines"],
      ['{"a": NaN}', "write null"],
      ['{"a": [1]}', 'column "a": a cell is'],
      ["7", "a line is an object"],
      ["", "it has no rows"],
    ]
  ) await assertRejects(async () => await readJsonLines(await put("t.jsonl", text)), DataError, why);
  const big = await put("t.ndjson", '{"id": 1, "later": null}\n{"id": 9007199254740993, "later": 2.5}\n');
  const table = await readTable(big);
  assertEquals([cells(table, "id"), cells(table, "later")], [["1", "9007199254740993"], [null, 2.5]]);
  await assertRejects(() => readTable([{ a: 1 }, { a: "x" }]), DataError, 'the rows, row 2, column "a"');
  await assertRejects(() => readTable([]), DataError, "there are none");
  await assertRejects(() => readTable({ a: [1, 2], b: [1] }), DataError, 'they are of one length, "a" has 2');
  await assertRejects(() => readTable([{ a: new Date() as never }]), DataError, "a cell is a text, a number");
  const rows = Array.from({ length: 30 }, (_, i) => ({ x: i === 4 ? Infinity : i + 0.5, y: i % 2 }));
  const error = await assertRejects(() => DataLoaders.fromTable(rows, { target: "y" }), DataError);
  assert(
    error.message.includes('the rows, row 5, column "x"') && error.message.includes('naValues: ["inf"]'),
    error.message,
  );
});

Deno.test("a long Parquet file keeps timers going", async () => {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const n = 300_000, texts = Array.from({ length: n }, (_, i) => `word ${i % 5000}`);
  const data = Float64Array.from({ length: n }, (_, i) => Math.sin(i));
  const file = await put(
    "long.parquet",
    new Uint8Array(
      parquetWriteBuffer({
        columnData: [{ name: "x", data, type: "DOUBLE" }, { name: "w", data: texts, type: "STRING" }],
        rowGroupSize: n,
      }),
    ),
  );
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const table = await readParquet(file);
  clearInterval(timer);
  assertEquals(cells(table, "w").slice(-1), [texts[n - 1]]);
  const x = table.columns.get("x")!;
  assert(x.kind === "number" && x.values.length === n && x.values[n - 1] === data[n - 1]);
  assert(ticks >= 5, `${ticks} turns of a timer`);
});
