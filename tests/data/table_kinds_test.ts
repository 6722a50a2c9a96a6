/**
 * What columns of a table hold: found out where it is plain, asked where it is not, never quietly something else.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { ConfigError, DataError, DataLoaders, type FromCsvOptions, type TabularDataLoaders } from "../../mod.ts";
import { encodeRow } from "../../src/data/mod.ts";
import { onDevices } from "../support/devices.ts";
import { tempDir } from "../support/temp.ts";

const here = { kinds: ["cpu"] } as const;

async function file(text: string): Promise<string> {
  const path = join(tempDir(), "t.csv");
  await Deno.writeTextFile(path, text);
  return path;
}

/** A table with a column `c` of these cells, repeated to 60 rows, beside numbers `x` and a target `y` of two classes. */
async function column(
  cells: readonly string[],
  options: Partial<FromCsvOptions> = {},
  d = ";",
): Promise<TabularDataLoaders> {
  const rows = Array.from({ length: 60 }, (_, i) => [cells[i % cells.length], `${i}`, "ab"[i % 2]].join(d));
  return await DataLoaders.fromCsv(await file(["c", "x", "y"].join(d) + "\n" + rows.join("\n")), {
    target: "y",
    ...options,
  });
}

const many = (n: number, cell: (i: number) => string) => Array.from({ length: n }, (_, i) => cell(i));
const kindsOf = ({ schema }: TabularDataLoaders) => [
  schema.numeric.map((c) => c.name).join(),
  schema.categorical.map((c) => `${c.name} ${c.words.join("|")}`).join("; "),
];

onDevices("a few cells that are no numbers are told, for inputs and targets, with options that settle it", async () => {
  const numbers = (i: number) => `${i % 13}.25`;
  for (const odd of ["-", "inf", "three", "1,234.5", "12%", "$5.00", "?"]) {
    const cells = many(60, (i) => i === 40 ? odd : numbers(i));
    const error = await assertRejects(() => column(cells), DataError);
    assert(
      error.message.includes("59 of 60 cells of c are numbers, line 42 has " + JSON.stringify(odd)),
      error.message,
    );
    assert(/naValues|thousands|strip/.test(error.message), error.message);
    const target = await file("c;x\n" + cells.map((c, i) => `${c};${i}.5`).join("\n"));
    const asTarget = await assertRejects(() => DataLoaders.fromCsv(target, { target: "c" }), DataError);
    assert(asTarget.message.includes(`line 42 has ${JSON.stringify(odd)}`), asTarget.message);
    assertEquals((await DataLoaders.fromCsv(target, { target: "c", task: "classify" })).schema.target.kind, "classify");
    assertEquals(kindsOf(await column(cells, { naValues: [odd] }))[0], "c,x");
    assertEquals(kindsOf(await column(cells, { kinds: { c: "ignore" } }))[0], "x");
    assertEquals(kindsOf(await column(cells, { kinds: { c: "categorical" } }))[0], "x");
  }
  // a third of the cells say nothing, in a word that pandas does not know
  await assertRejects(() => column(many(60, (i) => i % 3 === 0 ? "?" : numbers(i))), DataError, "40 of 60 cells of c");
  // words among which some are numbers are words
  assertEquals(kindsOf(await column(["1", "2", "3+"])), ["x", "c 1|2|3+"]);
  assertEquals(kindsOf(await column(["A5", "7", "B", "9"])), ["x", "c 7|9|A5|B"]);
}, here);

