/**
 * LoRA: PEFT's files, what is trained and what is not, merging, and what does not fit.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import {
  Adam,
  applyLora,
  bertModel,
  CheckpointError,
  ConfigError,
  DataLoaders,
  gptModel,
  Learner,
  loadLora,
  nn,
  readAll,
  Rng,
  type SequenceEncoder,
  silentLogger,
  type Tensor,
  tensor,
} from "../../mod.ts";
import { modelJson } from "../../src/fit/model_json.ts";
import { onDevices } from "../support/devices.ts";
import { near, recorded } from "../support/text_models.ts";

const onCpu = { kinds: ["cpu"] } as const;
const { bert, gpt2, lora: peft } = recorded();
const fileOf = (name: string) => new URL(`../golden/${name}`, import.meta.url);
const PEFT = fromFileUrl(fileOf("tiny_lora"));
const tinyBert = async () =>
  (await bertModel({
    weights: fileOf("tiny_bert.safetensors"),
    config: { ...bert.config, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 },
  })(48)).eval();
const tinyGpt = async () =>
  (await gptModel({ weights: fileOf("tiny_gpt2.safetensors"), config: gpt2.config })(40)).eval();
const idsOf = (rows: readonly number[][]) =>
  tensor(Int32Array.from(rows.flat()), { shape: [rows.length, rows[0].length] });

/** An encoder and a head, as classifiers are. */
class Classifier extends nn.Module<[Tensor]> {
  readonly head = new nn.Linear(12, 2, { rng: new Rng(3) });
  constructor(readonly encoder: SequenceEncoder) {
    super();
  }
  override forward(ids: Tensor): Tensor {
    return this.head.forward(this.encoder.forward(ids).mean({ axis: 1 }));
  }
}

function learnerOf(model: Classifier): Learner<Classifier> {
  const x = tensor(Int32Array.from({ length: 32 * 4 }, (_, i) => 1 + (i * 7) % 47), { shape: [32, 4] });
  const y = tensor(Int32Array.from({ length: 32 }, (_, i) => i % 2));
  return new Learner(DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 8, seed: 1 }), model, {
    lossFunc: new nn.CrossEntropyLoss(),
    optFunc: Adam,
    splitter: (m) => [...m.encoder.layerGroups(), [m.head]].map((group) => group.flatMap((part) => part.parameters())),
    logger: silentLogger,
  });
}

