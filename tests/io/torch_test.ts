/**
 * Files of PyTorch: what it wrote is read as it has it, anything else is refused by name, and nothing is run.
 */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { DataLoaders, Learner, nn, noGrad, resnet18, silentLogger, tensor, zeros } from "../../mod.ts";
import { AnnealError, CheckpointError, ConfigError } from "../../src/base/errors.ts";
import { loadTorch, openWeights } from "../../src/io/weights.ts";
import { writeSafetensors } from "../../src/io/safetensors.ts";
import { readTorch } from "../../src/io/torch/file.ts";
import { readTensor } from "../../src/io/tensors.ts";
import { createVisionModel } from "../../src/vision/models/mod.ts";
import { onDevices } from "../support/devices.ts";

interface Recorded {
  readonly read: Record<string, { readonly file: string; readonly tensors: Record<string, Numbers> }>;
  readonly refused: Record<string, { readonly file: string; readonly words: readonly string[] }>;
}
interface Numbers {
  readonly shape: readonly number[];
  readonly values: readonly (number | boolean | string)[];
}

const GOLDEN = new URL("../golden/", import.meta.url);
const { read, refused }: Recorded = JSON.parse(await Deno.readTextFile(new URL("torch_files.json", GOLDEN)));
const bytesOf = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** A file in memory. */
const source = (bytes: Uint8Array, what = "a.pth") => ({
  size: bytes.length,
  range: (start: number, end: number) => Promise.resolve(bytes.slice(start, end)),
  what,
});

const number = (v: number | boolean | string) =>
  typeof v === "string" ? Number(v.replace("inf", "Infinity")) : Number(v);

Deno.test("what PyTorch wrote is what is read: types, views, checkpoints, archives of every kind", async () => {
  for (const [name, { file, tensors }] of Object.entries(read)) {
    const opened = await readTorch(source(bytesOf(file)));
    assertEquals(opened.names, Object.keys(tensors), name);
    for (const [key, { shape, values }] of Object.entries(tensors)) {
      const got = await opened.tensor(key);
      assertEquals(got.shape, shape, `${name}, ${key}`);
      assertEquals(
        Array.from(got.data),
        values.map((v) => got.dtype === "f32" ? Math.fround(number(v)) : number(v)),
        `${name}, ${key}`,
      );
      assertEquals(
        got.dtype,
        typeof values[0] === "boolean"
          ? "bool"
          : key === "u8"
          ? "u8"
          : /^[iu]\d/.test(key) || key === "i"
          ? "i32"
          : "f32",
      );
    }
  }
});

Deno.test("anything else is refused by name, with what to do", async () => {
  for (const [name, { file, words }] of Object.entries(refused)) {
    const error = await assertRejects(async () => {
      const opened = await readTorch(source(bytesOf(file)));
      for (const key of opened.names) await opened.tensor(key);
    }, AnnealError);
    for (const word of ["a.pth", ...words]) {
      assert(error.message.includes(word), `${name}: ${error.message} lacks ${word}`);
    }
  }
});

Deno.test("a checkpoint with several dictionaries is read by key", async () => {
  const two = bytesOf(refused["two dictionaries"].file);
  assertEquals((await readTorch(source(two), { key: "ema" })).names, ["w"]);
  await assertRejects(() => readTorch(source(two), { key: "emo" }), ConfigError, "it has model, ema");
  const checkpoint = bytesOf(read.checkpoint.file);
  assertEquals((await readTorch(source(checkpoint), { key: "state_dict" })).names, ["weight", "bias"]);
  const moments = await readTorch(source(checkpoint), { key: "optimizer.state" });
  assertEquals(moments.names, ["0.step", "0.exp_avg", "0.exp_avg_sq", "1.step", "1.exp_avg", "1.exp_avg_sq"]);
});