onDevices("numbers in other countries' forms: told, read by options, decimal commas found out", async () => {
  const with_ = (cell: (i: number) => string) => many(30, cell);
  const means = async (cells: string[], options: Partial<FromCsvOptions>) => {
    const dls = await column(cells, { validPct: 0, ...options });
    return [dls.schema.numeric[0].name, Math.round(dls.schema.numeric[0].mean * 100) / 100];
  };
  const half = with_((i) => `${i},5`), thousand = with_((i) => `${i + 1},000`);
  assertEquals(await means(half, {}), ["c", 15]);
  assert((await column(half)).notes[0].includes("decimal commas"));
  await assertRejects(() => column(half, { decimal: "." }), DataError, 'decimal: ","');
  await assertRejects(() => column(thousand), DataError, 'thousands: ","');
  assertEquals(await means(thousand, { thousands: "," }), ["c", 15500]);
  assertEquals(await means(with_((i) => `1.${100 + i},5`), { decimal: ",", thousands: "." }), ["c", 1115]);
  await assertRejects(() => column(with_((i) => `1.${100 + i},5`)), DataError, 'decimal: ",", thousands: "."');
  await assertRejects(() => column(with_((i) => `$${i}.5`)), DataError, 'strip: ["$"]');
  assertEquals(await means(with_((i) => `$${i}.5`), { strip: ["$"] }), ["c", 15]);
  assertEquals(await means(with_((i) => `${i}.5 %`), { strip: ["%"] }), ["c", 15]);
  assertEquals(await means(with_((i) => `1'${100 + i}.5`), { thousands: "'" }), ["c", 1115]);
  // in a file of decimal commas a point stands between thousands, or is a mistake
  const both = (b: (i: number) => string) =>
    file("a;b;y\n" + many(60, (i) => `${i},5;${b(i)};${"pq"[i % 2]}`).join("\n"))
      .then((path) => DataLoaders.fromCsv(path, { target: "y", decimal: "," }));
  await assertRejects(() => both((i) => `1.${100 + i}`), DataError, 'thousands: "." reads');
  await assertRejects(() => both((i) => `1${i}.25`), DataError, 'decimal: "." reads decimal points, in all columns');
  const read = await column(with_((i) => `1.${100 + i}`));
  assert(read.notes[0].includes('of c are read with decimal points; decimal: ",", thousands: "."'), read.notes.join());
  // a number in brackets, as accountants write negative ones, is no positive one
  assertEquals(kindsOf(await column(with_((i) => `(${i % 8}.5)`)))[0], "x");
  // hexadecimal numbers and such are words
  assertEquals(kindsOf(await column(["0x10", "0x11", "0b1"]))[1], "c 0b1|0x10|0x11");
  await assertRejects(() => column(half, { thousands: ".", decimal: "." }), ConfigError, "one other character");
}, here);

onDevices("columns that cannot help are left out with a word, or taken in when named", async () => {
  const dates = many(60, (i) => `2024-${1 + i % 12}-${1 + i % 28}`);
  const told = await column(dates);
  assertEquals(kindsOf(told), ["x", ""]);
  assert(
    told.notes[0].includes("column c is left out") && told.notes[0].includes("its words are dates"),
    told.notes.join(),
  );
  const twice = await column(many(120, (i) => `${1 + i % 28}.${1 + i % 12}.2024`), { kinds: {} });
  assertEquals(kindsOf(twice), ["x", ""]);
  const repeated = await DataLoaders.fromCsv(
    await file("d,x,y\n" + many(300, (i) => `2024-${1 + i % 12}-${1 + i % 9},${i},${"ab"[i % 2]}`).join("\n")),
    { target: "y" },
  );
  assert(repeated.notes[0].includes("column d is left out: its words are dates"), repeated.notes.join());
  const names = await column(many(60, (i) => `name ${i}`));
  assert(names.notes[0].includes("column c is left out: every row has another word"), names.notes.join());
  assertEquals((await column(dates, { kinds: { c: "categorical" } })).schema.categorical.length, 1);
  assertEquals((await column(dates, { categorical: ["c"], numeric: ["x"] })).notes, []);
  assert((await column([""])).notes[0].includes("it is empty"));
  const ids = await DataLoaders.fromCsv(
    await file("PassengerId,n,y\n" + many(60, (i) => `${i + 1},${i * i},${"ab"[i % 2]}`).join("\n")),
    { target: "y" },
  );
  assertEquals(kindsOf(ids), ["n", ""]);
  const index = await DataLoaders.fromCsv(
    await file(",n,y\n" + many(60, (i) => `${i},${i * i},${"ab"[i % 2]}`).join("\n")),
    {
      target: "y",
    },
  );
  assertEquals([kindsOf(index), index.schema.unused], [["n", ""], ["column 1"]]);
  await assertRejects(
    () => column(dates, { kinds: { c: "categorical" }, numeric: ["x"] }),
    ConfigError,
    "Cannot choose columns by kinds beside",
  );
  await assertRejects(
    () => column(dates, { kinds: { c: "words" as "ignore" } }),
    ConfigError,
    "it is numeric, categorical, ignore",
  );
  await assertRejects(() => column(dates, { kinds: { cc: "ignore" } }), ConfigError, "did you mean c?");
  const options: Record<string, unknown> = { dropMissing: true };
  await assertRejects(() => column(dates, options), ConfigError, "did you mean dropMissingTarget?");
}, here);