async function inFolder(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await body(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function same(a: Tensor, b: Tensor, atol: number): Promise<void> {
  const [x, y] = await readAll([a, b]);
  x.forEach((v: number, i: number) => assert(Math.abs(v - y[i]) <= atol, `${i}: ${v}, ${y[i]}`));
}

onDevices("changes that PEFT wrote give what they give there, and are the only ones to train", async () => {
  const model = await tinyBert(), ids = idsOf(peft.ids);
  const lora = await loadLora(model, PEFT);
  await near(model.forward(ids), peft.y, 1e-5, "features");
  const plain = (name: string) => name.replace("base_model.model.", "").replace(".default", "");
  const trained = [...model.namedParameters()].filter(([, p]) => p.requiresGrad).map(([name]) => name);
  assertEquals(trained, peft.trained.map(plain));
  assertEquals(lora.parameters().length, 8);
}, onCpu);

onDevices(
  "training changes the changes and the head, not one bit of the base, whatever is frozen and unfrozen",
  async () => {
    const model = new Classifier(await tinyBert());
    const learn = learnerOf(model), first = learn.opt; // made too early: the base is in it
    const lora = applyLora(model, { rank: 2, alpha: 4, rng: new Rng(1) });
    const before = await readAll([...model.stateDict().values()]);
    const at = model.forward(idsOf([[3, 4]])), plain = new Classifier(await tinyBert());
    plain.loadStateDict(new Map([...model.stateDict()].filter(([name]) => !name.includes("lora"))));
    await same(at, plain.forward(idsOf([[3, 4]])), 0);
    await learn.fineTune(2, { baseLr: 0.02 });
    learn.unfreeze();
    await learn.fit(1, { lr: 0.02 });
    assert(learn.opt !== first);
    const held = learn.opt.groups.flat();
    assertEquals(new Set(held), new Set([...lora.parameters(), ...model.head.parameters()]));
    const after = await readAll([...model.stateDict().values()]);
    [...model.stateDict().keys()].forEach((name, i) => {
      const changed = `${before[i]}` !== `${after[i]}`;
      assertEquals(changed, name.includes("lora") || name.startsWith("head"), name);
    });
  },
  onCpu,
);

onDevices("merged weights compute the same, and train again; removed changes leave what was there", async () => {
  for (const [make, targets] of [[tinyBert, ["query", "dense"]], [tinyGpt, ["c_attn", "mlp.c_fc"]]] as const) {
    const model = await make(), ids = idsOf([[5, 1, 9]]), names = [...model.stateDict().keys()];
    const plain = model.forward(ids);
    await plain.data();
    const lora = applyLora(model, { rank: 3, targets, rng: new Rng(2) });
    const json = modelJson(model);
    assertEquals(json, null, "a description would leave the changes out");
    for (const p of lora.parameters()) {
      p.assign(tensor(new Rng(p.size).normalArray(p.size, 0, 0.3), { shape: p.shape }));
    }
    const changed = model.forward(ids);
    await changed.data();
    lora.merge();
    await same(model.forward(ids), changed, 1e-5);
    assertEquals([...model.stateDict().keys()], names);
    assert(modelJson(model) !== null && model.parameters().every((p) => p.requiresGrad && !p.fixed));
    assertThrows(() => lora.merge(), ConfigError, "they were merged or removed");
    const again = applyLora(model, { rng: new Rng(4) });
    for (const p of again.parameters()) p.assign(p.add(1));
    again.remove();
    await same(model.forward(ids), changed, 1e-5);
  }
}, onCpu);

onDevices("a learner trains the merged weights, with an optimizer of its own", async () => {
  const model = new Classifier(await tinyBert()), learn = learnerOf(model);
  const lora = applyLora(model, { rank: 1 });
  await learn.fit(1, { lr: 0.01 });
  lora.merge();
  await learn.fit(1, { lr: 0.01 });
  assertEquals(learn.opt.groups.flat().length, model.parameters().length);
}, onCpu);

onDevices("what is saved has PEFT's names, and loads again", async () => {
  await inFolder(async (dir) => {
    const model = await tinyBert(), ids = idsOf([[5, 1, 9]]);
    const lora = applyLora(model, { rank: 2, alpha: 6, targets: ["value", "query"], rng: new Rng(5) });
    for (const p of lora.parameters()) p.assign(p.add(0.1));
    const folder = join(dir, "adapter");
    await lora.save(folder);
    await lora.save(folder); // again, into what is there
    const other = await tinyBert();
    await loadLora(other, folder);
    await same(other.forward(ids), model.forward(ids), 1e-6);
    const read = (path: string) => JSON.parse(Deno.readTextFileSync(join(path, "adapter_config.json")));
    const [ours, theirs] = [read(folder), read(PEFT)];
    for (const name of Object.keys(ours)) assert(name in theirs, name);
    assertEquals([ours.r, ours.lora_alpha, ours.target_modules, ours.peft_type], [2, 6, theirs.target_modules, "LORA"]);
    const header = (path: string) => {
      const bytes = Deno.readFileSync(join(path, "adapter_model.safetensors"));
      const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
      return JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    };
    const shapes = (path: string) =>
      Object.entries(header(path)).filter(([name]) => name !== "__metadata__")
        .map(([name, t]) => `${name} ${(t as { shape: number[] }).shape}`).sort();
    assertEquals(shapes(folder), shapes(PEFT));
  });
}, onCpu);

Deno.test("eight-rank changes of a small BERT's queries and values are less than 2 % of it", async () => {
  const model = await bertModel({ hiddenSize: 384, layers: 6, heads: 12, config: undefined })(1000);
  const all = model.parameters().reduce((n, p) => n + p.size, 0);
  const lora = applyLora(model);
  const trained = lora.parameters().reduce((n, p) => n + p.size, 0);
  assertEquals(trained, 6 * 2 * 8 * (384 + 384));
  assert(trained / all < 0.02, `${trained} of ${all}`);
  assertEquals(lora.layers[0], "encoder.layer.0.attention.self.query");
});

Deno.test("what does not fit is said", async () => {
  const model = await tinyBert();
  const refused = (options: object, why: string) => assertThrows(() => applyLora(model, options), ConfigError, why);
  refused(
    { targets: ["q_proj"] },
    "Cannot apply LoRA to q_proj: the linear layers of Bert are query, key, value, dense",
  );
  refused({ rank: 0 }, "a whole number from 1");
  refused({ alpha: -1 }, "alpha is a finite number above 0");
  refused({ dropout: 2 }, "a probability");
  refused({ r: 4 }, "did you mean rank?");
  assertThrows(
    () => applyLora(new nn.Sequential(new nn.ReLU())),
    ConfigError,
    "the linear layers of Sequential are none",
  );
  applyLora(model);
  refused({}, "Bert is changed already, merge() first");
  await inFolder(async (dir) => {
    const other = await tinyBert();
    await assertRejects(() => loadLora(other, dir), ConfigError, "there is no such file");
    const write = (config: object) => Deno.writeTextFile(join(dir, "adapter_config.json"), JSON.stringify(config));
    const config = { peft_type: "LORA", r: 4, lora_alpha: 6, target_modules: ["query", "value"] };
    await write({ ...config, peft_type: "IA3" });
    await assertRejects(() => loadLora(other, dir), ConfigError, 'peft_type is "IA3"');
    await write({ ...config, alpha_pattern: { query: 2 } });
    await assertRejects(() => loadLora(other, dir), ConfigError, "alpha_pattern");
    await write(config);
    await assertRejects(() => loadLora(other, dir), CheckpointError, "there is no such file");
    await Deno.copyFile(join(PEFT, "adapter_model.safetensors"), join(dir, "adapter_model.safetensors"));
    await assertRejects(() => loadLora(other, dir), CheckpointError, "is [2, 12], not [4, 12]");
    assert(other.parameters().every((p) => p.requiresGrad), "nothing of it is left");
  });
});
