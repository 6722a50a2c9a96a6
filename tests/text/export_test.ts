/**
 * Exported learners of texts: another process has the same predictions, and writes the same texts.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  awdLstm,
  bertModel,
  CheckpointError,
  ConfigError,
  gptModel,
  languageModelLearner,
  LmLearner,
  loadLearner,
  setSeed,
  type TextArch,
  TextClassifierLearner,
  textClassifierLearner,
  TextDataLoaders,
  Tokenizer,
} from "../../mod.ts";
import { openSafetensors, writeSafetensors } from "../../src/io/safetensors.ts";
import { hostTensors, readTensors } from "../../src/io/tensors.ts";
import { silentLogger } from "../../src/train/mod.ts";

const quiet = { logger: silentLogger };
const texts = Array.from({ length: 24 }, (_, i) => `${i % 2 ? "good" : "bad"} ${"film ".repeat(i % 5)}end`);
const labels = texts.map((_, i) => i % 2 ? "pos" : "neg");
const hub = (JSON.parse(await Deno.readTextFile(new URL("../golden/text.json", import.meta.url))) as {
  hub: { json: object }[];
}).hub[0].json;

const CLASSIFIERS: Readonly<Record<string, TextArch>> = {
  awdLstm: awdLstm.with({ embSize: 8, hidden: 12, layers: 2 }),
  bertModel: bertModel({ hiddenSize: 16, layers: 1, heads: 2, intermediateSize: 32, maxLength: 32 }),
};
const MODELS: Readonly<Record<string, TextArch>> = {
  awdLstm: CLASSIFIERS.awdLstm,
  gptModel: gptModel({ nLayer: 1, nHead: 2, nEmbd: 16, blockSize: 16 }),
};

for (const [name, arch] of Object.entries(CLASSIFIERS)) {
  for (const tokenizer of [Tokenizer.words(), await Tokenizer.fromJson(hub)]) {
    Deno.test(`a classifier of ${name} with ${tokenizer.kind} comes back whole`, async () => {
      const path = await Deno.makeTempDir();
      try {
        setSeed(1);
        const options = tokenizer.size === 0 ? { minFreq: 1 } : {};
        const dls = await TextDataLoaders.fromTexts(texts, labels, { tokenizer, bs: 4, seqLen: 16, path, ...options });
        const learn = await textClassifierLearner(dls, arch, quiet);
        await learn.fit(1);
        const again = await loadLearner(await learn.export(), quiet);
        assert(again instanceof TextClassifierLearner);
        for (const text of ["a good film", "", "😀 日本"]) {
          const a = await learn.predict(text), b = await again.predict(text);
          assertEquals([b.label, await b.pred.array()], [a.label, await a.pred.array()]);
        }
        const dl = await again.textDls.testDl(texts.slice(0, 5));
        assertEquals((await again.getPreds({ dl })).preds.shape, [5, 2]);
      } finally {
        await Deno.remove(path, { recursive: true });
      }
    });
  }
}

for (const [name, arch] of Object.entries(MODELS)) {
  Deno.test(`a language model of ${name} comes back and writes the same`, async () => {
    const path = await Deno.makeTempDir();
    try {
      setSeed(2);
      const tokenizer = Tokenizer.chars();
      const dls = await TextDataLoaders.fromTexts(texts, { isLm: true, tokenizer, bs: 2, seqLen: 8, path });
      const learn = await languageModelLearner(dls, arch, quiet);
      await learn.fit(1);
      const file = await learn.export("lm");
      const again = await loadLearner(file, quiet) as unknown as LmLearner;
      assert(again instanceof LmLearner);
      const options = { seed: 3, temperature: 0.8 };
      // more tokens than a window of GPT holds
      assertEquals(await again.predict("good f", 30, options), await learn.predict("good f", 30, options));

      const opened = await openSafetensors(file), key = "anneal.learner";
      const json = JSON.parse(opened.metadata.get(key)!);
      json.inputs.tokenizer.vocab.push("one too many");
      const damaged = join(path, "damaged.safetensors");
      await writeSafetensors(damaged, await hostTensors(await readTensors(opened)), { [key]: JSON.stringify(json) });
      await assertRejects(() => loadLearner(damaged, quiet), CheckpointError, "the vocabulary");
    } finally {
      await Deno.remove(path, { recursive: true });
    }
  });
}

Deno.test("a tokenizer that is code cannot be exported, and says so", async () => {
  const tokenizer = Tokenizer.own((t) => t.split(" "), { minFreq: 1 });
  const dls = await TextDataLoaders.fromTexts(texts, labels, { tokenizer, bs: 4 });
  const learn = await textClassifierLearner(dls, CLASSIFIERS.awdLstm, quiet);
  await assertRejects(() => learn.export("/tmp/never"), ConfigError, "its tokenizer is code of your own");
});