/** Pickles by hand, in an archive that has nothing else. */
async function archive(pickle: Uint8Array, numbers?: Float32Array<ArrayBuffer>): Promise<Uint8Array> {
  const { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } = await import("@zip.js/zip.js");
  const zip = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
  await zip.add("a/data.pkl", new Uint8ArrayReader(pickle as Uint8Array<ArrayBuffer>), { level: 0 });
  if (numbers !== undefined) {
    await zip.add("a/data/0", new Uint8ArrayReader(new Uint8Array(numbers.buffer)), { level: 0 });
  }
  return await zip.close();
}

Deno.test("pickles that grow, that refer to themselves or that call are refused in no time", async () => {
  const ops = (...parts: (string | number[])[]) =>
    Uint8Array.from(parts.flatMap((p) => typeof p === "string" ? Array.from(p, (c) => c.charCodeAt(0)) : p));
  // d0 = {}, and each next one holds the one before twice: 2^60 paths
  const laughs = ["}q", [0]];
  for (let i = 1; i < 60; i++) laughs.push("}(", [0x8c, 1], "a", "h", [i - 1], [0x8c, 1], "b", "h", [i - 1], "uq", [i]);
  const cases: Record<string, Uint8Array> = {
    laughs: ops(...laughs, "."),
    itself: ops("}q", [0], "(", [0x8c, 1], "a", "h", [0], "u."),
    "a list of itself": ops("]q", [0], "h", [0], "a."),
    "a call of a class": ops("cos\nsystem\n(", [0x8c, 2], "lstR."),
    "a call by stack": ops([0x80, 4, 0x8c, 8], "builtins", [0x8c, 4], "eval", [0x93, 0x8c, 1], "1", [0x85], "R."),
    "an object": ops("cbuiltins\nset\n)", [0x81], "."),
    "an instance": ops("(ios\nsystem\n."),
    "a tensor of itself": ops(
      "ctorch._tensor\n_rebuild_from_type_v2\nq",
      [0],
      "(h",
      [0],
      "ctorch\nTensor\n]q",
      [1],
      "h",
      [0],
      "ah",
      [1],
      "ah",
      [1],
      "aNtR.",
    ),
    "a storage of nothing": ops("ctorch._utils\n_rebuild_tensor_v2\n(NK", [0], ")))tR."),
    "marks alone": ops("(".repeat(100000), "."),
    "nested lists": ops("]".repeat(50000), "a".repeat(49999), "."),
    "a long text": ops("X", [255, 255, 255, 127]),
    empty: ops(""),
  };
  for (const [name, pickle] of Object.entries(cases)) {
    const began = performance.now();
    await assertRejects(async () => await readTorch(source(await archive(pickle))), AnnealError, "a.pth", name);
    assert(performance.now() - began < 5000, name);
  }
});

Deno.test("offsets, sizes and strides are looked at, not taken", async () => {
  /** A file of one tensor of `numel` f32, whose pickle has these numbers, with 4 of them in the archive. */
  const of = (numel: number, offset: number, shape: readonly number[], strides: readonly number[]) => {
    const text = (t: string) => `X${String.fromCharCode(t.length)}\0\0\0${t}`, whole = (n: number) => `I${n}\n`;
    const id = `(${text("storage")}ctorch\nFloatStorage\n${text("0")}${text("cpu")}${whole(numel)}tQ`;
    const sizes = `(${shape.map(whole).join("")}t(${strides.map(whole).join("")}t`;
    const all = `ctorch._utils\n_rebuild_tensor_v2\n(${id}${whole(offset)}${sizes}I00\nNtR.`;
    return archive(Uint8Array.from(all, (c) => c.charCodeAt(0)), Float32Array.of(1, 2, 3, 4));
  };
  const good = await (await readTorch(source(await of(4, 1, [2, 2], [0, 2])))).tensor("tensor");
  assertEquals(Array.from(good.data), [2, 4, 2, 4]);
  const bad: Record<string, [number, number, number[], number[]]> = {
    "beyond its storage": [4, 1, [2, 2], [1, 2]],
    "goes beyond": [4, 5, [1], [1]],
    "no whole numbers from 0": [4, 0, [2], [-1]],
    "no storage": [4, -1, [2], [1]],
    "impossible shape": [4, 0, [2 ** 40, 2 ** 40], [0, 0]],
    "a stride for each size": [4, 0, [2, 2], [1]],
    "for 5 of F32": [5, 0, [5], [1]],
    "repeat": [4, 0, [2 ** 27], [0]],
  };
  for (const [words, numbers] of Object.entries(bad)) {
    await assertRejects(async () => await readTorch(source(await of(...numbers))), AnnealError, words);
  }
});

