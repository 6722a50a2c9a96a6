/**
 * AWD-LSTM as fastai has it: names, values, carried state, regularization in training, dropouts.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  awdLstm,
  ConfigError,
  DataLoaders,
  EmbeddingDropout,
  Learner,
  ModelResetter,
  nn,
  ones,
  Parameter,
  randn,
  readAll,
  Rng,
  type RnnOutputs,
  RNNRegularizer,
  type SequenceEncoder,
  setSeed,
  SGD,
  ShapeError,
  silentLogger,
  type Tensor,
  tensor,
  WeightDropout,
  zeros,
} from "../../mod.ts";
import { onDevices } from "../support/devices.ts";
import { filledState, near, recorded } from "../support/text_models.ts";

const onCpu = { kinds: ["cpu"] } as const;
const want = recorded().awdLstm;
const SIZES = { embSize: 6, hidden: 8, layers: 2 } as const;
const make = (options = {}) => awdLstm.with(SIZES)(want.vocab, options) as SequenceEncoder;
const encoder = () => make({ dropMult: 0 });

/** The encoder with the output layer that fastai's language models have. */
class Model extends nn.Module<[Tensor]> {
  readonly encoder = encoder();
  readonly bias = new Parameter(zeros([want.vocab]));
  #outputs: RnnOutputs | null = null;
  get rnnOutputs(): RnnOutputs | null {
    return this.#outputs;
  }
  override forward(ids: Tensor): Tensor {
    const raw = this.encoder.forward(ids);
    this.#outputs = { raw, dropped: raw };
    return raw.matmul(this.encoder.tiedWeight!.transpose(0, 1)).add(this.bias);
  }
}

function load(model: Model): void {
  const names: string[] = want.names;
  const ours = names.map((n) => n.replace(/^0\./, "encoder.").replace("1.decoder.bias", "bias"));
  const own = model.stateDict();
  assertEquals([...own.keys()].sort(), [...ours].sort(), "fastai's names");
  model.loadStateDict(filledState(ours, own));
}

/** Batch `i` of the recorded stream. */
function batch(i: number, texts: readonly number[] = [0, 1]): { x: Tensor; y: Tensor } {
  const part = (shift: number) =>
    tensor(
      Int32Array.from(texts.flatMap((t) => want.stream[t].slice(i * want.seq + shift, (i + 1) * want.seq + shift))),
      {
        shape: [texts.length, want.seq],
      },
    );
  return { x: part(0), y: part(1) };
}

onDevices("outputs are fastai's, batch after batch, also where the number of texts changes", async () => {
  const model = new Model();
  load(model);
  model.eval();
  const forward = async (x: Tensor, at: number) => await near(model.forward(x), want.outputs[at], 2e-6, `batch ${at}`);
  await forward(batch(0).x, 0);
  await forward(batch(1).x, 1);
  // items 0, 1 and 2 of the stream in fastai's order: the third is the next piece of the first text
  const [a, b] = [await batch(0).x.data(), await batch(1).x.data()];
  const wide = tensor(Int32Array.from([...a, ...b.slice(0, want.seq)]), { shape: [3, want.seq] });
  await forward(wide, 2);
  await forward(wide.slice([[0, 1]]), 3);
  model.encoder.reset();
  await near(model.forward(batch(0).x), want.outputs[0], 2e-6, "after a reset");
}, onCpu);

onDevices("training with AR and TAR follows fastai, and its steps are replayed", async () => {
  const model = new Model();
  load(model);
  const batches = want.losses.length;
  const all = (shift: "x" | "y") =>
    Array.from({ length: batches }, (_, i) => [0, 1].map((t) => batch(i, [t])[shift])).flat();
  const numbers = async (ts: Tensor[]) => Int32Array.from((await readAll(ts)).flatMap((d) => [...d]));
  const sets = { shape: [2 * batches, want.seq] };
  const x = tensor(await numbers(all("x")), sets), y = tensor(await numbers(all("y")), sets);
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 2, shuffle: false });
  const learn = new Learner(dls, model, {
    lossFunc: new nn.CrossEntropyLoss({ axis: -1 }),
    optFunc: SGD,
    cbs: [new ModelResetter(), new RNNRegularizer({ alpha: want.alpha, beta: want.beta })],
    logger: silentLogger,
    trainBn: false,
  });
  await learn.fit(1, { lr: want.lr, wd: 0 });
  for (const [name, p] of model.namedParameters()) {
    const theirs = name.replace(/^encoder\.encoder/, "0.encoder").replace(/^encoder\.rnns/, "0.rnns").replace(
      /^bias/,
      "1.decoder.bias",
    );
    await near(p, want.trained[theirs], 5e-6, name);
  }
  const row = learn.recorder.rows.at(-1)!;
  assert(Math.abs(Number(row.valid_loss) - want.valid) < 1e-5, `${row.valid_loss}, fastai ${want.valid}`);
  assert(learn.steps.count >= batches - 2, `${learn.steps.count} steps were replayed`);
  assertEquals((learn as Learner<Model>).model.encoder.carriesState, true);
}, onCpu);

