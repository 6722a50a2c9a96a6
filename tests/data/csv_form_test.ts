/**
 * How tables of text are written: what separates cells, encodings, headers, ends of lines, packed files.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { gzipSync } from "node:zlib";
import { join } from "@std/path";
import { CollabDataLoaders, ConfigError, DataError, DataLoaders } from "../../mod.ts";
import { type CsvOptions, readCsv } from "../../src/data/mod.ts";
import { tempDir } from "../support/temp.ts";

async function file(text: string | Uint8Array, name = "t.csv"): Promise<string> {
  const path = join(tempDir(), name);
  await Deno.writeFile(path, typeof text === "string" ? new TextEncoder().encode(text) : text);
  return path;
}

/** Columns by name, with the cells of all rows. */
async function cells(text: string | Uint8Array, options: CsvOptions = {}): Promise<Record<string, string[]>> {
  const { columns } = await readCsv(await file(text), options);
  return Object.fromEntries(
    [...columns].map(([name, { texts, codes }]) => [name, Array.from(codes, (code) => texts[code])]),
  );
}

const PLAIN = { a: ["1", "3"], b: ["x", "y"] };

Deno.test("what separates cells is found out where it is plain, or given", async () => {
  for (const d of [",", ";", "\t", "|"]) {
    assertEquals(await cells(`a${d}b\n1${d}x\n3${d}y\n`), PLAIN, JSON.stringify(d));
    assertEquals(await cells(`"a"${d}"b"\n"1"${d}"x"\n3${d}y`, { delimiter: d }), PLAIN, JSON.stringify(d));
  }
  assertEquals(await cells("a  b\n1   x\n 3 y \n"), PLAIN);
  assertEquals(await cells("sep=;\na;b\n1;x\n3;y\n"), PLAIN);
  // commas inside of cells are no delimiter where the header has none, or where they are quoted
  assertEquals(await cells("a;b\n0,5;x\n1,5;y\n"), { a: ["0,5", "1,5"], b: ["x", "y"] });
  assertEquals(await cells('a,b\n"1;2","x;y"\n"3;4;5",z\n'), { a: ["1;2", "3;4;5"], b: ["x;y", "z"] });
  // one column has no delimiter
  assertEquals(await cells("a\nx y z\nw\n"), { a: ["x y z", "w"] });
  await assertRejects(() => cells("a,b\n1,2\n", { delimiter: ";;" }), ConfigError, "delimiter is one character");
});

Deno.test("ends of lines of every kind, also mixed; quoted cells hold lines, quotes and delimiters", async () => {
  for (const end of ["\n", "\r\n", "\r"]) assertEquals(await cells(["a,b", "1,x", "3,y", ""].join(end)), PLAIN);
  assertEquals(await cells("a,b\r\n1,x\n3,y\r5,z\r\n"), { a: ["1", "3", "5"], b: ["x", "y", "z"] });
  const table = await readCsv(await file('a,b\n"line 1\nline 2","he said ""hi"", twice"\n 5" ,y\n'));
  assertEquals(table.columns.get("a")!.texts, ["line 1\nline 2", '5"']);
  assertEquals(table.columns.get("b")!.texts, ['he said "hi", twice', "y"]);
  assertEquals(table.columns.get("a")!.places, [3, 4]);
});

Deno.test("white space, lines without anything, and delimiters at the end of lines are no part of a table", async () => {
  assertEquals(await cells("\n a , b \n\n 1 ,x\n   \n3, y\n\n"), PLAIN);
  assertEquals(await cells("a,b,\n1,x,\n3,y,\n"), PLAIN);
  assertEquals(await cells("a,b\n1,x,,\n3,y\n"), PLAIN);
  assertEquals(await cells("a\tb\tc\n1\t\tx\n\t\ty\n"), { a: ["1", ""], b: ["", ""], c: ["x", "y"] });
});

