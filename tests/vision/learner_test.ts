/**
 * Vision learners: weights to start from, predictions of files, export and what loading refuses.
 */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { CheckpointError, ConfigError, DataError } from "../../src/base/errors.ts";
import { type OutTensor, writeSafetensors } from "../../src/io/safetensors.ts";
import { DataLoaders } from "../../src/data/mod.ts";
import type { Module } from "../../src/nn/mod.ts";
import { readAll, Rng, setSeed, type Tensor } from "../../src/tensor/mod.ts";
import { silentLogger } from "../../src/train/mod.ts";
import { ImageDataLoaders, imagenetStats, Normalize, Resize } from "../../src/vision/data/mod.ts";
import { LEARNER_KEY } from "../../src/fit/export.ts";
import {
  ClassificationInterpretation,
  type VisionLearner,
  visionLearner,
  type VisionLearnerOptions,
} from "../../src/vision/mod.ts";
import { loadLearner } from "../../src/load/load_learner.ts";
import { adaptChannels } from "../../src/vision/models/pretrained.ts";
import { type Arch, createBody, defineArch, SimpleCnn, simpleCnn } from "../../src/vision/models/mod.ts";
import { onDevices } from "../support/devices.ts";
import { inFolder, writeSet } from "./support/images.ts";

const small: Arch = defineArch("small", (options) => new SimpleCnn({ ...options, filters: [4, 8] }), {
  stats: imagenetStats,
});
const cpu = { kinds: ["cpu"] } as const;

async function learnerIn(folder: string, options: VisionLearnerOptions = {}, arch = small): Promise<VisionLearner> {
  const files = await writeSet(join(folder, "images"), 20);
  const dls = await ImageDataLoaders.fromNameFunc(folder, files, (name) => name[0], {
    seed: 1,
    bs: 4,
    itemTfms: new Resize(16),
  });
  return await visionLearner(dls, arch, { pretrained: false, linFtrs: [8], logger: silentLogger, ...options });
}

/** Writes a model's state as published weights are: whole numbers in 64 bits. */
async function publish(path: string, model: Module<[Tensor]>): Promise<Map<string, OutTensor>> {
  const state = model.stateDict();
  const values = await readAll([...state.values()]);
  const tensors = new Map([...state].map(([name, { shape, dtype }], i): [string, OutTensor] => [
    name,
    dtype === "i32"
      ? { dtype: "i32", shape, data: Int32Array.from(values[i]), as: "I64" }
      : { dtype: "f32", shape, data: values[i] },
  ]));
  await writeSafetensors(path, tensors);
  return tensors;
}

onDevices("an exported learner predicts the same", () =>
  inFolder(async (folder) => {
    setSeed(5);
    const learn = await learnerIn(folder);
    await learn.fit(1);
    const file = learn.imageDls.validSet.files[0];
    const first = await learn.predict(file);
    assert(first.label === "a" || first.label === "b");
    const { preds } = await learn.getPreds();
    const all = await preds.data();
    [...await first.pred.data()].forEach((p, i) => assertAlmostEquals(p, all[i], 1e-5));
    const bytes = await learn.predict(await Deno.readFile(file));
    assertEquals([...await bytes.pred.data()], [...await first.pred.data()]);

    const path = await learn.export("model");
    assertEquals(path, join(folder, "model.safetensors"));
    const again = await loadLearner(path);
    const { label, pred, decoded } = await again.predict(file);
    assertEquals([label, [...await pred.data()]], [first.label, [...await first.pred.data()]]);
    assertEquals(await decoded.item(), learn.imageDls.vocab.indexOf(first.label!));
    const twice = join(folder, "twice.safetensors");
    assertEquals(await again.export(twice), twice);
    assertEquals(await Deno.readFile(twice), await Deno.readFile(path));
  }), cpu);