onDevices("a classifier carries nothing, and its padding changes nothing", async () => {
  const classifier = make({ task: "classifier", dropMult: 0, rng: new Rng(1) });
  const run = async (x: Tensor, mask: Tensor) => [...await classifier.forward(x, mask).data()];
  const mask = tensor([[1, 1, 0], [1, 1, 1], [0, 0, 0]]).cast("bool");
  const ids = (pad: number) => tensor(Int32Array.of(2, 3, pad, 4, 5, 6, pad, pad, pad), { shape: [3, 3] });
  const first = await run(ids(1), mask);
  assertEquals(await run(ids(1), mask), first);
  assertEquals(await run(ids(7), mask), first);
  assert(first.every(Number.isFinite));
  assertEquals([classifier.carriesState, classifier.outputDropout, make({ task: "classifier" }).outputDropout], [
    false,
    0,
    0.4,
  ]);
}, onCpu);

onDevices("weights and words are dropped in training, others in every batch, and scaled", async () => {
  setSeed(2);
  const rng = new Rng(5), lstm = new nn.LSTM(3, 16, { rng }), raw = await lstm.parameters()[1].data();
  const dropping = new WeightDropout(lstm, 0.5);
  assertEquals([...dropping.stateDict().keys()], [
    "weight_hh_l0_raw",
    "module.weight_ih_l0",
    "module.bias_ih_l0",
    "module.bias_hh_l0",
  ]);
  const x = randn([2, 3, 3], { rng });
  const used = async () => {
    dropping.forward(x);
    return await (lstm as unknown as { weight_hh_l0: Tensor }).weight_hh_l0.data();
  };
  const one = await used(), two = await used();
  const dropped = [...one].filter((w, i) => w === 0 || Math.abs(w - 2 * raw[i]) > 1e-6 ? w === 0 : false).length;
  assert([...one].every((w, i) => w === 0 || Math.abs(w - 2 * raw[i]) < 1e-6));
  assert(dropped > 0.4 * raw.length && dropped < 0.6 * raw.length, `${dropped} of ${raw.length}`);
  assert(`${one}` !== `${two}`);
  dropping.eval();
  assertEquals(await used(), raw);
  const words = new EmbeddingDropout(
    new nn.Embedding(50, 2, { init: (shape) => new Float32Array(shape[0] * shape[1]).fill(1) }),
    0.5,
  );
  const ids = tensor(Int32Array.from({ length: 100 }, (_, i) => i % 50), { shape: [2, 50] });
  const [a, b] = await words.forward(ids).array() as number[][][];
  assertEquals(a, b, "a word is dropped wherever it stands");
  assertEquals(new Set(a.flat()), new Set([0, 2]));
}, onCpu);

Deno.test("fastai's sizes and probabilities are the default ones; groups go from the tokens up", () => {
  const big = awdLstm.with({ hidden: 8 })(20, { dropMult: 0.5 }) as SequenceEncoder & { rnns: { p: number }[] };
  assertEquals([big.hiddenSize, big.rnns.length, big.rnns[0].p, big.outputDropout], [400, 3, 0.1, 0.05]);
  const groups = big.layerGroups().map((group) => [...new Set(group.flatMap((m) => m.parameters()))]);
  assertEquals(groups.map((g) => g.length), [1, 4, 4, 4]);
  assertEquals(new Set(groups.flat()).size, big.parameters().length);
});

Deno.test("what is wrong is said", async () => {
  const model = make();
  assertThrows(() => model.forward(zeros([3]).cast("i32")), ShapeError, "numbers of tokens [b, n]");
  assertThrows(() => model.forward(zeros([2, 3]).cast("i32"), ones([2, 2])), ShapeError, "a mask of the same shape");
  assertThrows(() => model.forward(tensor(Int32Array.of(3, 11), { shape: [1, 2] })), ShapeError, "element 11 of 11");
  assertThrows(() => awdLstm.with({ layers: 0 }), ConfigError, "a whole number from 1");
  assertThrows(() => make({ dropMult: -1 }), ConfigError, "dropMult is a number from 0");
  assertThrows(() => new RNNRegularizer({ alpha: -1 }), ConfigError, "finite numbers from 0");
  const dls = DataLoaders.fromArrays({ x: ones([4, 2]), y: ones([4, 1]) }, { bs: 2 });
  const learn = new Learner(dls, new nn.Linear(2, 1), {
    lossFunc: new nn.MSELoss(),
    cbs: [new RNNRegularizer({ beta: 1 })],
    logger: silentLogger,
  });
  await assertRejects(() => learn.fit(1), ConfigError, "needs a language model");
});
