/**
 * Learners of texts: they learn, write on, go on after an interruption, and carry what they learnt to each other.
 *
 * @module
 */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  accuracy,
  awdLstm,
  Checkpoint,
  ConfigError,
  InterruptCallback,
  languageModelLearner,
  lmSplitter,
  ModelResetter,
  nn,
  perplexity,
  poolTexts,
  Rng,
  RNNRegularizer,
  setSeed,
  ShapeError,
  slice,
  tensor,
  TextClassifier,
  textClassifierLearner,
  type TextClassifierOptions,
  TextDataLoaders,
} from "../../mod.ts";
import { InterruptedError } from "../../src/base/errors.ts";
import { CheckpointError } from "../../src/base/errors.ts";
import { readAll } from "../../src/tensor/mod.ts";
import { drawToken } from "../../src/text/generate.ts";
import { silentLogger } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";

const small = awdLstm.with({ embSize: 16, hidden: 24, layers: 2 });

/** Sentences that follow a simple rule. */
const story = Array.from({ length: 60 }, (_, i) => {
  const [who, verb] = [["the cat", "sits"], ["a dog", "runs"], ["my bird", "sings"]][i % 3];
  return `${who} ${verb} ${["here", "there"][i % 2]} .`;
});

async function lmDls(options: object = {}): Promise<TextDataLoaders> {
  return await TextDataLoaders.fromTexts(story, { isLm: true, bs: 4, seqLen: 8, minFreq: 1, seed: 1, ...options });
}

const quiet = { logger: silentLogger };

onDevices("a language model learns, says its perplexity, and writes on", async () => {
  setSeed(3);
  const learn = await languageModelLearner(await lmDls(), small, {
    dropMult: 0.1,
    metrics: [accuracy, perplexity],
    ...quiet,
  });
  assertEquals(learn.moms, [0.8, 0.7, 0.8]);
  assert(learn.findCb(ModelResetter) !== null);
  assertEquals([learn.findCb(RNNRegularizer)?.alpha, learn.findCb(RNNRegularizer)?.beta], [2, 1]);
  await learn.fitOneCycle(10, { lrMax: 3e-2 });
  const row = learn.recorder.rows.at(-1)!;
  assert(row.perplexity! < 4, `the perplexity is ${row.perplexity}`);
  assertAlmostEquals(row.perplexity!, Math.exp(row.valid_loss!), 1e-4);
  assert(learn.steps.count > 0.7 * 10 * (learn.dls.train.length - 2), `${learn.steps.count} steps were replayed`);
  const text = await learn.predict("the cat", 8, { temperature: 0.3, seed: 1 });
  assert(/^the cat (sits|runs|sings) (here|there)\./.test(text), text);
  assertEquals(await learn.predict("the cat", 8, { temperature: 0.3, seed: 1 }), text);
  assertEquals(await learn.predict("the cat", 0), "the cat");
  const greedy = await learn.predict("a dog", 4, { temperature: 0 });
  assertEquals(await learn.predict("a dog", 4, { topK: 1 }), greedy);
  const table = await learn.showResults({ maxN: 2, width: 90 });
  assertEquals(table.split("\n").length, 3);
}, { kinds: ["cpu"] });

Deno.test("predictions of a stream whose last batch is shorter are refused, not mixed up", async () => {
  const learn = await languageModelLearner(await lmDls({ seqLen: 7, validPct: 0.3 }), small, quiet);
  const lengths: number[] = [];
  for await (const [x] of learn.dls.valid) lengths.push(x.shape[1]);
  assert(lengths.at(-1) !== lengths[0], lengths.join());
  await assertRejects(() => learn.getPreds(), ShapeError, "batch by batch");
});