onDevices("published weights are loaded, adapted to other channels, and frozen", () =>
  inFolder(async (folder) => {
    const weights = join(folder, "weights.safetensors");
    const given = await publish(weights, small({ nOut: 1000, rng: new Rng(3) }));
    const first = given.get("0.0.weight")!;
    const learn = await learnerIn(folder, { weights });
    assertEquals([...await learn.model.namedParameters().get("0.0.0.weight")!.data()], [...first.data]);
    const trained = [...learn.model.namedParameters()].filter(([, p]) => p.requiresGrad).map(([name]) => name);
    assertEquals(trained.filter((name) => name.startsWith("0.")), [
      "0.0.1.weight",
      "0.0.1.bias",
      "0.1.1.weight",
      "0.1.1.bias",
    ]);
    assertEquals(learn.imageDls.batchTfms.map((t) => t instanceof Normalize), [true]);
    await learn.fineTune(1);
    const w = first.data as Float32Array;
    for (const nIn of [1, 2, 5]) {
      const body = await createBody(small, { weights, nIn });
      const got = await body.parameters()[0].data();
      assertEquals([...got], [...adaptChannels(w, [4, 3, 3, 3], nIn)]);
    }
    // by hand, for the first output and the first tap
    assertAlmostEquals(adaptChannels(w, [4, 3, 3, 3], 1)[0], w[0] + w[9] + w[18], 1e-6);
    assertEquals(adaptChannels(w, [4, 3, 3, 3], 2)[9], Math.fround(1.5 * w[9]));
    assertEquals([18, 27, 36].map((i) => adaptChannels(w, [4, 3, 3, 3], 5)[i]), [w[18], 0, 0]);
  }), cpu);

Deno.test("weights of another architecture are refused by name, and so is a missing file", () =>
  inFolder(async (folder) => {
    const weights = join(folder, "weights.safetensors");
    await publish(weights, simpleCnn({ nOut: 10 }));
    const why =
      `small from ${weights}: they are of another architecture, 0.0.weight is [32, 3, 3, 3], not [4, 3, 3, 3]`;
    await assertRejects(() => createBody(small, { weights }), CheckpointError, why);
    await assertRejects(
      () => createBody(small, { weights: `${folder}/none` }),
      CheckpointError,
      "there is no such file",
    );
    await assertRejects(() => createBody(small), ConfigError, "there are none, use { pretrained: false }");
  }));

onDevices("an interpretation counts and sorts", () =>
  inFolder(async (folder) => {
    setSeed(6);
    const learn = await learnerIn(folder);
    const judged = await ClassificationInterpretation.fromLearner(learn);
    const matrix = judged.confusionMatrix(), { files, codes } = learn.imageDls.validSet;
    assertEquals(
      matrix.map((row) => row.reduce((a, b) => a + b)),
      [0, 1].map((c) => codes.filter((v) => v === c).length),
    );
    const worst = judged.topLosses();
    assertEquals(worst.length, files.length);
    assert(worst.every(({ loss }, i) => i === 0 || loss <= worst[i - 1].loss));
    for (const { file, predicted, loss, probability } of worst) {
      const { label, pred } = await learn.predict(file);
      const right = (await pred.data())[file.includes("a_") ? 0 : 1];
      assertEquals(predicted, label);
      assertAlmostEquals(loss, -Math.log(right), 1e-4);
      assertAlmostEquals(probability, Math.max(...await pred.data()), 1e-5);
    }
    const wrong = worst.filter((w) => w.predicted !== w.actual).length;
    assertEquals(judged.mostConfused().reduce((n, { count }) => n + count, 0), wrong);
    assert((await judged.plotConfusionMatrix({ normalize: true }).svg()).includes("Predicted"));
    assertEquals((await judged.plotTopLosses(3)).panels.length, 3);
  }), cpu);