onDevices("postal codes are words, identities beyond 2^53 no numbers, few whole numbers categories", async () => {
  assertEquals(kindsOf(await column(["01067", "20095", "80331"])), ["x", "c 01067|20095|80331"]);
  assertEquals(kindsOf(await column(many(60, (i) => `1234567890123456${10 + i}`))), ["x", ""]);
  assertEquals(kindsOf(await column(["3", "1", "10"])), ["x", "c 1|3|10"]);
  assertEquals(kindsOf(await column(many(60, (i) => String(i % 30)))), ["c,x", ""]);
  assertEquals(kindsOf(await column(["True", "False"])), ["x", "c False|True"]);
}, here);

onDevices("missing words are pandas', with their case, and options change them", async () => {
  for (const word of ["NA", "None", "null", "nan", "#N/A", "<NA>"]) {
    await assertRejects(
      async () =>
        await DataLoaders.fromCsv(await file(`x,y\n${many(30, (i) => `${i}.5,${["b", word][i % 2]}`).join("\n")}`), {
          target: "y",
        }),
      DataError,
      `the target is missing in 15 of 30 rows, got ${
        JSON.stringify(word)
      }; dropMissingTarget: true leaves such rows out; keepDefaultNa: false`,
    );
    const { notes } = await column([word, "b"]);
    assert(
      notes[0].endsWith(`"${word}" of c counts as missing; keepDefaultNa: false takes it for a word`),
      notes.join(),
    );
    assertEquals((await column([word, "b", ""], { naValues: [word] })).notes, []);
    assertEquals(kindsOf(await column([word, "b"]))[1], "c b");
    assertEquals(kindsOf(await column([word, "b"], { keepDefaultNa: false }))[1], `c ${[word, "b"].sort().join("|")}`);
  }
  for (const word of ["Na", "none", "NONE", "Null"]) {
    assertEquals(kindsOf(await column([word, "zz"]))[1], `c ${word}|zz`);
  }
  const gone = await column(["-999", "-999.0", ...many(40, (i) => `${i}.25`)], { naValues: ["-999"] });
  assertEquals([gone.schema.numeric[0].hasMissing, kindsOf(gone)[1]], [true, "c_na no|yes"]);
  assertEquals(kindsOf(await column(["none", "b"], { naValues: { c: ["none"], x: ["none"] } }))[1], "c b");
  await assertRejects(() => column(["a"], { naValues: [-999 as unknown as string] }), ConfigError, 'write "-999"');
}, here);