Deno.test("a row whose cells are all empty is a row, as predictions for a file go by its rows; at the end it is left out", async () => {
  assertEquals(await cells("a,b\n1,x\n,\n , \n3,y\n"), { a: ["1", "", "", "3"], b: ["x", "", "", "y"] });
  assertEquals(await cells("a,b,c\n,,\n1,2,3\n,\n4,5,6\n"), {
    a: ["", "1", "", "4"],
    b: ["", "2", "", "5"],
    c: ["", "3", "", "6"],
  });
  assertEquals(await cells('a\nx\n""\n\ny\n'), { a: ["x", "", "y"] });
  const path = await file("a,b\n1,x\n3,y\n,\n\n,\n"), table = await readCsv(path);
  assertEquals(table.rows, 2);
  assertEquals(table.notes, ["the last 2 rows, from line 4 on, left out: all cells are empty"]);
  const dls = await DataLoaders.fromCsv(await file("x,y\n" + "1.5,a\n2.5,b\n".repeat(10)), { target: "y" });
  let rows = 0;
  for await (const [, x] of await dls.testCsv(await file("x,y\n1,\n,\n2,\n,\n"))) rows += x.shape[0];
  assertEquals(rows, 3);
  assertEquals(dls.takeNews().map((line) => line.replace(/^\S* /, "")), [
    "the last row, of line 5, left out: all cells are empty",
    "x: a number is missing, as none was in training; it counts as 2",
  ]);
});

Deno.test("characters of two units are read wherever they lie in a file", async () => {
  for (let shift = 1; shift <= 6; shift++) {
    const rows = Array.from({ length: 20_000 }, (_, i) => `${"😀".repeat(4)}${i % 10}`);
    const { t } = await cells(`t,${"y".repeat(shift)}\n${rows.map((row) => `${row},1`).join("\n")}`);
    assert(t.every((cell, i) => cell === rows[i]), `shifted by ${shift}`);
  }
});

Deno.test("headers: none, others, of nameless columns, behind a title, among remarks", async () => {
  assertEquals(await cells("1,x\n3,y\n", { header: false }), { "column 1": ["1", "3"], "column 2": ["x", "y"] });
  assertEquals(await cells("1,x\n3,y\n", { header: false, names: ["a", "b"] }), PLAIN);
  assertEquals(await cells("p,q\n1,x\n3,y\n", { names: ["a", "b"] }), PLAIN);
  assertEquals(await cells("# a remark\na,b\n1,x\n# another\n3,y\n", { comment: "#" }), PLAIN);
  assertEquals(await cells("A title, with a comma\n\na,b\n1,x\n3,y\n", { skipRows: 2 }), PLAIN);
  const pandas = await readCsv(await file(",a,b\n0,1,x\n1,3,y\n"));
  assertEquals([[...pandas.columns.keys()], [...pandas.unnamed]], [["column 1", "a", "b"], ["column 1"]]);
  // R's write.table: names of rows without a header
  const r = await readCsv(await file('"a" "b"\n"1" 1 "x"\n"2" 3 "y"\n'));
  assertEquals([[...r.columns.keys()], [...r.unnamed], r.notes.length], [["column 1", "a", "b"], ["column 1"], 1]);
  await assertRejects(() => cells("a,b,a\n1,2,3\n"), DataError, ':1: two columns are named "a"; give names');
  await assertRejects(() => cells("a,b\n1,2\n", { names: ["x"] }), ConfigError, "it has 2 on line 1, names has 1");
  for (const empty of ["", "a,b\n", "a,b", "\n\n"]) await assertRejects(() => cells(empty), DataError, "no rows");
});

Deno.test("rows of another length are told with their line, or left out with a note", async () => {
  const text = "a,b\n1,x\n2,too,many\nfew\n3,y\n";
  await assertRejects(() => cells(text), DataError, "line 3: it has 3 cells, the header 2");
  const table = await readCsv(await file(text), { badRows: "skip" });
  assertEquals(table.rows, 2);
  assertEquals(table.notes, ["2 rows, the first of line 3, left out: too many or too few cells"]);
  await assertRejects(
    () => cells('a,b\n1,x\n"2"x,y\n'),
    DataError,
    ":3: a quote that begins a cell ends in the middle",
  );
});