const HOSTILE:
  readonly (readonly [what: string, change: (json: Record<string, unknown>) => unknown, message: string])[] = [
    ["of an unknown layer", (j) => ({ ...j, model: { kind: "__proto__" } }), '"__proto__" is not known'],
    ["of a later form", (j) => ({ ...j, version: 3 }), "wrong at version"],
    ["with code", (j) => ({ ...j, run: "Deno.exit()" }), "wrong at the top"],
    [
      "with enormous layers",
      (j) => ({ ...j, model: { kind: "Linear", inFeatures: 1 << 20, outFeatures: 1 << 20, bias: true } }),
      "more weights than the file's",
    ],
    [
      "with layers of other sizes",
      (j) => ({ ...j, model: { kind: "Linear", inFeatures: 2, outFeatures: 2, bias: true } }),
      "its weights are no Linear's",
    ],
    ["with a layer that lacks a size", (j) => ({ ...j, model: { kind: "Linear" } }), "it must be a whole number"],
    [
      "with a layer of nonsense",
      (j) => ({ ...j, model: { kind: "Dropout", p: 7 } }),
      "p is a probability from 0 to 1, got 7",
    ],
    ["with an unknown loss", (j) => ({ ...j, loss: { kind: "Shell", reduction: "mean" } }), '"Shell" is not known'],
    [
      "with an unknown transform",
      (j) => ({ ...j, inputs: { kind: "images", batchTfms: [], itemTfms: [{ kind: "Shell", size: [1, 1] }] } }),
      "wrong at inputs.itemTfms.0.kind",
    ],
    [
      "with enormous images",
      (j) => ({
        ...j,
        inputs: { kind: "images", batchTfms: [], itemTfms: [{ kind: "Resize", size: [1e9, 1], options: {} }] },
      }),
      "inputs.itemTfms.0.size",
    ],
    ["that is a list", () => [], "wrong at the top"],
  ];

onDevices("exported learners that lie are refused", () =>
  inFolder(async (folder) => {
    const learn = await learnerIn(folder);
    const path = await learn.export();
    const bytes = await Deno.readFile(path);
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    const told = JSON.parse(header.__metadata__[LEARNER_KEY]);
    const bad = join(folder, "bad.safetensors");
    const write = async (text: string | undefined) => {
      const meta = { ...header, __metadata__: text === undefined ? { format: "pt" } : { [LEARNER_KEY]: text } };
      const head = new TextEncoder().encode(JSON.stringify(meta));
      const size = new Uint8Array(8);
      new DataView(size.buffer).setBigUint64(0, BigInt(head.length), true);
      await Deno.writeFile(bad, await new Blob([size, head, bytes.subarray(8 + length)]).bytes());
    };
    const load = (file = bad) => loadLearner(file);
    for (const [what, change, message] of HOSTILE) {
      await write(JSON.stringify(change(told)));
      await assertRejects(() => load(), CheckpointError, message, what);
    }
    await write("{");
    await assertRejects(() => load(), CheckpointError, "is no JSON");
    await write(undefined);
    await assertRejects(() => load(), CheckpointError, "it has weights only");
    await Deno.writeFile(bad, bytes.subarray(0, bytes.length - 4));
    await assertRejects(() => load(), DataError, "it was cut or something was added");
    await assertRejects(() => load(join(folder, "none")), CheckpointError, "there is no such file");
    const deep = JSON.stringify(told).replace('"model":', `"model":${"[".repeat(300)}${"]".repeat(300)},"x":`);
    await write(deep);
    await assertRejects(() => load(), CheckpointError, "nested too deeply");
  }), cpu);

Deno.test("a learner without the number of classes says what is missing", async () => {
  const x = { data: new Float32Array(2 * 3 * 8 * 8), shape: [2, 3, 8, 8] };
  const dls = DataLoaders.fromArrays({ x, y: { data: new Int32Array(2), shape: [2] } });
  await assertRejects(() => visionLearner(dls, small, { pretrained: false }), ConfigError, "give { nOut }");
});
