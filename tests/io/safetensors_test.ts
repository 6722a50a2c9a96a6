/**
 * Safetensors: what PyTorch wrote is read, what is written comes back, and what is damaged is refused.
 */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { DataError, DtypeError } from "../../src/base/errors.ts";
import { bfloatToFloat, halfToFloat } from "../../src/base/half.ts";
import {
  encodeSafetensors,
  openSafetensors,
  type OutTensor,
  parseSafetensors,
  writeSafetensors,
} from "../../src/io/safetensors.ts";

const GOLDEN = new URL("../golden/", import.meta.url);
const number = (v: unknown) =>
  v === "NaN" ? NaN : v === "Infinity" ? Infinity : v === "-Infinity" ? -Infinity : Number(v);

/** One file from a header and data, however wrong they are. */
function file(header: unknown, data = new Uint8Array(0), length?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

Deno.test("a file that PyTorch wrote", async () => {
  const opened = await openSafetensors(fromFileUrl(new URL("torch_written.safetensors", GOLDEN)));
  const expected = JSON.parse(await Deno.readTextFile(new URL("safetensors_expected.json", GOLDEN)));
  assertEquals([...opened.names].sort(), Object.keys(expected.tensors).sort());
  assertEquals(Object.fromEntries(opened.metadata), expected.metadata);
  for (
    const [name, { dtype, shape, values }] of Object.entries<{ dtype: string; shape: number[]; values: unknown[] }>(
      expected.tensors,
    )
  ) {
    assertEquals(opened.info(name), { dtype, shape }, name);
    if (name === "i64") {
      await assertRejects(() => opened.tensor(name), DataError, "1099511627776 does not fit i32");
      continue;
    }
    const { data } = await opened.tensor(name);
    const want = values.map(number).map((v) => data instanceof Float32Array ? Math.fround(v) : v);
    assertEquals(Array.from(data), want, name);
  }
});

Deno.test("what is written comes back, bit for bit", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const tensors = new Map<string, OutTensor>([
      ["a.weight", { dtype: "f32", shape: [2, 3], data: new Float32Array([1, -0, NaN, Infinity, 1e-45, -2.5]) }],
      ["flags", { dtype: "bool", shape: [3], data: new Uint32Array([1, 0, 1]) }],
      ["bytes", { dtype: "u8", shape: [5], data: new Uint8Array([0, 1, 2, 254, 255]) }],
      ["steps", { dtype: "i32", shape: [], data: new Int32Array([-7]), as: "I64" }],
      ["empty", { dtype: "f32", shape: [0, 4], data: new Float32Array(0) }],
      ["__proto__", { dtype: "i32", shape: [1], data: new Int32Array([9]) }],
      ["half", {
        dtype: "f32",
        shape: [6],
        data: new Float32Array([1, 65519, Infinity, 2 ** -24, 2 ** -25, 1 + 2 ** -11]),
        as: "F16",
      }],
      ["brain", { dtype: "f32", shape: [3], data: new Float32Array([1, 3.38e38, 1 + 2 ** -8]), as: "BF16" }],
    ]);
    const path = join(dir, "deep", "x.safetensors");
    await writeSafetensors(path, tensors, { format: "anneal" });
    const back = await openSafetensors(path);
    for (const name of ["a.weight", "flags", "bytes", "empty", "__proto__"]) {
      const { dtype, shape, data } = await back.tensor(name);
      assertEquals({ dtype, shape, data: Array.from(data) }, {
        dtype: tensors.get(name)!.dtype,
        shape: tensors.get(name)!.shape,
        data: Array.from(tensors.get(name)!.data),
      });
    }
    assertEquals(Array.from((await back.tensor("steps")).data), [-7]);
    assertEquals(Array.from((await back.tensor("half")).data), [1, 65504, Infinity, 2 ** -24, 0, 1]);
    assertEquals(Array.from((await back.tensor("brain")).data), [1, 254 * 2 ** 120, 1]);
    assertEquals([...Deno.readDirSync(join(dir, "deep"))].length, 1, "no temporary file is left");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("misuse when writing", () => {
  assertThrows(
    () => encodeSafetensors(new Map([["x", { dtype: "f32", shape: [3], data: new Float32Array(2) }]])),
    DataError,
    "needs 3 numbers, got 2",
  );
  assertThrows(
    () => encodeSafetensors(new Map([["x", { dtype: "i32", shape: [1], data: new Int32Array(1), as: "F16" }]])),
    DtypeError,
    "choose F16 or BF16 for f32",
  );
});

Deno.test("every number of f16 and bf16 is read and written, and what lies between goes to the nearest, to even from the middle", async () => {
  const all = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i);
  for (
    const [as, infinity, nan, read] of [["F16", 0x7c00, 0x7e00, halfToFloat], [
      "BF16",
      0x7f80,
      0x7fc0,
      bfloatToFloat,
    ]] as const
  ) {
    const data = read(all),
      written = async (data: Float32Array): Promise<Uint16Array> => {
        const parts = encodeSafetensors(new Map([["x", { dtype: "f32", shape: [data.length], data, as }]]));
        const file = await parseSafetensors(Uint8Array.from(parts.flatMap((part) => [...part])));
        assertEquals((await file.tensor("x")).data, read(bitsOf(parts)));
        return bitsOf(parts);
      };
    const bitsOf = (parts: readonly Uint8Array[]) => new Uint16Array(parts.at(-1)!.slice().buffer);
    const bits = await written(data);
    const isNan = (b: number) => (b & 0x7fff) > infinity;
    assertEquals(bits.findIndex((b, i) => isNan(i) ? (b & 0x7fff) !== nan : b !== i), -1);
    // f32 has the middle of any two
    const middles = data.subarray(0, infinity - 1).map((v, i) => (v + data[i + 1]) / 2);
    assertEquals((await written(middles)).findIndex((b, i) => b !== i + i % 2), -1);
    assertEquals((await written(middles.map((v) => -v))).findIndex((b, i) => b !== (0x8000 | i + i % 2)), -1);
    const large = data[infinity - 1], step = large - data[infinity - 2];
    assertEquals((await written(Float32Array.of(large + step * 0.49)))[0], infinity - 1);
    for (const beyond of [large + step / 2, -large - step / 2]) {
      assertThrows(
        () => encodeSafetensors(new Map([["w", { dtype: "f32", shape: [2], data: Float32Array.of(1, beyond), as }]])),
        DataError,
        `Cannot write tensor "w" as ${as}: its numbers must be below ${large + step / 2}, got ${beyond}`,
      );
    }
  }
});

Deno.test("damaged files are refused, and the error says why", async () => {
  const entry = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
  const eight = new Uint8Array(8);
  const cases: [string, Uint8Array, string][] = [
    ["too short for a length", new Uint8Array(5), "less than the 8"],
    ["a huge header", file({}, undefined, 2n ** 60n), "more than 100000000"],
    ["a header longer than the file", file({}, undefined, 1000n), "the file has only"],
    ["not UTF-8", file('{"a": "').fill(0xff, 8, 15), "not UTF-8"],
    ["not an object", file("[]"), "does not begin with {"],
    ["not JSON", file('{"a": '), "not JSON"],
    ["a key twice", file(`{"a":${JSON.stringify(entry)},"a":${JSON.stringify(entry)}}`, eight), '"a" twice'],
    ["nesting", file(`{"a":${"[".repeat(40)}${"]".repeat(40)}}`), "nested too deeply"],
    ["a negative size", file({ a: { ...entry, shape: [-2] } }, eight), "no shape"],
    ["a fractional size", file({ a: { ...entry, shape: [0.5] } }, eight), "no shape"],
    ["an impossible size", file({ a: { ...entry, shape: [2 ** 40, 2 ** 40] } }, eight), "impossible shape"],
    ["too few bytes for the shape", file({ a: { ...entry, shape: [3] } }, eight), "takes 8 bytes, but"],
    ["a backward range", file({ a: { ...entry, data_offsets: [8, 0] } }, eight), "before its start"],
    ["a gap", file({ a: { ...entry, data_offsets: [4, 12] } }, new Uint8Array(12)), "leaves a gap"],
    ["an overlap", file({ a: entry, b: { ...entry, data_offsets: [4, 12] } }, new Uint8Array(12)), "overlaps"],
    ["a cut file", file({ a: entry }, new Uint8Array(5)), "end at byte"],
    ["something added", file({ a: entry }, new Uint8Array(9)), "end at byte"],
    ["metadata that is no text", file({ __metadata__: { a: 1 } }), "not a string"],
  ];
  for (const [name, bytes, message] of cases) {
    const error = await assertRejects(() => parseSafetensors(bytes, "x.safetensors"), DataError, message, name);
    assertMatch(error.message, /^Cannot read x\.safetensors as safetensors: /);
  }
});

Deno.test("what others add to a header is passed over, and types without a counterpart spare the rest", async () => {
  const f32 = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
  const header = {
    __metadata__: null,
    a: { ...f32, quant: { kind: ["none", { bits: 32 }] } },
    fp8: { dtype: "F8_E4M3", shape: [4], data_offsets: [4, 8] },
    newer: { dtype: "F128", shape: [1], data_offsets: [8, 24] },
    u32: { dtype: "U32", shape: [1], data_offsets: [24, 28] },
    u32far: { dtype: "U32", shape: [1], data_offsets: [28, 32] },
    u64: { dtype: "U64", shape: [1], data_offsets: [32, 40] },
    u16: { dtype: "U16", shape: [2], data_offsets: [40, 44] },
    wide: { dtype: "F64", shape: [1], data_offsets: [44, 52] },
    infinite: { dtype: "F64", shape: [2], data_offsets: [52, 68] },
  };
  const data = new Uint8Array(68), view = new DataView(data.buffer);
  view.setFloat32(0, 0.5, true);
  view.setUint32(24, 7, true);
  view.setUint32(28, 2 ** 31, true);
  view.setBigUint64(32, 8n, true);
  view.setUint16(42, 65535, true);
  view.setFloat64(44, 1e300, true);
  view.setFloat64(52, Infinity, true);
  view.setFloat64(60, NaN, true);
  const opened = await parseSafetensors(file(header, data), "x");
  assertEquals(opened.metadata.size, 0);
  const values = async (name: string) => [...(await opened.tensor(name)).data];
  assertEquals(await values("a"), [0.5]);
  assertEquals(await values("u32"), [7]);
  assertEquals(await values("u64"), [8]);
  assertEquals(await values("u16"), [0, 65535]);
  assertEquals(await values("infinite"), [Infinity, NaN]);
  await assertRejects(() => opened.tensor("u32far"), DataError, "2147483648 does not fit i32");
  await assertRejects(() => opened.tensor("wide"), DataError, "1e+300 does not fit f32");
  await assertRejects(() => opened.tensor("fp8"), DtypeError, "F8_E4M3 has no counterpart");
  await assertRejects(() => opened.tensor("newer"), DtypeError, "F128 has no counterpart");
});

Deno.test("a boolean that is neither 0 nor 1", async () => {
  const bytes = file({ a: { dtype: "BOOL", shape: [1], data_offsets: [0, 1] } }, new Uint8Array([2]));
  const damaged = await parseSafetensors(bytes);
  await assertRejects(() => damaged.tensor("a"), DataError, "neither 0 nor 1");
  await assertRejects(() => damaged.tensor("b"), DataError, "Cannot find tensor");
});

Deno.test("500 mutated files: each is read as it was, or refused", async () => {
  const good = await Deno.readFile(new URL("torch_written.safetensors", GOLDEN));
  const headerEnd = 8 + Number(new DataView(good.buffer).getBigUint64(0, true));
  let seed = 12345;
  const next = (n: number) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % n;
  let refused = 0;
  for (let i = 0; i < 500; i++) {
    let bytes = good.slice();
    for (let k = 0; k <= next(3); k++) {
      if (next(3) === 0) bytes = bytes.slice(0, next(bytes.length));
      else bytes[next(Math.min(headerEnd, bytes.length))] = next(256);
    }
    try {
      const opened = await parseSafetensors(bytes, `mutation ${i}`);
      for (const name of opened.names) {
        const { data, shape } = await opened.tensor(name).catch((e) => {
          assert(e instanceof DataError || e instanceof DtypeError, String(e));
          return { data: [], shape: [0] };
        });
        assert(data.length <= bytes.length && shape.every((n) => n >= 0));
      }
    } catch (error) {
      assert(error instanceof DataError, `mutation ${i}: ${error}`);
      refused++;
    }
  }
  assert(refused > 300, `only ${refused} were refused`);
});

Deno.test("a file that is not there is told by name", async () => {
  await assertRejects(
    () => openSafetensors("/none/x.safetensors"),
    DataError,
    "/none/x.safetensors: there is no such file",
  );
});