Deno.test("a state is carried from token to token: what is written is what the whole text gives", async () => {
  setSeed(4);
  const learn = await languageModelLearner(await lmDls(), small, quiet);
  await learn.fit(1, { lr: 1e-2 });
  const { model, textDls: { tokenizer } } = learn;
  const start = [...tokenizer.encode(story.slice(0, 4).join(" "))]; // longer than what goes through at once
  assert(start.length > 16);
  const text = await learn.predict(story.slice(0, 4).join(" "), 6, { temperature: 0 });
  const expected = [...start];
  model.eval();
  for (let k = 0; k < 6; k++) { // from scratch each time
    model.reset();
    const scores = model.forward(tensor(Int32Array.from(expected), { shape: [1, expected.length] }));
    const last = await scores.slice([null, [expected.length - 1, expected.length]]).reshape([-1]).data();
    const allowed = Array.from(last, (v, i) => i === tokenizer.padId || i === tokenizer.unkId ? -Infinity : v);
    expected.push(allowed.indexOf(Math.max(...allowed)));
  }
  assertEquals(text, tokenizer.decode(expected));
});

Deno.test("tokens are drawn by their probabilities, within topK and minP, and none that must not be", async () => {
  const scores = [0.6, 0.3, 0.1].map(Math.log).concat(5, -Infinity), rng = new Rng(7);
  const shares = (options: object) => {
    const counts = [0, 0, 0, 0, 0], n = 4000;
    for (let i = 0; i < n; i++) {
      counts[drawToken(scores, { temperature: 1, topK: 99, minP: 0, never: [3], ...options }, rng)]++;
    }
    return counts.map((c) => c / n);
  };
  for (
    const [options, want] of [
      [{}, [0.6, 0.3, 0.1, 0, 0]],
      [{ topK: 2 }, [2 / 3, 1 / 3, 0, 0, 0]],
      [{ minP: 0.2 }, [2 / 3, 1 / 3, 0, 0, 0]],
      [{ minP: 0.9 }, [0.6, 0.3, 0.1, 0, 0]], // none is as probable
      [{ temperature: 0.5 }, [0.36 / 0.46, 0.09 / 0.46, 0.01 / 0.46, 0, 0]],
      [{ temperature: 0 }, [1, 0, 0, 0, 0]],
    ] as const
  ) {
    const got = shares(options);
    got.forEach((g, i) => assert(Math.abs(g - want[i]) < 0.03, `${JSON.stringify(options)}: ${got}`));
  }
  const learn = await languageModelLearner(await lmDls(), small, quiet);
  await assertRejects(() => learn.predict("the", -1), ConfigError, "whole and not negative");
  await assertRejects(() => learn.predict("the", 1, { temperature: -1 }), ConfigError, "temperature -1");
  await assertRejects(() => learn.predict("the", 1, { top: 1 } as never), ConfigError, "topK");
});

onDevices("a fit of a language model goes on in the middle of an epoch, with the state that it carried", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const make = async (path: string) => {
      setSeed(5);
      return await languageModelLearner(await lmDls({ path }), small, quiet);
    };
    const bits = async (learn: Awaited<ReturnType<typeof make>>) =>
      (await readAll(learn.model.parameters())).map((v) => [...v]);
    const whole = await make(join(dir, "a"));
    await whole.fitOneCycle(2, { lrMax: 1e-2 });
    const first = await make(join(dir, "b"));
    const checkpoint = () => new Checkpoint({ dir: "ck", everySteps: 3, onSignal: "ignore" });
    const stop = new class extends InterruptCallback {
      override afterBatch(): void {
        if (this.learn.training && this.learn.trainIter === 7) this.learn.interrupt("enough");
      }
    }(99);
    await first.fitOneCycle(2, { lrMax: 1e-2, cbs: [checkpoint(), stop] }).catch((e) => {
      if (!(e instanceof InterruptedError)) throw e;
    });
    const again = await make(join(dir, "b"));
    await again.fitOneCycle(2, { lrMax: 1e-2, cbs: [checkpoint()], resume: true });
    assertEquals(await bits(again), await bits(whole));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}, { kinds: ["cpu"] });

