/**
 * Learners as ONNX: with what their data and loss know, as text or as operations.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  arange,
  awdLstm,
  ConfigError,
  DataLoader,
  DataLoaders,
  Learner,
  loadLearner,
  nn,
  randn,
  Rng,
  silentLogger,
  type Tensor,
  tensor,
  textClassifierLearner,
  TextDataLoaders,
} from "../../mod.ts";
import type { TabularDataLoaders } from "../../src/data/mod.ts";
import { exportRun } from "../../src/cli/inspect.ts";
import { checkRecipe } from "../../src/cli/recipe/check.ts";
import { trainRecipe } from "../../src/cli/train.ts";
import { SMALL, smallData } from "../cli/support.ts";
import { onDevices } from "../support/devices.ts";
import { assertSame, inputNamesOf, runOnnx } from "./onnx_runtime.ts";

const kinds = { kinds: ["cpu"] } as const;

function inFolder(name: string, body: (dir: string) => Promise<void>): void {
  onDevices(name, async () => {
    const dir = await Deno.makeTempDir();
    try {
      await body(dir);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  }, kinds);
}

/** The free text of a file, as whoever loads it finds it. */
async function metadataOf(path: string): Promise<Record<string, unknown>> {
  const { default: protobuf } = await import("protobufjs/light.js");
  const { SCHEMA } = await import("../../src/interop/onnx/schema.ts");
  const type = protobuf.Root.fromJSON(SCHEMA).lookupType("ModelProto");
  const model = type.toObject(type.decode(await Deno.readFile(path))) as {
    metadataProps: { key: string; value: string }[];
  };
  return Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, JSON.parse(value)]));
}

inFolder("arrays of bytes: scaled and decided in the file, or told in words", async (dir) => {
  const rng = new Rng(2);
  const bytes = (n: number) => Uint8Array.from(rng.uniformArray(n, 0, 256), Math.floor);
  const x = { data: bytes(40 * 12), shape: [40, 3, 4] }, y = Int32Array.from({ length: 40 }, (_, i) => i % 3);
  const dls = DataLoaders.fromArrays({ x, y: tensor(y) }, {
    bs: 8,
    normalize: true,
    seed: 1,
    vocab: ["ant", "bee", "cat"],
  });
  const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(12, 3));
  const learn = new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss(), logger: silentLogger });
  await learn.fit(1);
  const plain = await learn.export(join(dir, "plain.onnx"));
  model.eval();
  await assertSame(plain, (t) => model.forward(t), [randn([7, 3, 4])], "as the model");
  const told = await metadataOf(plain);
  const scale = dls.inputsJson() as { normalize?: { mean: number; std: number } };
  assertEquals(told["anneal.labels"], ["ant", "bee", "cat"]);
  assertEquals(told["anneal.loss"], { name: "CrossEntropyLoss", activation: "outside" });
  assertEquals((told["anneal.inputs"] as typeof scale).normalize, scale.normalize);

  const whole = await learn.export(join(dir, "whole.onnx"), { normalize: true, activation: true, opset: 17 });
  const items = { data: bytes(7 * 12), shape: [7, 3, 4] };
  const { preds } = await learn.getPreds({ dl: dls.testDl(items) as unknown as DataLoader<Tensor[]> });
  await assertSame(whole, () => preds, [tensor(items.data, { shape: items.shape })], "as getPreds");

  // a learner out of a file has no batches: its description says what inputs look like
  const again = await loadLearner(await learn.export(join(dir, "a.safetensors")), { logger: silentLogger });
  const later = await again.export(join(dir, "later.onnx"), { normalize: true, activation: true });
  await assertSame(later, () => preds, [tensor(items.data, { shape: items.shape })], "of a loaded learner");
  await assertRejects(() => learn.export(join(dir, "b.safetensors"), { opset: 18 }), ConfigError, "end in .onnx");
});

