/**
 * What models make of texts, as tables and vectors.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions } from "../base/options.ts";
import { evaluating } from "../nn/modes.ts";
import { noGrad, readAll, type Tensor } from "../tensor/mod.ts";
import { joinRows, type TrainLoop } from "../train/mod.ts";
import { getPreds } from "../fit/mod.ts";
import type { TextModel } from "./architecture.ts";
import type { TextClassifier } from "./classifier.ts";
import { SHOW_TEXT, type ShowTextOptions, textsOf } from "./data/show_text.ts";
import type { TextDataLoaders } from "./data/text_loaders.ts";
import { textTable } from "./data/text_table.ts";
import type { LanguageModel } from "./language_model.ts";

/** A learner of texts, as far as it is needed here. */
type Shown<M extends TextClassifier | LanguageModel> = TrainLoop<M> & { readonly textDls: TextDataLoaders };

/** Runs `body` while the model evaluates. */
export async function inEval<T>(
  learn: Pick<TrainLoop<TextModel>, "ready" | "model">,
  body: () => Promise<T>,
): Promise<T> {
  await learn.ready();
  const modes = evaluating(learn.model);
  try {
    return await body();
  } finally {
    modes();
  }
}

/** The first texts of validation with their classes, and what they are taken for. */
export async function showTextResults(learn: Shown<TextClassifier>, options: ShowTextOptions): Promise<string> {
  const { maxN = 9, width } = checkOptions("show results", options, SHOW_TEXT);
  const { validSet: { texts, codes }, vocab } = learn.textDls, n = Math.min(maxN, texts.length);
  if (n === 0) throw new ConfigError("Cannot show results: there are no validation texts");
  const labels = Array.from(codes.subarray(0, n), (code) => vocab[code]);
  const dl = await learn.textDls.testDl(texts.slice(0, n), { labels, bs: n });
  const { decoded } = await getPreds(learn as unknown as TrainLoop, { dl, withDecoded: true });
  if (decoded === undefined) throw new ConfigError("Cannot show results: the loss makes no decisions");
  const got = await decoded.data();
  return textTable(
    [{ name: "text", wide: true }, { name: "class" }, { name: "prediction" }],
    labels.map((label, i) => [texts[i], String(label), learn.textDls.label(got[i])]),
    width,
  );
}

/** The first rows of validation: a text, what comes next, and the likeliest token at each place. */
export async function showLmResults(learn: Shown<LanguageModel>, options: ShowTextOptions): Promise<string> {
  const { maxN = 9, width } = checkOptions("show results", options, SHOW_TEXT);
  const { tokenizer, valid } = learn.textDls;
  const batch = await valid.peek();
  if (batch === null) throw new ConfigError("Cannot show results: there are no validation texts");
  const [x, y] = batch;
  return await learn.runs.take("show results", () =>
    inEval(learn, async () => {
      const before = learn.model.encoder.carriedState();
      learn.model.reset();
      const likeliest = noGrad(() => learn.model.forward(x)).argmax({ axis: -1 });
      const [ids, next, got] = await readAll([x, y, likeliest]);
      learn.model.reset();
      if (before.size > 0) learn.model.encoder.carry(before);
      const rows = [ids, next, got].map((t) => textsOf(tokenizer, t, x.shape[1]).slice(0, maxN));
      return textTable(
        [{ name: "text", wide: true }, { name: "what comes next", wide: true }, { name: "likeliest", wide: true }],
        rows[0].map((text, i) => [text, rows[1][i], rows[2][i]]),
        width,
      );
    }));
}

/** The vector of each text, in the texts' order. */
export async function embedTexts(
  learn: Shown<TextClassifier>,
  texts: readonly string[],
  bs: number | undefined,
): Promise<Tensor> {
  if (texts.length === 0) throw new DataError("Cannot embed texts: there are none");
  const dl = await learn.textDls.testDl(texts, bs === undefined ? {} : { bs });
  return await learn.runs.take("embed texts", () =>
    inEval(learn, async () => {
      const parts: Tensor[] = [];
      for await (const [ids, mask] of dl) {
        const vectors = noGrad(() => learn.model.embed(ids, mask));
        await vectors.data(); // computed now: a batch's memory is not kept
        parts.push(vectors);
      }
      return await joinRows(parts, dl.itemOrder ?? undefined);
    }));
}
