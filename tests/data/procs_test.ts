/**
 * What is done to a table's columns, against fastai: procs by name, and parts of dates.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import golden from "../golden/tabular.json" with { type: "json" };
import {
  addDatepart,
  Categorify,
  ConfigError,
  DataError,
  DataLoaders,
  encodeRow,
  FillMissing,
  type FromTableOptions,
  Normalize,
  readTable,
  schemaFromJson,
  type TableProc,
  type TableRow,
} from "../../mod.ts";
import { onDevices } from "../support/devices.ts";

const here = { kinds: ["cpu"] } as const;
const { n, m, w, train, valid } = golden.rows;
const rows = n.map((_, i) => ({ n: n[i], m: m[i], w: w[i], y: i, held: valid.includes(i) ? 1 : 0 }));

function load(procs: readonly TableProc[] | undefined, more: Partial<FromTableOptions> = {}) {
  return DataLoaders.fromTable(rows, {
    target: "y",
    task: "regress",
    validColumn: "held",
    numeric: ["n"],
    categorical: ["w"],
    ...(procs === undefined ? {} : { procs }),
    ...more,
  });
}

const procs: Record<string, readonly TableProc[]> = {
  "all": [Categorify, FillMissing, Normalize],
  "no normalize": ["Categorify", "FillMissing"],
  "mode": [Normalize, new FillMissing({ fillStrategy: "mode" }), Categorify],
  "constant": [new FillMissing({ fillStrategy: "constant", addCol: false }), "Normalize"],
};

for (const recorded of golden.procs.filter(({ name }) => name in procs)) {
  onDevices(`procs make of columns what fastai's do: ${recorded.name}`, async () => {
    const cats = recorded.cats as Record<string, number[]>, hasWords = "w" in cats;
    const dls = await load(procs[recorded.name], { categorical: hasWords ? ["w"] : [] });
    assertEquals(dls.schema.categorical.map((c) => c.name), Object.keys(cats));
    for (const [part, at] of [[dls.train, train], [dls.valid, valid]] as const) {
      const [words, numbers] = (await part.inOrder({ bs: 8 }).peek())!;
      const want = Object.values(cats).map((column) => at.map((i) => column[i]));
      assertEquals(Array.from(await words.data()), at.flatMap((_, k) => want.map((column) => column[k])));
      const got = await numbers.data();
      at.forEach((i, k) => assert(Math.abs(got[k] - recorded.conts.n![i]!) < 1e-6, `${got[k]}`));
    }
    // kept as JSON, it is the same
    const again = schemaFromJson(JSON.parse(JSON.stringify(dls.schema)));
    assertEquals(again, dls.schema);
    const row: TableRow = hasWords ? { n: null, w: "a" } : { n: null };
    assertEquals(await encodeRow(again, row)[1].data(), await encodeRow(dls.schema, row)[1].data());
  }, here);
}

onDevices("without procs all three are done, and what can't work without one is refused", async () => {
  const all = golden.procs[0].conts.n!;
  const [, numbers] = (await (await load(undefined)).valid.peek())!;
  (await numbers.data()).forEach((v, k) => assert(Math.abs(v - all[valid[k]]!) < 1e-6));

  await assertRejects(() => load(["FillMissing", "Normalize"]), ConfigError, "the words of w without Categorify");
  const unmarked = () => load(["FillMissing"], { categorical: [] });
  await assertRejects(unmarked, ConfigError, "new FillMissing({ addCol: false })");
  await assertRejects(() => load([Categorify, Normalize]), DataError, "2 of 6 training rows have no number in it");
  // fastai hands NaN to the model: here rows to validate on, and rows to predict for, are refused
  const m = { numeric: ["m"], procs: ["Categorify", "Normalize"] as const };
  await assertRejects(() => load(undefined, m), DataError, 'row 8, column "m": a number is needed');
  const some = rows.filter((r) => r.m !== null);
  const dls = await DataLoaders.fromTable(some, { target: "y", task: "regress", categorical: [], ...m });
  assertEquals(dls.schema.numeric[0].filled, false);
  const kept = schemaFromJson(JSON.parse(JSON.stringify(dls.schema)));
  assertThrows(() => encodeRow(kept, { m: null }), DataError, "training did without FillMissing");
  assertThrows(() => encodeRow(kept, {}), DataError, 'column "m"');
  await assertRejects(() => dls.testTable([{ m: 1 }, { m: NaN }]), DataError, "row 2");

  await assertRejects(() => load(["Normalise" as never]), ConfigError, "Categorify, FillMissing and Normalize");
  await assertRejects(() => load([Normalize.fromStats([0], [1]) as never]), ConfigError, "procs");
  await assertRejects(() => load(["Categorify", Categorify]), ConfigError, "Categorify twice");
  assertThrows(() => new FillMissing({ fillStrategy: "mode", fillVals: 1 }), ConfigError, "fillVals are for");
  const filled = await load([Categorify, new FillMissing({ fillVals: { n: 7 } })]);
  assertEquals(filled.schema.numeric[0].median, 7);
}, here);

Deno.test("addDatepart gives fastai's columns", async () => {
  for (const { field, texts, columns } of golden.dates) {
    const own = columns as unknown as Record<string, (number | boolean | null)[]>;
    const options = { ...(field === "day" ? { prefix: "at_" } : {}), time: field === "date" };
    const given = texts.map((text, x) => ({ [field]: text, x }));
    const found = addDatepart(given, field, options);
    assertEquals(Object.keys(found[0]), ["x", ...Object.keys(own)]);
    found.forEach((row, r) =>
      assertEquals(row, { x: r, ...Object.fromEntries(names(own).map((c) => [c, own[c][r]])) })
    );
    assertEquals(given[0][field], texts[0]); // what was given is as it was

    const table = addDatepart(await readTable(given), field, options);
    assertEquals(table.names, ["x", ...names(own)]);
    for (const name of names(own)) {
      const column = table.columns.get(name)!;
      if (column.kind === "number") {
        assertEquals(Array.from(column.values, (v) => Number.isNaN(v) ? null : v), own[name]);
      } else assertEquals(Array.from(column.codes, (c) => column.texts[c] === "true"), own[name]);
    }
  }
});
const names = Object.keys;

onDevices("parts of dates are learned from, and a row to predict for has them by the same call", async () => {
  const days = Array.from({ length: 80 }, (_, i) => ({
    date: i % 9 === 0 ? null : new Date(Date.UTC(2024, 0, 1 + 3 * i)).toISOString().slice(0, 10),
    y: i % 7,
  }));
  const table = addDatepart(await readTable(days), "date");
  const dls = await DataLoaders.fromTable(table, { target: "y", task: "regress" });
  const all = [...dls.schema.numeric, ...dls.schema.categorical].map((c) => c.name);
  assert(["Month", "Dayofweek", "Elapsed", "Elapsed_na", "Is_month_end"].every((name) => all.includes(name)), `${all}`);
  const inputs = all.filter((name) => !name.endsWith("_na"));
  const [row] = addDatepart([{ date: "2024-02-29" }], "date");
  const used = Object.fromEntries(Object.entries(row).filter(([name]) => inputs.includes(name)));
  const unseen: string[] = [];
  const [words] = encodeRow(dls.schema, used, (column) => unseen.push(column));
  assertEquals(unseen, []);
  const end = dls.schema.categorical.findIndex((c) => c.name === "Is_month_end");
  assertEquals(dls.schema.categorical[end].words[(await words.data())[end] - 1], "true");
}, here);

Deno.test("addDatepart reads dates as they are written, and asks where they may be of two days", () => {
  const parts = (date: string, options = {}) => {
    const [{ Year, Month, Day, Elapsed }] = addDatepart([{ date }], "date", options);
    return [Year, Month, Day, Elapsed];
  };
  const at = (text: string) => Date.parse(text) / 1000;
  for (
    const text of [
      "2024-03-04",
      "2024/3/4",
      "20240304",
      "4.3.2024",
      "04.03.2024",
      "4 March 2024",
      "Mar 4, 2024",
      "4-mar-2024",
    ]
  ) assertEquals(parts(text), [2024, 3, 4, at("2024-03-04Z")], text);
  assertEquals(parts("2024-03-04T23:30:00+02:00"), [2024, 3, 4, at("2024-03-04T21:30:00Z")]);
  assertEquals(parts("2024-03-04 00:30Z"), [2024, 3, 4, at("2024-03-04T00:30:00Z")]);
  assertEquals(parts("3/4/2024", { dayFirst: true }), [2024, 4, 3, at("2024-04-03Z")]);
  assertEquals(parts("3/4/2024", { dayFirst: false }), [2024, 3, 4, at("2024-03-04Z")]);
  // another date of the column tells
  assertEquals(addDatepart([{ d: "3/4/2024" }, { d: "25/4/2024" }], "d")[0].dMonth, 4);
  assertThrows(() => parts("3/4/2024"), DataError, "3/4/2024 may be of two days; { dayFirst: false }");
  const mixed = () => addDatepart([{ d: "25/4/2024" }, { d: "4/25/2024" }], "d");
  assertThrows(mixed, DataError, 'row 2, column "d": dates are written in one order');
  assertThrows(() => parts("25/4/2024", { dayFirst: false }), DataError, "a date is needed");
  for (const text of ["2023-02-29", "2024-13-01", "2024-00-10", "yesterday", "2024-01-01T25:00", "4 Mayor 2024"]) {
    assertThrows(() => parts(text), DataError, `got ${JSON.stringify(text)}`);
  }
  assertThrows(() => addDatepart([{ date: 20240304 }], "date"), DataError, "a date is a text");
  assertThrows(() => addDatepart([{ day: "2024-03-04" }], "date"), ConfigError, "the first has day");
  assertThrows(() => addDatepart([{ date: "2024-03-04", Year: 1 }], "date"), ConfigError, '"Year" already');
  assertThrows(() => addDatepart({} as never, "date"), ConfigError, "it takes a table");
});

onDevices("fillVals name columns of numbers", async () => {
  const fill = (fillVals: Record<string, number>) => load([Categorify, new FillMissing({ fillVals }), Normalize]);
  assertEquals((await fill({ n: 5 })).schema.numeric[0].median, 5);
  await assertRejects(
    () => fill({ N: 5 }),
    ConfigError,
    'Cannot fill column "N" by fillVals: the columns of numbers are n',
  );
}, here);