const reviews = Array.from(
  { length: 80 },
  (_, i) => `${i % 2 ? "a good" : "a bad"} ${"film ".repeat(1 + i % 9)}`.trim(),
);
const marks = reviews.map((_, i) => i % 2 ? "pos" : "neg");

async function classifier(dlsOptions: object = {}, options: TextClassifierOptions = {}) {
  const dls = await TextDataLoaders.fromTexts(reviews, marks, { bs: 8, minFreq: 1, seed: 2, ...dlsOptions } as object);
  return await textClassifierLearner(dls, small, { metrics: [accuracy], ...quiet, ...options });
}

onDevices("a classifier of texts learns, names classes, and gives predictions in the texts' order", async () => {
  setSeed(6);
  const learn = await classifier();
  await learn.fitOneCycle(4, { lrMax: 1e-2 });
  assertEquals(learn.recorder.rows.at(-1)!.accuracy, 1);
  assert(learn.steps.count > 0, "no step was replayed");
  const { label, pred } = await learn.predict("a good film film");
  assertEquals([label, pred.shape], ["pos", [2]]);
  assertEquals((await learn.predict("")).pred.shape, [2]);
  const { preds, targs } = await learn.getPreds();
  assertEquals(await targs.array(), [...learn.textDls.validSet.codes]);
  const [some] = await readAll([preds]);
  for (const i of [0, 5]) {
    const one = await (await learn.predict(learn.textDls.validSet.texts[i])).pred.data();
    one.forEach((p, k) => assertAlmostEquals(p, some[2 * i + k], 1e-5));
  }
  const dl = await learn.textDls.testDl(["a bad film", "a good film film film film film", "a bad film film"]);
  const { preds: three } = await learn.getPreds({ dl });
  assertEquals((await three.argmax({ axis: 1 }).array()) as number[], [0, 1, 0]);
  const vectors = await learn.embed(["a good film", "a bad film film film", "a good film"], { bs: 2 });
  const [v] = await readAll([vectors]);
  assertEquals(vectors.shape, [3, 48]);
  assertEquals([...v.subarray(0, 48)], [...v.subarray(96)]);
  assert((await learn.showResults({ maxN: 3, width: 60 })).startsWith("text"));
}, { kinds: ["cpu"] });

Deno.test("parameter groups are fastai's, and unfreeze one after the other", async () => {
  const lm = await languageModelLearner(await lmDls(), small, quiet);
  // the vectors of tokens are the output's weights: they train with it
  assertEquals(lmSplitter(lm.model).map((g) => g.length), [4, 4, 2]);
  const learn = await classifier();
  assertEquals(learn.groups().map((g) => g.length), [1, 4, 4, 6]);
  const weights = async () => (await readAll(learn.groups().map(([first]) => first))).map((v) => v.join());
  let before = await weights();
  const changed = async () => {
    const now = await weights(), out = now.map((w, i) => w !== before[i]);
    before = now;
    return out;
  };
  learn.freeze();
  await learn.fit(1, { lr: 1e-2 });
  assertEquals(await changed(), [false, false, false, true]);
  learn.freezeTo(-2);
  await learn.fitOneCycle(1, { lrMax: slice(1e-2 / 2.6 ** 4, 1e-2) });
  assertEquals(await changed(), [false, false, true, true]);
  learn.unfreeze();
  await learn.fit(1, { lr: 1e-2 });
  assertEquals(await changed(), [true, true, true, true]);
});