Deno.test("encodings: marks are known, others are told with their line and read when given", async () => {
  const latin = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
  const names = "a,b\n1,x\n2,Jos\xe9\n3,Jos\xe8\n";
  await assertRejects(() => cells(latin(names)), DataError, ":3: its bytes are no UTF-8; give its encoding");
  for (const encoding of ["latin1", "latin-1", "windows-1252", "ISO-8859-1", "cp1252"]) {
    assertEquals((await cells(latin(names), { encoding })).b, ["x", "José", "Josè"], encoding);
  }
  // far behind the first piece, in the middle of a character
  const long = "a,b\n" + "1,x\n".repeat(60_000);
  await assertRejects(() => cells(latin(long + "2,\xc3")), DataError, ":60002: its bytes");
  const wide = (text: string, little: boolean) => {
    const out = new DataView(new ArrayBuffer(2 * text.length));
    [...text].forEach((c, i) => out.setUint16(2 * i, c.charCodeAt(0), little));
    return new Uint8Array(out.buffer);
  };
  for (const little of [true, false]) {
    assertEquals(await cells(wide("\ufeffa\tb\n1\tx\n3\ty\n", little)), PLAIN);
  }
  assertEquals(await cells(wide("a,b\n1,x\n3,y\n", true), { encoding: "utf-16le" }), PLAIN);
  await assertRejects(() => cells(wide("a,b\n1,x\n", true)), DataError, "zero bytes");
  assertEquals(await cells("\ufeffa,b\n1,x\n3,y\n"), PLAIN);
  await assertRejects(() => cells("a\n1\n", { encoding: "utf8x" }), ConfigError, "did you mean utf-8?");
});

Deno.test("what gzip packed is known by its content, in several parts too; other packings are named", async () => {
  const packed = [gzipSync("a,b\n1,x\n"), gzipSync("3,y\n")];
  assertEquals(await cells(new Uint8Array([...packed[0], ...packed[1]])), PLAIN);
  await assertRejects(() => cells(new Uint8Array(packed[0].subarray(0, 20))), DataError, "unexpected end of file");
  await assertRejects(() => cells("PK\x03\x04abc"), DataError, "a zip archive, as Excel's .xlsx is");
  await assertRejects(() => cells("PAR1abc"), DataError, "a Parquet file");
  await assertRejects(() => readCsv("/none/t.csv"), DataError, "there is no such file");
});

Deno.test("a long table keeps timers going", async () => {
  const path = await file("a,b\n" + Array.from({ length: 200_000 }, (_, i) => `${i / 7},w${i % 9}\n`).join(""));
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const { rows } = await readCsv(path);
  clearInterval(timer);
  assertEquals(rows, 200_000);
  assert(turns > 3, `${turns} turns`);
});

Deno.test("a first line of numbers alone is told, as it may be a row; ratings without one are left out where that is wanted", async () => {
  const path = await file("196\t242\t3\n" + "1\t2\t4\n5\t6\t\n7\t2\t1\n".repeat(4));
  const told =
    "line 1 (196, 242, 3) names the columns though all are numbers; header: false, of readTable too, takes it for a row";
  assertEquals((await readCsv(path)).notes, [told]);
  assertEquals((await readCsv(path, { header: false })).rows, 13);
  for (const own of [{ header: true }, { names: ["a", "b", "c"] }]) assertEquals((await readCsv(path, own)).notes, []);
  assertEquals((await readCsv(await file("2019,total\n1,2\n"))).notes, []);
  await assertRejects(
    () => CollabDataLoaders.fromTable(path),
    DataError,
    "dropMissingTarget: true leaves such rows out",
  );
  const { notes } = await CollabDataLoaders.fromTable(path, { dropMissingTarget: true });
  assertEquals(notes, [`${path}: ${told}`, `${path}: 4 of 12 rows are left out: they have no 3`]);
});
