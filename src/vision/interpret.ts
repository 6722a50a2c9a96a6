/**
 * Where a classifier errs: its confusion matrix, and the images with the largest losses.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, flag, text } from "../base/options.ts";
import { confusionFigure, type Figure, type PixelImage, plotImages } from "../plot/mod.ts";
import {
  confusedPairs,
  countConfusions,
  judgeClasses,
  type JudgedClasses,
  type MostConfused,
  worstFirst,
} from "../learner/judged.ts";
import { decodeImage } from "./data/mod.ts";
import type { VisionLearner } from "./learner.ts";

/** One image of a set that was predicted. */
export interface JudgedImage {
  /** Path of the image. */
  readonly file: string;
  /** The class that was predicted. */
  readonly predicted: string;
  /** The class that it has. */
  readonly actual: string;
  /** Its loss. */
  readonly loss: number;
  /** Probability of the predicted class. */
  readonly probability: number;
}

/** Two classes that are taken for each other. */
export type ConfusedPair = MostConfused;

/** What {@link ClassificationInterpretation} is made of. */
interface Parts extends JudgedClasses {
  readonly files: readonly string[];
  readonly vocab: readonly string[];
}

/** Options of the matrix's picture. */
export interface PlotConfusionOptions {
  /** Whether shares of each row are shown, not counts; false by default. */
  readonly normalize?: boolean;
  /** Heading; "Confusion matrix" by default. */
  readonly title?: string;
}

/** What a learner makes of its validation images. */
export class ClassificationInterpretation {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Predicts the validation images of `learn`. */
  static async fromLearner(learn: VisionLearner): Promise<ClassificationInterpretation> {
    if (learn?.imageDls === undefined) {
      throw new ConfigError("Cannot interpret this learner: it takes one of images, as visionLearner makes it");
    }
    const { validSet: { files }, vocab } = learn.imageDls;
    if (files.length === 0) throw new DataError("Cannot interpret this learner: it has no validation images");
    const judged = await judgeClasses(learn, vocab.length);
    return new ClassificationInterpretation({ files, vocab: vocab.map(String), ...judged });
  }

  /** The classes, in the order of the matrix. */
  get vocab(): readonly string[] {
    return this.#parts.vocab;
  }

  /** How many images of each class (row) were taken for each class (column). */
  confusionMatrix(): number[][] {
    return countConfusions(this.vocab.length, this.#parts);
  }

  /** Pairs of different classes, the most frequent first; those that occur at least `minCount` times. */
  mostConfused(minCount: number = 1): ConfusedPair[] {
    return confusedPairs(this.confusionMatrix(), this.vocab, minCount);
  }

  /** The `k` images with the largest losses, largest first; all by default. */
  topLosses(k?: number): JudgedImage[] {
    const { files, vocab, predicted, actual, losses, probabilities } = this.#parts;
    return worstFirst([...losses.keys()], (i) => losses[i], k).map((i) => ({
      file: files[i],
      predicted: vocab[predicted[i]],
      actual: vocab[actual[i]],
      loss: losses[i],
      probability: probabilities[i],
    }));
  }

  /** The confusion matrix as a picture; the darker, the more. */
  plotConfusionMatrix(options: PlotConfusionOptions = {}): Figure {
    checkOptions("plot a confusion matrix", options, { normalize: flag, title: text });
    const { normalize = false, title = "Confusion matrix" } = options;
    return confusionFigure(this.confusionMatrix(), this.vocab, { normalize, title });
  }

  /** The images with the largest losses, each with its prediction, its class, its loss and the prediction's probability. */
  async plotTopLosses(k: number = 9): Promise<Figure> {
    const worst = this.topLosses(k);
    const images: PixelImage[] = await Promise.all(worst.map(({ file }) => decodeImage(file)));
    const titles = worst.map(({ predicted, actual, loss, probability }) =>
      `${predicted} / ${actual} / ${loss.toFixed(2)} / ${probability.toFixed(2)}`
    );
    return plotImages(images, { titles, title: "Prediction / actual / loss / probability" });
  }
}