inFolder("a table with missing numbers, in its own unit", async (dir) => {
  const file = join(dir, "t.csv");
  const rows = Array.from({ length: 80 }, (_, i) => `${i % 7 === 0 ? "" : i / 4},${"pqr"[i % 3]},${100 + 3 * i}`);
  await Deno.writeTextFile(file, "x,c,y\n" + rows.join("\n") + "\n");
  const dls = await DataLoaders.fromCsv(file, { target: "y", numeric: ["x"], categorical: ["c"], bs: 16, seed: 1 });
  const model = new nn.TabularModel(dls.schema, 1, { layers: [8] });
  const learn = new Learner(dls as unknown as DataLoaders, model as unknown as nn.Module, {
    lossFunc: new nn.MSELoss(),
    logger: silentLogger,
  });
  await learn.fit(1);
  const path = await learn.export(join(dir, "t.onnx"), { normalize: true, activation: true });
  assertEquals(await inputNamesOf(path), ["words", "numbers"]);
  const table = dls as unknown as TabularDataLoaders;
  const { preds } = await learn.getPreds({
    dl: table.testDl([{ x: 3, c: "q" }, { c: "p" }]) as unknown as DataLoader<[Tensor, Tensor]>,
  });
  const words = await table.testDl([{ x: 3, c: "q" }, { c: "p" }]).peek();
  await assertSame(path, () => preds, [words![0], tensor([[3], [NaN]])], "rows");
});

inFolder("a classifier of texts takes texts of any length", async (dir) => {
  const texts = Array.from({ length: 40 }, (_, i) => `${i % 2 ? "a good" : "a bad"} ${"film ".repeat(1 + i % 9)}`);
  const dls = await TextDataLoaders.fromTexts(texts, texts.map((_, i) => i % 2 ? "pos" : "neg"), {
    bs: 8,
    minFreq: 1,
    seed: 1,
  });
  const learn = await textClassifierLearner(dls, awdLstm.with({ embSize: 8, hidden: 12, layers: 2 }), {
    logger: silentLogger,
  });
  await learn.fit(1);
  const path = await learn.export(join(dir, "c.onnx"));
  assertEquals((await metadataOf(path))["anneal.labels"], ["neg", "pos"]);
  learn.model.eval();
  for (const [n, t] of [[1, 2], [7, 20]]) {
    const ids = tensor(Int32Array.from({ length: n * t }, (_, i) => i % 5), { shape: [n, t] });
    const mask = arange(t).reshape([1, t]).lt(arange(n).reshape([n, 1]).add(1));
    await assertSame(path, (a, b) => learn.model.forward(a, b), [ids, mask], `${n} of length ${t}`);
  }
  assertEquals(await inputNamesOf(path), ["tokens", "mask"]);
});

inFolder("data of one's own say nothing of their inputs, but for their batches", async (dir) => {
  const x = randn([16, 5]), dl = new DataLoader<[Tensor, Tensor]>({ columns: [{ tensor: x }, { tensor: x }], bs: 4 });
  const empty = new DataLoader<[Tensor, Tensor]>({
    columns: [{ tensor: randn([0, 5]) }, { tensor: randn([0, 5]) }],
    bs: 4,
  });
  const model = new nn.Linear(5, 5), options = { lossFunc: new nn.MSELoss(), logger: silentLogger };
  const learn = new Learner(new DataLoaders(dl, dl), model, options);
  await assertSame(await learn.export(join(dir, "a.onnx")), (t) => model.forward(t), [randn([3, 5])], "batches");
  const none = new Learner(new DataLoaders(empty, empty), model, options);
  await assertRejects(() => none.export(join(dir, "b.onnx")), ConfigError, "give { example");
  const path = await none.export(join(dir, "b.onnx"), { example: randn([1, 5]) });
  await assertSame(path, (t) => model.forward(t), [randn([3, 5])], "example");
  await assertRejects(() => learn.export(join(dir, "c.onnx"), { normalize: true }), ConfigError, "not known");
});

inFolder("anneal export --onnx writes the model of a run", async (dir) => {
  const folder = await smallData(), recipe = join(folder, "small.yaml"), run = join(dir, "run");
  await trainRecipe(checkRecipe(recipe, SMALL, []), recipe, { logger: silentLogger, out: run });
  await Deno.remove(folder, { recursive: true });
  const [file] = await exportRun(run, join(dir, "out"), { onnx: true, activation: true }, silentLogger);
  assertEquals(file, join(dir, "out", "model.onnx"));
  const [{ data, dims }] = await runOnnx(file, [randn([4, 6])]);
  assertEquals(dims, [4, 2]);
  assert(Math.abs(data[0] + data[1] - 1) < 1e-5, "probabilities");
  assertEquals(await exportRun(run, join(dir, "b.onnx"), { opset: "20" }, silentLogger), [join(dir, "b.onnx")]);
  await assertRejects(() => exportRun(run, join(dir, "m"), { opset: "20" }, silentLogger), ConfigError, "--onnx");
  await assertRejects(() => exportRun(run, join(dir, "b.onnx"), { opset: "x" }, silentLogger), ConfigError, "opset");
});