onDevices("1 and 1.0 are one word, given as text or number; unknown columns are refused", async () => {
  const dls = await column(["1.0", "1", "2.0", ""], { kinds: { c: "categorical" } });
  assertEquals(kindsOf(dls)[1], "c 1|2");
  for (const [c, number] of [[1, 1], ["1", 1], ["1.0", 1], ["2.00", 2], [2, 2], [3, 0], ["", 0], [null, 0]] as const) {
    assertEquals(await encodeRow(dls.schema, { c, x: 3 })[0].array(), [number], String(c));
  }
  assertEquals((await column(["a", "b"], { target: "y", kinds: { x: "ignore" } })).vocab, ["a", "b"]);
  const labels = await DataLoaders.fromCsv(
    await file("x,y\n" + many(40, (i) => `${i}.5,${["1", "1.0", "2"][i % 3]}`).join("\n")),
    {
      target: "y",
    },
  );
  assertEquals(labels.vocab, ["1", "2"]);
  const flags = await column(["True", "False"]);
  assertEquals(await encodeRow(flags.schema, { c: true })[0].array(), [2]);
  const misspelt = () => Promise.resolve().then(() => encodeRow(flags.schema, { C: true }));
  await assertRejects(misspelt, DataError, 'Cannot use column "C"');
  await assertRejects(misspelt, DataError, "did you mean c?");
  encodeRow(flags.schema, { c: true, y: "a" }); // the target's column may stand in a row
  await assertRejects(
    () => Promise.resolve().then(() => encodeRow(flags.schema, { x: new Date() as unknown as string })),
    DataError,
    "a cell is a text, a number, true or false",
  );
}, here);

onDevices("a mark of missing numbers gets a name that no column has", async () => {
  const rows = many(60, (i) => `${i % 5 === 0 ? "" : `${i}.5`},${"xzw"[i % 3]},${"ab"[i % 2]}`);
  const { schema, train } = await DataLoaders.fromCsv(await file(`age,age_na,y\n${rows.join("\n")}`), {
    target: "y",
    validPct: 0,
  });
  assertEquals(schema.categorical.map(({ name, marks }) => [name, marks]), [["age_na", undefined], [
    "age_na_2",
    "age",
  ]]);
  const [words] = (await train.inOrder().peek())!;
  const ages = rows.map((row) => row.split(","));
  const expected = ages.map(([age, w]) => [["w", "x", "z"].indexOf(w) + 1, age === "" ? 2 : 1]);
  assertEquals(await words.array(), expected);
  assertEquals(await encodeRow(schema, { age: "", age_na: "x" })[0].array(), [2, 2]);
}, here);

onDevices("options that cannot be followed are refused: other columns, two ways to split", async () => {
  await assertRejects(() => column(["1.5"], { naValues: { cc: ["-"] } }), ConfigError, "did you mean c?");
  const held = { validColumn: "x", validPct: 0.3 };
  await assertRejects(() => column(["1.5"], held), ConfigError, "leave validPct out");
  await assertRejects(() => column(["1.5"], { validColumn: "x", stratify: false }), ConfigError, "leave stratify out");
}, here);

onDevices("blanks between thousands are named with the option that reads them", async () => {
  for (const blank of [" ", "\u00a0", "."]) {
    const cells = many(60, (i) => `${i}${blank}1${10 + i},5`), thousands = `thousands: ${JSON.stringify(blank)}`;
    await assertRejects(() => column(cells), DataError, `decimal: ",", ${thousands} reads decimal commas`);
    await assertRejects(() => column(cells, { decimal: "," }), DataError, `${thousands} reads groups of thousands`);
    const { schema } = await column(cells, { decimal: ",", thousands: blank });
    assert(schema.numeric.some(({ name }) => name === "c"));
  }
}, here);

onDevices("columns may be called like members of objects", async () => {
  const names = ["constructor", "__proto__", "toString"];
  const rows = many(40, (i) => `${i / 7},${["constructor", "__proto__"][i % 2]},${["toString", "valueOf"][i % 2]}`);
  const dls = await DataLoaders.fromCsv(await file(names.join() + "\n" + rows.join("\n")), { target: "toString" });
  assertEquals(kindsOf(dls), ["constructor", "__proto__ __proto__|constructor"]);
}, here);

onDevices("a first line of data that names two columns alike is told to be no header", async () => {
  const rows = many(30, (i) => `${i % 3},${i % 3},${i / 7}`).join("\n");
  await assertRejects(
    async () => await DataLoaders.fromCsv(await file(rows), { target: "y" }),
    DataError,
    "header: false",
  );
}, here);

