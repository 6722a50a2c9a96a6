/**
 * Learners of texts and of tables in half precision: their losses are those of f32, to what f16 changes, and they come back from
 * files.
 */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { join } from "@std/path";
import {
  awdLstm,
  bertModel,
  DataLoaders,
  gptModel,
  languageModelLearner,
  type Learner,
  loadLearner,
  setSeed,
  tabularLearner,
  textClassifierLearner,
  TextDataLoaders,
} from "../../mod.ts";
import { silentLogger } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";

const quiet = { logger: silentLogger };
const story = Array.from({ length: 48 }, (_, i) => {
  const [who, verb] = [["the cat", "sits"], ["a dog", "runs"], ["my bird", "sings"]][i % 3];
  return `${who} ${verb} ${["here", "there"][i % 2]} .`;
});
const films = Array.from({ length: 24 }, (_, i) => `${i % 2 ? "good" : "bad"} ${"film ".repeat(i % 5)}end`);
const rows = Array.from({ length: 80 }, (_, i) => ({
  color: ["red", "green"][i % 2],
  size: i % 7 + 0.5,
  label: ["no", "yes"][i % 3 % 2],
}));
const options = { bs: 4, seqLen: 8, minFreq: 1, seed: 1 };
const stories = (path: string) => TextDataLoaders.fromTexts(story, { isLm: true, path, ...options });

/** Learners, each the same every time; AWD-LSTM has dropout in the products' weights, the table batch norms and embeddings. */
const LEARNERS: Readonly<Record<string, (path: string) => Promise<Learner>>> = {
  awdLstm: async (path) =>
    await languageModelLearner(await stories(path), awdLstm.with({ embSize: 16, hidden: 24, layers: 2 }), {
      dropMult: 0.1,
      ...quiet,
    }),
  gpt: async (path) =>
    await languageModelLearner(
      await stories(path),
      gptModel({ nLayer: 1, nHead: 2, nEmbd: 16, blockSize: 16 }),
      quiet,
    ),
  bert: async (path) =>
    await textClassifierLearner(
      await TextDataLoaders.fromTexts(films, films.map((text) => text[0]), { path, ...options }),
      bertModel({ hiddenSize: 16, layers: 1, heads: 2, intermediateSize: 32, maxLength: 32 }),
      quiet,
    ),
  table: async () =>
    tabularLearner(await DataLoaders.fromTable(rows, { target: "label", bs: 16 }), {
      layers: [8],
      dropout: 0.1,
      ...quiet,
    }),
};

/**
 * Logits here are below 4, where f16 is off by 2^-10 at most, and a cross entropy moves by no more than twice as much as they do. What
 * weights have come to moves them less: the largest difference seen is a tenth of it.
 */
const BOUND = 2 ** -9;

onDevices("text and tables in half precision have the losses of f32, and come back from files", async () => {
  const path = await Deno.makeTempDir();
  try {
    for (const [name, make] of Object.entries(LEARNERS)) {
      const run = async (half: boolean) => {
        setSeed(3);
        const learn = await make(path);
        if (half) learn.toFp16();
        await learn.fitOneCycle(2, { lrMax: 1e-2 });
        return learn;
      };
      const half = await run(true), wide = await run(false), losses = half.recorder.rawLosses;
      losses.forEach((loss, i) => assertAlmostEquals(loss, wide.recorder.rawLosses[i], BOUND, `${name}, step ${i}`));
      assert(losses.some((loss, i) => loss !== wide.recorder.rawLosses[i]), `${name}: nothing was rounded`);
      const again = await loadLearner(await half.export(join(path, `${name}.anneal`)), quiet);
      const [before, after] = [await half.toFp32().validate(), await again.validate({ dl: half.dls.valid })];
      assertEquals(after, before, name);
    }
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}, { kinds: ["cpu"] });
