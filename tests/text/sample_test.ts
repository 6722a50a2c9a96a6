/**
 * What a language model writes after each epoch, where a classifier errs, and what the live page shows of it.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  awdLstm,
  ConfigError,
  languageModelLearner,
  LivePage,
  SampleText,
  setSeed,
  textClassifierLearner,
  TextDataLoaders,
  TextInterpretation,
} from "../../mod.ts";
import { readAll } from "../../src/tensor/mod.ts";
import { silentLogger } from "../../src/train/mod.ts";

const small = awdLstm.with({ embSize: 8, hidden: 8, layers: 1 });
const texts = Array.from({ length: 30 }, (_, i) => `${i % 2 ? "good" : "bad"} film ${"so ".repeat(i % 4)}end`);

async function lm(lines: string[] = []) {
  setSeed(1);
  const dls = await TextDataLoaders.fromTexts(texts, { isLm: true, bs: 2, seqLen: 8, minFreq: 1, seed: 1 });
  return await languageModelLearner(dls, small, {
    logger: { ...silentLogger, line: (l: string) => void lines.push(l) } as never,
  });
}

Deno.test("SampleText writes after each epoch and changes nothing of the fit", async () => {
  const lines: string[] = [];
  const with_ = await lm(lines), without = await lm();
  const samples = new SampleText("good", { n: 5, temperature: 0.5 });
  setSeed(4);
  await with_.fitOneCycle(3, { lrMax: 1e-2, cbs: samples });
  setSeed(4);
  await without.fitOneCycle(3, { lrMax: 1e-2 });
  assertEquals(samples.samples.map(({ epoch }) => epoch), [0, 1, 2]);
  assert(samples.samples.every(({ text }) => text.startsWith("good ")));
  assertEquals(lines.filter((l) => l.startsWith("Epoch ")).length, 3);
  const weights = async (l: typeof with_) => (await readAll(l.model.parameters())).map((v) => [...v]);
  assertEquals(await weights(with_), await weights(without));
  await with_.fit(2, { cbs: new SampleText("", { n: 2, every: 2 }) });
  assertEquals(lines.filter((l) => l.startsWith("Epoch ")).length, 4);
});

Deno.test("SampleText is for language models", async () => {
  const labels = texts.map((_, i) => i % 2 ? "pos" : "neg");
  const dls = await TextDataLoaders.fromTexts(texts, labels, { bs: 4, minFreq: 1 });
  const learn = await textClassifierLearner(dls, small, { logger: silentLogger });
  await assertRejects(() => learn.fit(1, { cbs: new SampleText("a") }), ConfigError, "languageModelLearner");
});

Deno.test("the live page shows the newest samples, as text", async () => {
  const learn = await lm(), page = new LivePage({ port: 0 });
  try {
    await learn.fit(2, { cbs: [page] });
    assertEquals((await look(page)).texts, []);
    // callbacks of a fit leave with it, and this one stays
    learn.addCb(new SampleText("<b>bad</b>", { n: 3 })).addCb(page);
    await learn.fit(2);
    const { texts } = await look(page) as { texts: { title: string; text: string }[] };
    assertEquals(texts.map(({ title }) => title), ["Epoch 1", "Epoch 0"]);
  } finally {
    await page.close();
  }
});

/** What a page that is opened now gets first. */
async function look(page: LivePage): Promise<{ texts: unknown }> {
  const response = await fetch(new URL("events", page.url!));
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let found = false; !found; found = /^data: .*\n\n/m.test(text)) {
    const { value, done } = await reader.read();
    if (value !== undefined) text += value;
    if (done) break;
  }
  await reader.cancel();
  return JSON.parse(/^data: (.*)$/m.exec(text)![1]);
}

Deno.test("texts with the largest losses, and the matrix of classes", async () => {
  setSeed(2);
  const labels = texts.map((_, i) => i % 2 ? "pos" : "neg");
  labels[7] = "neg"; // a good film that is called bad
  const dls = await TextDataLoaders.fromTexts(texts, labels, {
    bs: 4,
    minFreq: 1,
    seed: 3,
    splitter: () => [[...Array(24).keys()].filter((i) => i !== 7), [7, ...Array.from({ length: 6 }, (_, i) => 24 + i)]],
  });
  const learn = await textClassifierLearner(dls, small, { logger: silentLogger });
  await learn.fitOneCycle(6, { lrMax: 3e-2 });
  const judged = await TextInterpretation.fromLearner(learn);
  const [worst] = judged.topLosses(1);
  assertEquals([worst.text, worst.actual, worst.predicted], [texts[7], "neg", "pos"]);
  assert(worst.loss > Math.log(2) && worst.probability > 0.5);
  const losses = judged.topLosses().map(({ loss }) => loss);
  assertEquals(losses, losses.toSorted((a, b) => b - a));
  assertEquals(judged.confusionMatrix().flat().reduce((a, b) => a + b), 7);
  assert(judged.showTopLosses({ maxN: 2, width: 70 }).split("\n")[1].startsWith("good film"));
  assert((await judged.plotConfusionMatrix().svg()).includes("pos"));
  await assertRejects(() => TextInterpretation.fromLearner(undefined as never), ConfigError, "textClassifierLearner");
});
