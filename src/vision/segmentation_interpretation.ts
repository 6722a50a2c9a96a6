/**
 * Where a net that tells the class of each pixel errs.
 *
 * @module
 */
import { checkOptions, num } from "../base/options.ts";
import { confusionFigure, type Figure } from "../plot/mod.ts";
import { worstFirst } from "../learner/judged.ts";
import type { Model } from "../train/mod.ts";
import { inTurn } from "../train/runs.ts";
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
    const { confusion, images } = await inTurn(learn, "getPreds", async () => {
      const { judgeMasks } = await import("./later.ts"); // code that training does without
      return await judgeMasks(learn);
    });
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
    return worstFirst(this.#images, ({ loss }) => loss, k);
  }

  /** The confusion matrix as a picture, each row in shares of the class's pixels. */
  plotConfusionMatrix(): Figure {
    return confusionFigure(this.#confusion, this.vocab, { normalize: true, title: "Confusion of pixels" });
  }

  /** The images with the largest losses, each with its mask and with what was predicted. */
  async plotTopLosses(k: number = 4, options: { readonly columns?: number } = {}): Promise<Figure> {
    const { columns = 2 } = checkOptions("plot top losses", options, { columns: num });
    const { plotMasks } = await import("./later.ts");
    return await plotMasks(this.#learn, this.topLosses(k), columns);
  }
}
