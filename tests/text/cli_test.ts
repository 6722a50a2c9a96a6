/**
 * Texts on the command line: a recipe trains, `predict` takes texts and files, `generate` writes on.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { ConfigError, silentLogger } from "../../mod.ts";
import { generateText, predictRun } from "../../src/cli/inspect.ts";
import { checkRecipe } from "../../src/cli/recipe/check.ts";
import { trainRecipe } from "../../src/cli/train.ts";

async function trained(data: string, model: string, body: (run: string, folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    for (let i = 0; i < 24; i++) {
      const part = i < 18 ? "train" : "valid", label = i % 2 ? "pos" : "neg";
      await Deno.mkdir(join(folder, "mails", part, label), { recursive: true });
      const text = `${i % 2 ? "good" : "bad"} film ${"so ".repeat(i % 3)}end`;
      await Deno.writeTextFile(join(folder, "mails", part, label, `${i}.txt`), text);
    }
    const text = `data: ${data}\nmodel: ${model}\npolicy: { kind: oneCycle, epochs: 15, lrMax: 3e-2 }\ndevice: cpu\n`;
    const file = join(folder, "recipe.yaml"), run = join(folder, "run");
    await Deno.writeTextFile(file, text);
    await trainRecipe(checkRecipe(file, text), file, { logger: silentLogger, out: run });
    await body(run, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test("a recipe trains a classifier of texts in folders, which predicts for texts and files", options, async () => {
  const data = "{ kind: text, path: mails, minFreq: 1, bs: 6, seqLen: 8 }";
  await trained(data, "{ kind: awdLstm, embSize: 8, hidden: 8, layers: 1 }", async (run, folder) => {
    const file = join(folder, "mails/train/neg/0.txt");
    const lines = await predictRun(run, ["a good film", file], [], silentLogger);
    assertEquals(lines.map((l) => "prediction" in l ? l.prediction : l.error), ["pos", "neg"]);
    await assertRejects(() => generateText(run, "a", { n: 3 }, silentLogger), ConfigError, "it has no language model");
  });
});

Deno.test("a recipe trains a language model of files, which writes on", options, async () => {
  const data = "{ kind: text, path: mails, isLm: true, tokenizer: chars, bs: 2, seqLen: 8 }";
  await trained(data, "{ kind: gpt, nLayer: 1, nHead: 1, nEmbd: 8, blockSize: 16 }", async (run) => {
    const text = await generateText(run, "good", { n: 20, seed: 1, temperature: 0.5 }, silentLogger);
    assert(text.startsWith("good") && text.length > 4, text);
    assertEquals(await generateText(run, "good", { n: 20, seed: 1, temperature: 0.5 }, silentLogger), text);
    await assertRejects(() => predictRun(run, ["a"], [], silentLogger), ConfigError, "anneal generate");
  });
});

Deno.test("recipes of texts say what does not fit", options, async () => {
  const both = "{ kind: text, path: mails, file: x.csv }", model = "{ kind: awdLstm }";
  await assertRejects(() => trained(both, model, async () => {}), ConfigError, "either data.file");
  const data = "{ kind: text, path: mails, minFreq: 1 }";
  await assertRejects(() => trained(data, "{ kind: mlp }", async () => {}), ConfigError, "take awdLstm, gpt, bert");
  await assertRejects(
    () => trained("{ kind: mnist, items: 10 }", model, async () => {}),
    ConfigError,
    "it takes data of kind text",
  );
});
