/**
 * Arrays in numpy's files.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { ConfigError, DataError, readNpy, readNpz } from "../../mod.ts";
import golden from "../golden/tables.json" with { type: "json" };
import { tempDir } from "../support/temp.ts";

const bytesOf = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

async function put(bytes: Uint8Array): Promise<string> {
  const path = join(tempDir(), "a.npy");
  await Deno.writeFile(path, bytes);
  return path;
}

Deno.test("arrays of every type and order are read as numpy has them", async () => {
  const npy: Readonly<Record<string, string>> = golden.npy;
  const read = async (name: string) => {
    const { data, shape, dtype } = await readNpy(await put(bytesOf(npy[name])));
    return [dtype, shape, [...data]];
  };
  const fround = (values: number[]) => [...Float32Array.from(values)];
  assertEquals(await read("f8"), ["f32", [2, 3], fround([1.5, -2, Infinity, 0.1, NaN, 3])]);
  assertEquals(await read("f4 fortran"), ["f32", [2, 3], [0, 1, 2, 3, 4, 5]]);
  assertEquals(await read("f4 big"), ["f32", [4], [0, 1, 2, 3]]);
  assertEquals(await read("f2"), ["f32", [3], [1, 0.5, 65504]]);
  assertEquals(await read("i8"), ["i32", [3], [1, -2, 2147483647]]);
  assertEquals(await read("i4"), ["i32", [2, 3, 4], Array.from({ length: 24 }, (_, i) => i)]);
  assertEquals(await read("u1"), ["u8", [5], [0, 1, 2, 3, 4]]);
  assertEquals(await read("bool"), ["bool", [2], [1, 0]]);
  assertEquals(await read("one"), ["f32", [], [7]]);
  assertEquals(await read("none"), ["f32", [0, 3], []]);
  for (
    const [name, why] of [
      ["too large", "element 0 is 1099511627776, beyond i32"],
      ["complex", "it holds complex numbers"],
      ["object", "it holds Python objects, which only Python can read"],
      ["struct", "it holds structures"],
      ["text", "it holds texts"],
    ]
  ) await assertRejects(() => read(name), DataError, why);
});

Deno.test("archives are read by name; torn and other files are told", async () => {
  for (const content of Object.values(golden.npz)) {
    const file = await put(bytesOf(content)), all = await readNpz(file);
    assertEquals(Object.keys(all), ["x", "y"]);
    assertEquals([all.x.shape, [...all.x.data], [...all.y.data]], [[2, 3], [0, 1, 2, 3, 4, 5], [0, 1]]);
    assertEquals(Object.keys(await readNpz(file, { names: ["y"] })), ["y"]);
    await assertRejects(() => readNpz(file, { names: ["z"] }), ConfigError, "its arrays are x, y");
    await assertRejects(() => readNpy(file), DataError, "readNpz reads it");
    const bytes = bytesOf(content);
    await assertRejects(async () => await readNpz(await put(bytes.slice(0, -30))), DataError, "it is damaged");
    const bent = bytes.slice();
    bent[bytes.indexOf(0x93) > 0 ? 180 : 60] ^= 255; // a number, or what was packed
    await assertRejects(async () => await readNpz(await put(bent)), DataError);
  }
  const one = bytesOf(golden.npy.i4);
  await assertRejects(async () => await readNpz(await put(one)), DataError, "readNpy reads it");
  await assertRejects(
    async () => await readNpy(await put(one.slice(0, -1))),
    DataError,
    "[2, 3, 4] <i4 has 96 bytes, got 95",
  );
  await assertRejects(async () => await readNpy(await put(one.slice(0, 9))), DataError, "in the middle of the header");
  await assertRejects(async () => await readNpy(await put(new Uint8Array(0))), DataError, "such files begin with");
});