Deno.test("an encoder goes from a language model to a classifier, whose tokens may be others", async () => {
  const path = await Deno.makeTempDir();
  try {
    const texts = [...reviews.slice(0, 40)];
    const dls = await TextDataLoaders.fromTexts(texts, { isLm: true, bs: 2, seqLen: 6, minFreq: 1, path });
    const lm = await languageModelLearner(dls, small, quiet);
    await lm.saveEncoder("enc");
    const same = await classifier({ textVocab: dls.textVocab, path });
    await same.loadEncoder("enc");
    const [a, b] = await readAll([lm.model.encoder.tiedWeight!, same.model.encoder.tiedWeight!]);
    assertEquals([...a], [...b]);
    const lines: string[] = [];
    const other = await classifier({ textVocab: ["xxunk", "xxpad", "film", "new"], minFreq: undefined, path }, {
      logger: { line: (l: string) => void lines.push(l) } as never,
    });
    await other.loadEncoder("enc");
    assert(lines.some((l) => l.includes("3 of 4 tokens have the vector")), lines.join());
    const [c] = await readAll([other.model.encoder.tiedWeight!]);
    const film = dls.textVocab.indexOf("film");
    assertEquals([...c.subarray(32, 48)], [...a.subarray(film * 16, film * 16 + 16)]);
    const mean = (k: number) =>
      Array.from(a).filter((_, i) => i % 16 === k).reduce((x, y) => x + y, 0) / dls.textVocab.length;
    assertAlmostEquals(c[48], mean(0), 1e-6);
    const wide = await textClassifierLearner(
      await TextDataLoaders.fromTexts(reviews, marks, { textVocab: dls.textVocab, path, bs: 8 }),
      awdLstm.with({ embSize: 8, hidden: 8, layers: 1 }),
      quiet,
    );
    await assertRejects(() => wide.loadEncoder("enc"), ConfigError, "AwdLstm");
    await assertRejects(() => wide.loadEncoder("nope"), CheckpointError, "there is no such file");
  } finally {
    await Deno.remove(path, { recursive: true });
  }
});

Deno.test("one vector for a text: last, largest, mean; padding counts for nothing, and no token gives no NaN", async () => {
  const x = tensor([[[1, -5], [3, -1], [100, 100]], [[2, 2], [100, 100], [100, 100]], [[7, 7], [8, 8], [9, 9]]]);
  const mask = tensor([[1, 1, 0], [1, 0, 0], [0, 0, 0]]).gt(0);
  assertEquals(await poolTexts(x, mask, "concat").array(), [
    [3, -1, 3, -1, 2, -3],
    [2, 2, 2, 2, 2, 2],
    [0, 0, 0, 0, 0, 0],
  ]);
  assertEquals(await poolTexts(x, mask, "mean").array(), [[2, -3], [2, 2], [0, 0]]);
  assertEquals(await poolTexts(x, mask, "first").array(), [[1, -5], [2, 2], [0, 0]]);
});

Deno.test("learners of texts say what does not fit", async () => {
  const lm = await lmDls(), clf = (await classifier()).textDls;
  const none = undefined as never;
  await assertRejects(() => languageModelLearner(clf, small), ConfigError, "load them with { isLm: true }");
  await assertRejects(() => textClassifierLearner(lm, small), ConfigError, "load them without isLm");
  await assertRejects(() => textClassifierLearner(lmDls() as never, small), ConfigError, "await them first");
  await assertRejects(() => languageModelLearner(lm, none), ConfigError, "the architecture comes second");
  await assertRejects(() => languageModelLearner(lm, small, { drop_mult: 1 } as never), ConfigError, "dropMult");
  await assertRejects(
    () => languageModelLearner(lm, awdLstm.with({ bidirectional: true, embSize: 4, hidden: 4 })),
    ConfigError,
    "sees what comes after",
  );
  const few = (n: number) => small(n - 3);
  await assertRejects(() => textClassifierLearner(clf, few), ConfigError, "and the vocabulary has");
  const short = (n: number, o?: object) => Object.defineProperty(small(n, o) as never, "maxLength", { value: 16 });
  await assertRejects(() => textClassifierLearner(clf, short), ConfigError, "load the texts with { seqLen: 16 }");
  assert(new TextClassifier(await small(9, { task: "classifier" }), 2).head instanceof nn.Sequential);
});
