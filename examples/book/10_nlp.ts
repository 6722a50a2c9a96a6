/**
 * Chapter 10, "NLP deep dive: RNNs": the way of ULMFiT. A language model learns to say the next word of mails; its encoder,
 * which by then knows what words mean, is put under a classifier, and unfrozen group by group: spam or not? The mails are
 * real ones. `examples/spam.ts` compares this with transformers.
 *
 *     deno run -A examples/book/10_nlp.ts
 */
import { join } from "@std/path";
import {
  accuracy,
  awdLstm,
  CategoryBlock,
  DataBlock,
  languageModelLearner,
  perplexity,
  RandomSplitter,
  slice,
  TextBlock,
  textClassifierLearner,
  TextInterpretation,
  Tokenizer,
} from "../../mod.ts";
import { loadMails } from "../spam.ts";
import { type ChapterOptions, runChapter } from "./support/chapter.ts";

/** What came out. */
export interface Result {
  /** How many words there are, and out of how many the language model chooses on average. */
  readonly words: number;
  /** See `words`. */
  readonly perplexity: number;
  /** Whether the targets of a batch are its inputs, one word later. */
  readonly shifted: boolean;
  /** What the language model wrote. */
  readonly written: string;
  /** Share of the validation mails that are told right. */
  readonly accuracy: number;
  /** What is said of a mail that is spam. */
  readonly label: string;
}

/** Runs the chapter. */
export async function main({ quick, seed, out }: ChapterOptions): Promise<Result> {
  const { texts, labels } = await loadMails(quick ? 240 : 600);
  const mails = texts.map((text, i) => ({ text: text.slice(0, quick ? 300 : 1000), label: labels[i] }));
  type Mail = typeof mails[number];

  // words become tokens, with special ones for what would be lost: where a text begins, capitals, repetitions
  console.log(Tokenizer.words().tokenize("Subject: You WON!!! Don't wait.").join(" "));

  // a language model: all mails are one stream, cut into rows; the target is the same, one word later
  const seqLen = quick ? 16 : 32, bs = quick ? 16 : 32;
  const stream = await new DataBlock({
    blocks: [TextBlock({ isLm: true, minFreq: quick ? 3 : 5 })],
    getItems: (mails: readonly Mail[]) => mails,
    getX: ({ text }) => text,
    splitter: RandomSplitter(0.1, { seed }),
  }).dataloaders(mails, { bs, seqLen, seed, path: out });
  console.log(await stream.showBatch({ maxN: 3 }));
  const [x, y] = (await stream.train.peek())!;
  const shifted = await x.slice([null, [1, seqLen]]).eq(y.slice([null, [0, seqLen - 1]])).all().item();
  const size = quick ? 24 : 48, arch = awdLstm.with({ embSize: size, hidden: 2 * size, layers: quick ? 1 : 2 });
  const lm = await languageModelLearner(stream, arch, { dropMult: 0.3, metrics: [accuracy, perplexity] });
  await lm.fitOneCycle(quick ? 1 : 4, { lrMax: 1e-2 });
  await lm.recorder.plotLoss({ showEpochs: true }).save(join(out, "10_language_model.png"));
  const written = await lm.predict("Please send", 20, { temperature: 0.75, seed });
  console.log(`${written}\n`);
  await lm.saveEncoder("mails");

  // the classifier has the same words, in the same order
  const dls = await new DataBlock({
    blocks: [TextBlock({ textVocab: stream.textVocab, seqLen: quick ? 40 : 64 }), CategoryBlock],
    getItems: (mails: readonly Mail[]) => mails,
    getX: ({ text }) => text,
    getY: ({ label }) => label,
    splitter: RandomSplitter(0.2, { seed }),
  }).dataloaders(mails, { bs: 16, seed, buckets: quick ? 1 : 2, path: out });
  const learn = await textClassifierLearner(dls, arch, { dropMult: 0.3, metrics: [accuracy] });
  await learn.loadEncoder("mails"); // all but the head is frozen now
  await learn.fitOneCycle(1, { lrMax: 2e-2 });
  learn.freezeTo(-2); // one group more, and earlier ones learn more slowly
  await learn.fitOneCycle(1, { lrMax: slice(1e-2 / 2.6 ** 4, 1e-2) });
  learn.unfreeze();
  await learn.fitOneCycle(4, { lrMax: slice(2e-3, 1e-2) });
  const judged = await TextInterpretation.fromLearner(learn);
  console.log(judged.showTopLosses({ maxN: 3 }));
  await judged.plotConfusionMatrix().save(join(out, "10_confusion.png"));
  const { label } = await learn.predict("Free money! Click here to remove your name from our list of offers.");
  const told = learn.recorder.rows.at(-1)!.accuracy ?? 0;
  console.log(`${(100 * told).toFixed(1)} % of the mails are told right; an offer of free money is ${label}`);
  return {
    words: stream.textVocab.length,
    perplexity: lm.recorder.rows.at(-1)!.perplexity ?? NaN,
    shifted: Boolean(shifted),
    written,
    accuracy: told,
    label: String(label),
  };
}

if (import.meta.main) await runChapter("Chapter 10: spam, the way of ULMFiT.", main);
