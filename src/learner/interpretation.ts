/**
 * Where a learner errs on its validation set, whatever its items are.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, flag, text } from "../base/options.ts";
import { confusionFigure, type Figure, plotLines } from "../plot/mod.ts";
import type { Model, TrainLoop } from "../train/mod.ts";
import { inTurn } from "../train/runs.ts";
import { confusedPairs, countConfusions, type MostConfused, worstFirst } from "./judged.ts";

/** One item of the validation set that was predicted. */
export interface JudgedItem {
  /** Its place in the set, from 0. */
  readonly index: number;
  /** The item as its data has it: a row by column name, an image's path; else its place. */
  readonly item: unknown;
  /** Its loss, in the unit of the data. */
  readonly loss: number;
  /** What was predicted: a class, classes, a number, or numbers. */
  readonly predicted: Judgement;
  /** What it has. */
  readonly actual: Judgement;
}

/** A class, several classes, a number, or several numbers. */
export type Judgement = string | number | boolean | readonly (string | number | boolean)[];

/** Options of {@link Interpretation.plotPredictions} and {@link Interpretation.plotResiduals}. */
export interface PlotJudgedOptions {
  /** Heading. */
  readonly title?: string;
}

/** Points of a picture, at most: of more, evenly spaced ones are drawn. */
const POINTS = 2000;

/** What an {@link Interpretation} is made of. */
export interface Parts {
  readonly kind: "class" | "classes" | "numbers";
  /** Numbers an item has. */
  readonly width: number;
  readonly vocab: readonly (string | number | boolean)[];
  /** Decisions and targets: `width` an item. */
  readonly decided: Float64Array;
  readonly targets: Float64Array;
  readonly losses: Float64Array;
  readonly items: (at: readonly number[]) => Promise<readonly unknown[]>;
}

/**
 * What a learner makes of its validation set: of tables, images, arrays, with one class, several, or numbers to predict.
 *
 * @example
 * ```ts ignore
 * const found = await Interpretation.fromLearner(learn);
 * console.log(await found.topLosses(3)); // rows with their cells, what was predicted, what they have
 * await found.plotPredictions().save("predictions.png");
 * ```
 */
export class Interpretation {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Predicts the validation set of `learn`.
   *
   * @throws ConfigError Where predictions are neither classes nor as many numbers as targets are.
   * @throws DataError Where there are no validation items.
   */
  static async fromLearner<M extends Model>(learn: TrainLoop<M>): Promise<Interpretation> {
    return await inTurn(learn, "getPreds", async () => {
      const { judge } = await import("./later.ts"); // code that training does without
      return new Interpretation(await judge(learn));
    });
  }

  /** Number of items. */
  get length(): number {
    return this.#parts.losses.length;
  }

  /** The classes, in the order of their numbers; none where numbers are predicted. */
  get vocab(): readonly string[] {
    return this.#parts.vocab.map(String);
  }

  #judgement(values: Float64Array, i: number): Judgement {
    const { kind, width, vocab } = this.#parts, own = values.subarray(i * width, (i + 1) * width);
    if (kind === "class") return vocab[own[0]] ?? own[0];
    if (kind === "classes") return vocab.filter((_, c) => own[c] !== 0);
    return width === 1 ? own[0] : Array.from(own);
  }

  /** The `k` items with the largest losses, largest first; all by default. A loss that is no number is the largest. */
  async topLosses(k?: number): Promise<JudgedItem[]> {
    const { losses, items, decided, targets } = this.#parts;
    const worst = worstFirst([...losses.keys()], (i) => losses[i], k), whole = await items(worst);
    return worst.map((index, i) => ({
      index,
      item: whole[i],
      loss: losses[index],
      predicted: this.#judgement(decided, index),
      actual: this.#judgement(targets, index),
    }));
  }

  #classes(what: string): void {
    if (this.#parts.kind === "class") return;
    throw new ConfigError(`Cannot ${what}: this learner does not predict one class an item`);
  }

  #numbers(what: string): void {
    if (this.#parts.kind === "numbers") return;
    throw new ConfigError(`Cannot ${what}: this learner predicts classes, not numbers`);
  }

  /** How many items of each class (row) were taken for each class (column). */
  confusionMatrix(): number[][] {
    this.#classes("count confusions");
    const { vocab, decided, targets } = this.#parts;
    return countConfusions(vocab.length, { actual: targets, predicted: decided });
  }

  /** Pairs of different classes, the most frequent first; those that occur at least `minCount` times. */
  mostConfused(minCount: number = 1): MostConfused[] {
    return confusedPairs(this.confusionMatrix(), this.vocab, minCount);
  }

  /** The confusion matrix as a picture; the darker, the more. */
  plotConfusionMatrix(options: { readonly normalize?: boolean; readonly title?: string } = {}): Figure {
    checkOptions("plot a confusion matrix", options, { normalize: flag, title: text });
    const { normalize = false, title = "Confusion matrix" } = options;
    return confusionFigure(this.confusionMatrix(), this.vocab, { normalize, title });
  }

  /** Predicted less actual numbers, `[items, numbers]` in the order of the set, in the unit of the data. */
  residuals(): Float64Array {
    this.#numbers("give residuals");
    const { decided, targets } = this.#parts;
    return decided.map((v, i) => v - targets[i]);
  }

  /** Predicted over actual numbers, a point each; on the line both are equal. */
  plotPredictions(options: PlotJudgedOptions = {}): Figure {
    checkOptions("plot predictions", options, { title: text });
    this.#numbers("plot predictions over targets");
    const { decided, targets } = this.#parts, { title = "" } = options;
    const ends = span(targets);
    return plotLines({ predictions: scattered(targets, decided), equal: { x: ends, y: ends } }, {
      title,
      xLabel: "actual",
      yLabel: "predicted",
    });
  }

  /** Predicted less actual over predicted numbers, a point each: what is left should show no pattern. */
  plotResiduals(options: PlotJudgedOptions = {}): Figure {
    checkOptions("plot residuals", options, { title: text });
    const left = this.residuals(), { title = "" } = options, { decided } = this.#parts;
    return plotLines({ residuals: scattered(decided, left), none: { x: span(decided), y: [0, 0] } }, {
      title,
      xLabel: "predicted",
      yLabel: "predicted - actual",
    });
  }
}

/** Smallest and largest number. */
function span(values: Float64Array): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const v of values) if (Number.isFinite(v)) [low, high] = [Math.min(low, v), Math.max(high, v)];
  return [low, high];
}

/** Points without lines between them: a gap behind each. */
function scattered(x: Float64Array, y: Float64Array): { x: number[]; y: number[] } {
  const n = Math.min(POINTS, x.length), at = Array.from({ length: n }, (_, k) => Math.floor(k * x.length / n));
  return { x: at.flatMap((i) => [x[i], NaN]), y: at.flatMap((i) => [y[i], NaN]) };
}