const kinds = { kinds: ["cpu"] } as const;

onDevices("a checkpoint of torchvision's ResNet-18 loads, and computes what PyTorch does", async () => {
  const file = fromFileUrl(new URL("torch_resnet18.pth", GOLDEN));
  const { output, tracked } = JSON.parse(await Deno.readTextFile(new URL("torch_resnet18.json", GOLDEN)));
  const model = resnet18();
  model.loadStateDict(await loadTorch(file));
  model.eval();
  const x = tensor(Float32Array.from({ length: 2 * 3 * 33 * 33 }, (_, i) => Math.fround(i % 13) / 13), {
    shape: [2, 3, 33, 33],
  });
  const y = await noGrad(() => model.forward(x)).data();
  for (const [i, v] of output.entries()) assertAlmostEquals(y[1000 * i], v, 1e-4);
  assertEquals(await model.namedBuffers().get("bn1.num_batches_tracked")!.item(), tracked);
  const body = await createVisionModel(resnet18, 2, { weights: file });
  assertAlmostEquals(await body.parameters()[0].max().item(), await model.parameters()[0].max().item(), 1e-9);
}, kinds);

onDevices("a learner loads weights of PyTorch, by name or path, by key, and reports what does not fit", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const made = (n: number) => {
      const dls = DataLoaders.fromArrays({ x: zeros([4, 3]), y: zeros([4, n]) }, { bs: 2 });
      return new Learner(dls, new nn.Linear(3, n), { lossFunc: new nn.MSELoss(), modelDir: dir, logger: silentLogger });
    };
    await Deno.writeFile(join(dir, "c.pth"), bytesOf(read.checkpoint.file));
    const learn = made(2), { tensors } = read.checkpoint;
    for (const [name, options] of [["c.pth", {}], [join(dir, "c.pth"), { key: "state_dict" }]] as const) {
      learn.model.loadStateDict(new Map([["weight", zeros([2, 3])], ["bias", zeros([2])]]));
      assertEquals((await learn.load(name, options)).optimizer, false);
      const got = Array.from(await learn.model.parameters()[0].data());
      assertEquals(got, tensors.weight.values.map((v) => Math.fround(number(v))));
    }
    await assertRejects(() => learn.load("c.pth", { key: "ema" }), ConfigError, "it has epoch, arch");
    await assertRejects(() => learn.load("c.pth", { withOpt: true }), CheckpointError, "a model only");
    await assertRejects(() => made(5).load("c.pth"), ConfigError, "of another shape");
    assertEquals((await made(5).load("c.pth", { strict: false })).misshapen, ["weight", "bias"]);
    await assertRejects(() => learn.load("none.pth"), CheckpointError, "no such file");
    await writeSafetensors(join(dir, "s.safetensors"), new Map());
    await assertRejects(() => learn.load("s", { key: "a" }), ConfigError, "no file of PyTorch");
    // a header of 640 bytes, whose length begins as a pickle does
    const one = { dtype: "f32" as const, shape: [1], data: Float32Array.of(1) };
    const path = join(dir, "model.pth");
    for (let text = "x".repeat(400);; text += "x") {
      await writeSafetensors(path, new Map([["w", one]]), { text });
      if ((await Deno.readFile(path))[0] === 0x80) break;
    }
    assertEquals((await Deno.readFile(path)).slice(0, 2), Uint8Array.of(0x80, 2));
    assertEquals((await openWeights(path)).names, ["w"]);
    await Deno.rename(join(dir, "c.pth"), join(dir, "model.safetensors")); // what it is says the file, not its name
    assertEquals((await readTensor(await openWeights(join(dir, "model.safetensors")), "bias")).shape, [2]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}, kinds);
