/**
 * Where a net that tells the class of each pixel errs.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, num } from "../base/options.ts";
import { confusionFigure, type Figure, plotImages } from "../plot/mod.ts";
import { readAll } from "../tensor/mod.ts";
import type { Model } from "../train/mod.ts";
import { withMask } from "./data/overlay.ts";
import { itemsOf, toPictures } from "./data/show_batch.ts";
import type { VisionLearner } from "./learner.ts";

/** One image whose pixels were predicted. */
export interface JudgedMask {
  /** Path of the image. */
  readonly file: string;
  /** Its loss, the mean over its pixels that count; 0 where none does. */
  readonly loss: number;
  /** Share of its pixels that count whose class was told; NaN where none does. */
  readonly accuracy: number;
}

/** How well pixels of one class are told. */
export interface ClassOverlap {
  /** The class. */
  readonly label: string;
  /** Its pixels. */
  readonly pixels: number;
  /** Pixels that are and were told to be of it, over those that are or were told: intersection over union; NaN where there are none. */
  readonly iou: number;
}

/** What a learner makes of the masks of its validation images. */
export class SegmentationInterpretation {
  readonly #learn: VisionLearner<Model>;
  readonly #confusion: readonly (readonly number[])[];
  readonly #images: readonly JudgedMask[];

  private constructor(learn: VisionLearner<Model>, confusion: number[][], images: JudgedMask[]) {
    this.#learn = learn;
    this.#confusion = confusion;
    this.#images = images;
  }

  /**
   * Predicts the validation images of `learn`, batch by batch: masks of the whole set are not kept. Pixels of the class that
   * the loss leaves out (`ignoreIndex`, such as that of "void") do not count.
   */
  static async fromLearner<M extends Model>(learn: VisionLearner<M>): Promise<SegmentationInterpretation> {
    const dls = learn?.imageDls;
    if (dls === undefined || dls.target.kind !== "mask") {
      throw new ConfigError("Cannot interpret this learner: it takes one of images and masks, as unetLearner makes it");
    }
    const { files, labels } = dls.validSet, { c } = dls;
    if (files.length === 0) throw new DataError("Cannot interpret this learner: it has no validation images");
    const confusion = Array.from({ length: c }, () => new Array<number>(c).fill(0)), images: JudgedMask[] = [];
    const bs = dls.valid.bs, ignored = "ignoreIndex" in learn.lossFunc ? learn.lossFunc.ignoreIndex : undefined;
    for (let from = 0; from < files.length; from += bs) {
      const some = files.slice(from, from + bs);
      const dl = dls.testDl(some, { labels: labels.slice(from, from + bs), bs: some.length });
      const { decoded, targs, losses } = await learn.getPreds({ dl, withDecoded: true, withLoss: true });
      const [got, want, loss] = await readAll([decoded!, targs, losses!]);
      const gotOf = itemsOf(Int32Array.from(got), some.length), wantOf = itemsOf(Int32Array.from(want), some.length);
      some.forEach((file, i) => {
        let right = 0, counted = 0;
        wantOf[i].forEach((code, k) => {
          if (code === ignored) return;
          counted++;
          confusion[code][gotOf[i][k]]++;
          if (code === gotOf[i][k]) right++;
        });
        // the mean over all pixels, in which those that do not count are 0, as one over the others
        const own = counted === 0 ? 0 : loss[i] * wantOf[i].length / counted;
        images.push({ file, loss: own, accuracy: right / counted });
      });
    }
    return new SegmentationInterpretation(learn as unknown as VisionLearner<Model>, confusion, images);
  }

  /** The classes, in the order of the matrix. */
  get vocab(): readonly string[] {
    return this.#learn.imageDls.vocab.map(String);
  }

  /** How many pixels of each class (row) were taken for each class (column). */
  confusionMatrix(): number[][] {
    return this.#confusion.map((row) => [...row]);
  }

  /** How well each class is told, in the order of the classes. */
  overlaps(): ClassOverlap[] {
    return this.vocab.map((label, k) => {
      const pixels = this.#confusion[k].reduce((a, b) => a + b, 0),
        told = this.#confusion.reduce((n, r) => n + r[k], 0);
      const both = this.#confusion[k][k];
      return { label, pixels, iou: both / (pixels + told - both) };
    });
  }

  /** The `k` images with the largest losses, largest first; all by default. */
  topLosses(k?: number): JudgedMask[] {
    const worth = ({ loss }: JudgedMask) => Number.isNaN(loss) ? Infinity : loss;
    return this.#images.toSorted((a, b) => worth(a) === worth(b) ? 0 : worth(b) - worth(a)).slice(0, k);
  }

  /** The confusion matrix as a picture, each row in shares of the class's pixels. */
  plotConfusionMatrix(): Figure {
    return confusionFigure(this.#confusion, this.vocab, { normalize: true, title: "Confusion of pixels" });
  }

  /** The images with the largest losses, each with its mask and with what was predicted. */
  async plotTopLosses(k: number = 4, options: { readonly columns?: number } = {}): Promise<Figure> {
    const { columns = 2 } = checkOptions("plot top losses", options, { columns: num });
    const worst = this.topLosses(k), dls = this.#learn.imageDls;
    const files = worst.map(({ file }) => file);
    const labels = files.map((file) => dls.validSet.labels[dls.validSet.files.indexOf(file)]);
    const dl = dls.testDl(files, { labels, bs: files.length });
    const { decoded, targs } = await this.#learn.getPreds({ dl, withDecoded: true });
    const batch = await dl.peek();
    if (batch === null || decoded === undefined) throw new DataError("Cannot plot top losses: there are no images");
    const [got, want] = await readAll([decoded, targs]);
    const gotOf = itemsOf(Int32Array.from(got), files.length), wantOf = itemsOf(Int32Array.from(want), files.length);
    const pictures = (await toPictures(dls.decodeImages(batch[0]))).flatMap((picture, i) => [
      withMask(picture, wantOf[i]),
      withMask(picture, gotOf[i]),
    ]);
    const titles = worst.flatMap(({ loss }) => ["mask", `predicted, loss ${loss.toFixed(2)}`]);
    return plotImages(pictures, {
      titles,
      title: "Mask, prediction",
      columns: 2 * Math.max(1, Math.round(columns / 2)),
    });
  }
}
