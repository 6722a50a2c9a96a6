/**
 * Chapter 1, "Your deep learning journey": a few lines train a model, whatever the task. Pictures in classes are in chapter
 * 2, ratings in 8, tables in 9, texts in 10; here it is segmentation, the class of every single pixel, which a self-driving
 * car asks for. The pictures are drawn, so that the right answer is known for each pixel.
 *
 *     deno run -A examples/book/01_intro.ts
 */
import { join } from "@std/path";
import {
  defineArch,
  DiceMulti,
  foregroundAcc,
  SegmentationDataLoaders,
  SegmentationInterpretation,
  SimpleCnn,
  unetLearner,
} from "../../mod.ts";
import { type ChapterOptions, runChapter } from "./support/chapter.ts";
import { drawShapes, type Kind } from "./support/shapes.ts";

/** What came out. */
export interface Result {
  /** Share of the pixels of shapes whose class was told, in validation. */
  readonly foreground: number;
  /** Intersection over union of each class. */
  readonly overlaps: ReadonlyMap<string, number>;
}

/** A body of three convolutions, which is enough for drawings; `resnet34` and the like are for photographs. */
const body = defineArch("threeConvs", (options) => new SimpleCnn({ ...options, filters: [16, 32, 64] }));

/** Runs the chapter. */
export async function main({ quick, seed, out }: ChapterOptions): Promise<Result> {
  // 1. data: pictures, and for each a mask, a grey picture whose values are the classes of its pixels
  const kinds: readonly Kind[] = quick ? ["circle"] : ["circle", "ring", "cross"];
  const drawings = await drawShapes({
    n: quick ? 80 : 600,
    size: quick ? 24 : 48,
    shapes: [1, quick ? 1 : 2],
    kinds,
    colors: ["white"],
    folder: join(out, "intro"),
    seed,
  });
  const maskOf = new Map(drawings.map(({ file, mask }) => [file, mask]));
  const codes = ["ground", ...kinds];
  const files = drawings.map(({ file }) => file);
  const dls = await SegmentationDataLoaders.fromLabelFunc(out, files, (file) => maskOf.get(file)!, {
    codes,
    bs: quick ? 8 : 16,
    validPct: 0.2,
    seed,
  });
  await (await dls.showBatch({ maxN: 9 })).save(join(out, "01_batch.png"));

  // 2. a learner: a U-Net, a net that first looks at ever coarser pictures, and then puts the fine ones back together.
  // Without published weights it starts from random ones
  const learn = await unetLearner(dls, body, {
    pretrained: false,
    metrics: [foregroundAcc, new DiceMulti()],
  });

  // 3. training
  await learn.fitOneCycle(quick ? 6 : 12, { lrMax: 1e-2 });

  // 4. looking at what came of it
  await (await learn.showResults({ maxN: 6 })).save(join(out, "01_results.png"));
  const judged = await SegmentationInterpretation.fromLearner(learn);
  await judged.plotConfusionMatrix().save(join(out, "01_confusion.png"));
  await (await judged.plotTopLosses(4)).save(join(out, "01_top_losses.png"));
  const overlaps = new Map(judged.overlaps().map(({ label, iou }) => [label, iou]));
  for (const [label, iou] of overlaps) console.log(`${label.padEnd(10)} intersection over union ${iou.toFixed(3)}`);
  return { foreground: learn.recorder.rows.at(-1)!.foreground_acc ?? 0, overlaps };
}

if (import.meta.main) await runChapter("Chapter 1: segmentation of drawn shapes.", main);
