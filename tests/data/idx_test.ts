import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { DataError } from "../../src/base/errors.ts";
import { loadIdx, readIdx } from "../../src/data/idx.ts";

/** An IDX file of u8 `[2, 3]`, with some bytes changed. */
function file(changes: Record<number, number> = {}): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 10, 11, 12, 13, 14, 15);
  for (const [at, byte] of Object.entries(changes)) bytes[Number(at)] = byte;
  return bytes;
}

Deno.test("readIdx() gives the sizes and the elements", () => {
  const { shape, data } = readIdx(file(), "x");
  assertEquals(shape, [2, 3]);
  assertEquals([...data], [10, 11, 12, 13, 14, 15]);
});

Deno.test("readIdx() reads a view inside a larger buffer, and empty arrays", () => {
  const buffer = new Uint8Array(30);
  buffer.set(file(), 7);
  assertEquals(readIdx(buffer.subarray(7, 25), "x").shape, [2, 3]);
  assertEquals(readIdx(file({ 7: 0 }).subarray(0, 12), "x").shape, [0, 3]);
});

for (
  const [title, bytes, message] of [
    ["an empty file", new Uint8Array(0), "Cannot read digits.idx: an IDX file has at least 4 bytes, got 0"],
    ["a wrong magic number", file({ 0: 7 }), "starts with the bytes 00 00, got 07 00 08 02"],
    ["another element type", file({ 2: 0x0d }), "must be unsigned bytes (type 8), got type 13"],
    ["no axis", file({ 3: 0 }), "at least one axis"],
    ["a torn header", file().subarray(0, 9), "the header of 2 axes has 12 bytes, got 9"],
    ["a truncated body", file().subarray(0, 17), "an array of [2, 3] has 6 bytes, got 5"],
    ["a count too large", file({ 7: 3 }), "an array of [3, 3] has 9 bytes, got 6"],
    ["a count too small", file({ 7: 1 }), "an array of [1, 3] has 3 bytes, got 6"],
    ["absurd sizes", file({ 4: 255, 8: 255 }), "bytes, got 6"],
  ] as const
) {
  Deno.test(`${title} is a DataError that names the file`, () => {
    const error = assertThrows(() => readIdx(bytes, "digits.idx"), DataError, message);
    assertEquals(error.message.startsWith("Cannot read digits.idx: "), true);
  });
}

Deno.test("loadIdx() reads plain and gzipped files; torn and missing ones are DataErrors", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const plain = join(folder, "plain"), zipped = join(folder, "zipped.gz"), torn = join(folder, "torn.gz");
    const stream = new Blob([file()]).stream().pipeThrough(new CompressionStream("gzip"));
    const gz = new Uint8Array(await new Response(stream).arrayBuffer());
    await Deno.writeFile(plain, file());
    await Deno.writeFile(zipped, gz);
    await Deno.writeFile(torn, gz.subarray(0, gz.length - 9));
    for (const path of [plain, zipped]) assertEquals([...(await loadIdx(path)).data], [10, 11, 12, 13, 14, 15]);
    await assertRejects(() => loadIdx(torn), DataError, "torn or damaged");
    await assertRejects(() => loadIdx(join(folder, "none")), DataError, "there is no such file");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
