/**
 * Random cases of every function, layer and loss, recorded from PyTorch with values and gradients: odd shapes, views, options.
 */
import { assert, assertEquals } from "@std/assert";
import { nn, ops } from "../../mod.ts";
import { STRATEGIES } from "../../src/device/webgpu/kernels/plan.ts";
import { session } from "../../src/graph/session.ts";
import { onDevices } from "../support/devices.ts";
import { failures, type RecordedCase, recordedCases } from "../support/recorded.ts";
import { webgpuTest } from "../support/webgpu.ts";
import { disagreements, randomCase } from "./random_graphs.ts";

const cases = [...recordedCases("random.json"), ...recordedCases("sequence.json")];
const NEAR = { rel: 1e-5, whole: true };

/** What no case names, and why not. */
const WITHOUT: Readonly<Record<string, string>> = {
  "nn.BatchNorm": "abstract: BatchNorm1d and BatchNorm2d are recorded",
  "nn.Loss": "abstract",
  "nn.Norm": "abstract",
  "nn.Module": "abstract",
  "nn.Parameter": "a tensor",
  "nn.Sequential": "made of others: tests/nn/module_test.ts",
  "nn.Lambda": "made of others: tests/nn/module_test.ts",
  "nn.EmbeddingDotBias": "recorded from fastai: tests/nn/collab_test.ts",
  "nn.EmbeddingNN": "recorded from fastai: tests/nn/collab_test.ts",
  "nn.TransformerDecoder": "made of others: tests/nn/transformer_test.ts",
  "nn.TransformerEncoder": "made of others: tests/nn/transformer_test.ts",
  "nn.TabularModel": "made of others: tests/data/csv_test.ts",
  "ops.half": "every number of f16: tests/tensor/half_test.ts",
  "ops.float": "every number of f16: tests/tensor/half_test.ts",
  "nn.embeddingSize": "a number of the host",
  "nn.kaimingNormal": "random numbers: tests/tensor/init_test.ts",
  "nn.kaimingUniform": "random numbers: tests/tensor/init_test.ts",
  "nn.xavierNormal": "random numbers: tests/tensor/init_test.ts",
  "nn.xavierUniform": "random numbers: tests/tensor/init_test.ts",
};

Deno.test("every function, layer and loss of the public face has a random case, or a reason why not", () => {
  const face = [...Object.keys(ops).map((name) => `ops.${name}`), ...Object.keys(nn).map((name) => `nn.${name}`)];
  const named = new Set([...cases.map((c) => c.fn), ...Object.keys(WITHOUT)]);
  assertEquals(face.filter((fn) => !named.has(fn)), [], "without a case");
  assertEquals([...named].filter((fn) => !face.includes(fn)), [], "cases of what there is not");
  assertEquals(Object.keys(WITHOUT).filter((fn) => cases.some((c) => c.fn === fn)), [], "cases after all");
  assert(cases.length >= 500, `${cases.length} cases`);
});

/** One by one: together they would become large kernels of unrelated work. */
async function check(some: readonly RecordedCase[]): Promise<void> {
  const wrong: string[] = [];
  for (const c of some) wrong.push(...await failures([c], NEAR));
  assertEquals(wrong, []);
}

for (const fn of new Set(cases.map((c) => c.fn))) {
  const own = cases.filter((c) => c.fn === fn);
  onDevices(`${fn}: random cases follow PyTorch`, () => check(own), { kinds: ["cpu", "webgpu"] });
}

// every fourth: an adapter in software takes its time for kernels that are made for others
const products = cases.filter((c) => /conv|matmul|linear/i.test(c.fn)).filter((_, i) => i % 4 === 0);

for (const strategy of STRATEGIES) {
  webgpuTest(`random products and convolutions follow PyTorch, ${strategy} kernels`, async (device) => {
    session.useDevice(device);
    await check(products);
  }, { strategy });
}

onDevices("200 random calls on random views give what the same numbers give in memory of their own", async (device) => {
  const wrong: string[] = [];
  for (let i = 0; i < 200; i++) wrong.push(...await disagreements(randomCase(i, 1_000 + i), [["cpu", device]]));
  assertEquals(wrong, []);
}, { kinds: ["cpu"] });
