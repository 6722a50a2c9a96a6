/**
 * Where a classifier of texts errs: its confusion matrix, and the texts with the largest losses.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, flag, text } from "../base/options.ts";
import { confusionFigure, type Figure } from "../plot/mod.ts";
import { countConfusions, judgeClasses, worstFirst } from "../learner/judged.ts";
import { SHOW_TEXT, type ShowTextOptions } from "./data/show_text.ts";
import { textTable } from "./data/text_table.ts";
import type { TextClassifierLearner } from "./learner.ts";

/** One text of a set that was predicted. */
export interface JudgedText {
  /** The text. */
  readonly text: string;
  /** The class that was predicted. */
  readonly predicted: string;
  /** The class that it has. */
  readonly actual: string;
  /** Its loss. */
  readonly loss: number;
  /** Probability of the predicted class. */
  readonly probability: number;
}

/** Options of {@link TextInterpretation.plotConfusionMatrix}. */
export interface TextConfusionOptions {
  /** Whether shares of each row are shown, not counts; false by default. */
  readonly normalize?: boolean;
  /** Heading; "Confusion matrix" by default. */
  readonly title?: string;
}

/** What a learner makes of its validation texts. */
export class TextInterpretation {
  /** Validation texts in their order, each with what it was taken for. */
  readonly texts: readonly JudgedText[];
  /** The classes, in the order of the matrix. */
  readonly vocab: readonly string[];

  private constructor(texts: readonly JudgedText[], vocab: readonly string[]) {
    this.texts = texts;
    this.vocab = vocab;
  }

  /** Predicts the validation texts of `learn`. */
  static async fromLearner(learn: TextClassifierLearner): Promise<TextInterpretation> {
    const dls = learn?.textDls;
    if (dls === undefined || dls.isLm) {
      throw new ConfigError("Cannot interpret this learner: it takes one of texts, as textClassifierLearner makes it");
    }
    const { validSet: { texts }, vocab } = dls;
    if (texts.length === 0) throw new DataError("Cannot interpret this learner: it has no validation texts");
    const { predicted, actual, losses, probabilities } = await judgeClasses(learn, vocab.length);
    const judged = texts.map((text, i) => ({
      text,
      predicted: dls.label(predicted[i]),
      actual: dls.label(actual[i]),
      loss: losses[i],
      probability: probabilities[i],
    }));
    return new TextInterpretation(judged, vocab.map(String));
  }

  /** How many texts of each class (row) were taken for each class (column). */
  confusionMatrix(): number[][] {
    const place = new Map(this.vocab.map((label, i) => [label, i]));
    const of = (pick: (judged: JudgedText) => string) => this.texts.map((judged) => place.get(pick(judged))!);
    return countConfusions(this.vocab.length, { actual: of((t) => t.actual), predicted: of((t) => t.predicted) });
  }

  /** The `k` texts with the largest losses, largest first; all by default. */
  topLosses(k?: number): JudgedText[] {
    return worstFirst(this.texts, ({ loss }) => loss, k);
  }

  /** The texts with the largest losses as a table. */
  showTopLosses(options: ShowTextOptions = {}): string {
    const { maxN = 9, width } = checkOptions("show the largest losses", options, SHOW_TEXT);
    const columns = [
      { name: "text", wide: true },
      ...["class", "prediction", "probability", "loss"].map((name) => ({ name })),
    ];
    const rows = this.topLosses(maxN).map(({ text, actual, predicted, probability, loss }) => [
      text,
      actual,
      predicted,
      probability.toFixed(2),
      loss.toFixed(2),
    ]);
    return textTable(columns, rows, width);
  }

  /** The confusion matrix as a picture; the darker, the more. */
  plotConfusionMatrix(options: TextConfusionOptions = {}): Figure {
    checkOptions("plot a confusion matrix", options, { normalize: flag, title: text });
    const { normalize = false, title = "Confusion matrix" } = options;
    return confusionFigure(this.confusionMatrix(), this.vocab, { normalize, title });
  }
}
