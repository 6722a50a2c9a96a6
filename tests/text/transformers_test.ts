/**
 * BERT and GPT-2: files that Hugging Face's transformers wrote, values and gradients, padding, and what does not fit.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  bertModel,
  CheckpointError,
  ConfigError,
  gptModel,
  grad,
  nn,
  type SequenceEncoder,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";
import { LAYER_MAKERS, modelFromJson } from "../../src/fit/layer_makers.ts";
import { modelJson } from "../../src/fit/model_json.ts";
import { TEXT_MAKERS } from "../../src/text/models/makers.ts";
import { awdLstm } from "../../mod.ts";
import { onDevices } from "../support/devices.ts";
import { near, recorded } from "../support/text_models.ts";

const kinds = { kinds: ["cpu", "webgpu"] } as const, onCpu = { kinds: ["cpu"] } as const;
const { gpt2, bert } = recorded();
const fileOf = (name: string) => new URL(`../golden/${name}.safetensors`, import.meta.url);
const idsOf = (rows: readonly number[][]) =>
  tensor(Int32Array.from(rows.flat()), { shape: [rows.length, rows[0].length] });
const tinyGpt = async () => (await gptModel({ weights: fileOf("tiny_gpt2"), config: gpt2.config })(40)).eval();
const tinyBert = async (options = {}) =>
  (await bertModel({ weights: fileOf("tiny_bert"), config: bert.config, ...options })(48)).eval();

async function checkGradients(loss: Tensor, model: SequenceEncoder, want: Record<string, string>): Promise<void> {
  const parameters = model.namedParameters(), names = Object.keys(want);
  const grads = grad(loss, names.map((name) => parameters.get(name)!));
  for (const [i, name] of names.entries()) await near(grads[i], want[name], 2e-5, `gradient of ${name}`);
}

onDevices("GPT-2 as transformers wrote it: names, logits, loss and gradients", async () => {
  const model = await tinyGpt(), ids = idsOf(gpt2.ids);
  assertEquals([...model.namedParameters().keys()].sort(), [...gpt2.names].sort());
  const logits = model.forward(ids).matmul(model.tiedWeight!.transpose(0, 1));
  await near(logits, gpt2.logits, 1e-5, "logits");
  const n = gpt2.ids[0].length;
  const loss = new nn.CrossEntropyLoss({ axis: -1 }).forward(
    logits.slice([null, [0, n - 1]]),
    ids.slice([null, [1, n]]),
  );
  assert(Math.abs(await loss.item() - gpt2.loss) < 1e-5);
  await checkGradients(loss, model, gpt2.grads);
}, kinds);

onDevices("BERT as transformers wrote it: names, features and gradients, padding left out", async () => {
  const model = await tinyBert(), ids = idsOf(bert.ids), mask = ids.ne(0);
  assertEquals([...model.namedParameters().keys()].sort(), [...bert.names].sort());
  const seen = model.forward(ids, mask).mul(mask.cast("f32").unsqueeze(2));
  await near(seen, bert.seen, 1e-5, "features");
  await checkGradients(seen.square().sum(), model, bert.grads);
}, onCpu);

onDevices("what is padding changes nothing; a text of nothing but padding gives numbers", async () => {
  for (const model of [await tinyBert(), await tinyGpt()]) {
    const run = async (
      rows: number[][],
      mask?: number[][],
    ) => [...await model.forward(idsOf(rows), mask && tensor(mask).cast("bool")).data()];
    const short = await run([[5, 6, 7]]), padded = await run([[5, 6, 7, 9]], [[1, 1, 1, 0]]);
    short.forEach((v, i) => assert(Math.abs(v - padded[i]) < 2e-6, `${i}: ${v}, ${padded[i]}`));
    assert((await run([[0, 0]], [[0, 0]])).every(Number.isFinite));
    assert((await run([[5]])).every(Number.isFinite));
    assertEquals(model.forward(zeros([0, 3]).cast("i32")).shape, [0, 3, 12]);
  }
}, onCpu);

onDevices("GPT-2 sees nothing that comes later", async () => {
  const model = await tinyGpt();
  const a = await model.forward(idsOf([[1, 2, 3, 4]])).data(), b = await model.forward(idsOf([[1, 2, 30, 31]])).data();
  assertEquals([...a.slice(0, 24)], [...b.slice(0, 24)]);
}, onCpu);

Deno.test("first values: deviations of GPT-2's paper, groups from the tokens up, dropouts", async () => {
  const gpt = await gptModel({ nLayer: 2, nHead: 2, nEmbd: 64, blockSize: 8 })(100, { dropMult: 0.5 });
  const deviation = async (t: Tensor) => {
    const values = Float32Array.from(await t.data());
    return Math.sqrt(values.reduce((s, v) => s + v * v, 0) / values.length);
  };
  const all = gpt.namedParameters();
  for (
    const [name, want] of [["wte.weight", 0.02], ["h.0.attn.c_attn.weight", 0.02], [
      "h.1.mlp.c_proj.weight",
      0.01,
    ]] as const
  ) {
    const got = await deviation(all.get(name)!);
    assert(Math.abs(got / want - 1) < 0.05, `${name}: ${got}`);
  }
  assertEquals(await deviation(all.get("h.0.attn.c_attn.bias")!), 0);
  assertEquals(
    gpt.modules().filter((m): m is nn.Dropout => m instanceof nn.Dropout).map((m) => m.p),
    Array(5).fill(0.05),
  );
  for (const model of [gpt, await bertModel({ hiddenSize: 8, layers: 2, heads: 2 })(20)]) {
    const groups = model.layerGroups().map((group) => group.flatMap((m) => m.parameters()));
    assertEquals(groups.length, 3);
    assertEquals(new Set(groups.flat()).size, model.parameters().length);
    assertEquals(groups.flat().length, model.parameters().length);
  }
});

Deno.test("encoders say of themselves what it takes to build them again", async () => {
  const makers = new Map([...LAYER_MAKERS, ...TEXT_MAKERS]);
  const models = [
    await tinyGpt(),
    await tinyBert({ pooling: "first" }),
    await awdLstm.with({ embSize: 4, hidden: 6, layers: 2 })(9, { task: "classifier", dropMult: 0.3 }),
  ];
  for (const model of models) {
    const json = JSON.parse(JSON.stringify(modelJson(model)));
    const again = modelFromJson(json, makers, { numbers: 1e6, where: "a test" }) as SequenceEncoder;
    assertEquals(again.constructor, model.constructor);
    assertEquals([again.pooling, again.outputDropout, again.carriesState], [
      model.pooling,
      model.outputDropout,
      model.carriesState,
    ]);
    const shapes = (m: nn.AnyModule) => [...m.stateDict()].map(([name, t]) => [name, t.shape]);
    assertEquals(shapes(again), shapes(model));
    await assertRejects(
      () => Promise.resolve().then(() => modelFromJson(json, makers, { numbers: 100, where: "a test" })),
      CheckpointError,
      "more weights than the file's 100",
    );
  }
});

Deno.test("what does not fit is said: vocabulary, configuration, weights, texts", async () => {
  const weights = fileOf("tiny_bert"), gptWeights = fileOf("tiny_gpt2");
  const refused = (make: () => unknown, Class: typeof ConfigError | typeof CheckpointError, why: string) =>
    assertRejects(() => Promise.resolve().then(make), Class, why);
  await refused(
    () => bertModel({ weights, config: bert.config })(30),
    ConfigError,
    "a vocabulary of 30 tokens: they have vectors of 48",
  );
  await refused(() => bertModel({ weights, config: bert.config })(49), ConfigError, "a vocabulary of 49 tokens");
  assertEquals((await bertModel({ weights, config: bert.config })(41)).vocabSize, 48, "filled up to a multiple of 8");
  await refused(() => bertModel({ weights, config: gpt2.config })(48), ConfigError, 'it is for model_type "gpt2"');
  await refused(() => gptModel({ weights: gptWeights, config: bert.config })(40), ConfigError, 'this takes "gpt2"');
  await refused(() => gptModel({ vocabSize: 50 })(40), ConfigError, "leave vocabSize out");
  await refused(() => bertModel({ weights })(48), ConfigError, "config.json: there is no such file beside the weights");
  await refused(
    () => bertModel({ weights: "https://example.org/x.safetensors", config: bert.config })(48),
    ConfigError,
    "a file on this machine",
  );
  await refused(
    () => bertModel({ weights: "none.safetensors", config: bert.config })(48),
    CheckpointError,
    "there is no such file",
  );
  await refused(
    () => bertModel({ weights: gptWeights, config: bert.config })(48),
    CheckpointError,
    "is not in the model",
  );
  const wider = { ...bert.config, intermediate_size: 21 };
  await refused(
    () => bertModel({ weights, config: wider })(48),
    CheckpointError,
    "intermediate.dense.weight is [20, 12], not [21, 12]",
  );
  await refused(
    () => bertModel({ config: { ...bert.config, hidden_act: "swish" } })(48),
    ConfigError,
    'hidden_act is "swish"',
  );
  await refused(
    () => bertModel({ config: { ...bert.config, hidden_size: "12" } })(48),
    ConfigError,
    'hidden_size is "12", it takes a whole number',
  );
  await refused(
    () => bertModel({ config: { ...bert.config, position_embedding_type: "relative_key" } })(48),
    ConfigError,
    '"absolute"',
  );
  await refused(() => gptModel({ nEmbd: 10, nHead: 3 })(40), ConfigError, "10 features do not divide into 3 heads");
  const model = await tinyBert();
  assertThrows(() => model.forward(idsOf([[1, 48]])), ShapeError, "element 48 of 48");
  assertThrows(() => model.forward(zeros([1, 17]).cast("i32")), ShapeError, "it has 16 positions");
  assertThrows(() => model.forward(idsOf([[1, 2]]), zeros([2, 1])), ShapeError, "a mask of the same shape");
});