onDevices("a first line that is a remark, and a table too small to measure on, are told", async () => {
  const rows = many(30, (i) => `${i / 7},${"ab"[i % 2]}`).join("\n");
  const load = async (text: string) => await DataLoaders.fromCsv(await file(text), { target: "y" });
  await assertRejects(() => load("# made by hand\nx,y\n" + rows), ConfigError, 'is a remark, comment: "#"');
  await assertRejects(() => load("// made by hand\nx,y\n" + rows), ConfigError, "is a remark, skipRows: 1");
  const { notes } = await load("x,y\n1.5,a\n2.5,b\n3.25,a");
  assert(
    notes.some((note) => note.endsWith("no row is measured on: 0.2 of 3 rows is none; validPct takes more")),
    notes.join(),
  );
  const none = await DataLoaders.fromCsv(await file("x,y\n1.5,a\n2.5,b"), { target: "y", validPct: 0 });
  assertEquals(none.notes, []);
}, here);

onDevices("whole numbers beyond 2^53 are words: as numbers, two that differ would be one", async () => {
  const ids = many(20, (i) => `90071992547409931${String(i).padStart(2, "0")}`);
  const dls = await column(ids);
  assertEquals(kindsOf(dls), ["x", `c ${ids.join("|")}`]);
  assert(dls.notes.some((note) => note.includes("column c has whole numbers beyond 2^53")), dls.notes.join());
  assertEquals(kindsOf(await column(ids, { kinds: { c: "numeric" } })), ["c,x", ""]);
  assertEquals(kindsOf(await column(many(30, (i) => `${i}e30`))), ["c,x", ""]); // these measure
}, here);

onDevices("numbers beyond f32 are scaled, or refused with their place", async () => {
  const rows = many(60, (i) => `${i === 30 ? "1e300" : i + 0.5},${"ab"[i % 2]}`),
    path = await file(`x,y\n${rows.join("\n")}`);
  const dls = await DataLoaders.fromCsv(path, { target: "y", validPct: 0 }), [{ std }] = dls.schema.numeric;
  assert(Math.abs(std / (1e300 * Math.sqrt(59) / 60) - 1) < 1e-12, `${std}`);
  await assertRejects(
    () => DataLoaders.fromCsv(path, { target: "y", procs: ["Categorify"] }),
    DataError,
    `${path}:32, column "x": numbers of inputs are below 3.4e38, got 1e+300`,
  );
  await assertRejects(
    () =>
      DataLoaders.fromTable([{ x: 1, y: 1e39 }, { x: 2, y: 2.5 }], {
        target: "y",
        scaleTarget: false,
        task: "regress",
        validPct: 0,
      }),
    DataError,
    'row 1, column "y": targets are below 3.4e38',
  );
}, here);

onDevices("a number that is missing though none was in training is told", async () => {
  const dls = await column(many(60, (i) => `${i}.5`)),
    told = ["Column c: a number is missing, as none was in training; it counts as 30"];
  const { median } = dls.schema.numeric[0], line = told[0].replace(/30$/, String(Number(median.toPrecision(6))));
  dls.testDl([{ c: 1, x: 2 }]);
  assertEquals(dls.takeNews(), []);
  dls.testDl([{ c: null, x: 2 }, { x: 3 }]);
  assertEquals(dls.takeNews(), [line]);
  const missing = await column(many(60, (i) => i % 3 === 0 ? "" : `${i}.5`)); // marked by a column of its own
  missing.testDl([{ c: null, x: 2 }]);
  assertEquals(missing.takeNews(), []);
}, here);

onDevices("true and false of rows are the words of a file, however these are written", async () => {
  const dls = await column(["True", "False"]), [words] = dls.schema.categorical.map((c) => c.words);
  assertEquals(words, ["False", "True"]);
  for (const [c, number] of [[true, 2], ["True", 2], ["TRUE", 2], ["true", 2], [false, 1], ["false", 1]] as const) {
    assertEquals(await encodeRow(dls.schema, { c, x: 1 })[0].data(), Int32Array.of(number), String(c));
  }
}, here);
