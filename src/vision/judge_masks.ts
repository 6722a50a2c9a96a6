/**
 * What a net that tells the class of each pixel makes of validation images.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { type Figure, plotImages } from "../plot/mod.ts";
import { readAll } from "../tensor/mod.ts";
import type { Model } from "../train/mod.ts";
import { withMask } from "./data/overlay.ts";
import { itemsOf, toPictures } from "./data/show_batch.ts";
import type { VisionLearner } from "./learner.ts";
import type { JudgedMask } from "./segmentation_interpretation.ts";

/** Predicts the validation images batch by batch; see `SegmentationInterpretation.fromLearner`. */
export async function judgeMasks<M extends Model>(
  learn: VisionLearner<M>,
): Promise<{ readonly confusion: number[][]; readonly images: JudgedMask[] }> {
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
  return { confusion, images };
}

/** Images with their masks and with what was predicted; see `SegmentationInterpretation.plotTopLosses`. */
export async function plotMasks(
  learn: VisionLearner<Model>,
  worst: readonly JudgedMask[],
  columns: number,
): Promise<Figure> {
  const dls = learn.imageDls;
  const files = worst.map(({ file }) => file);
  const labels = files.map((file) => dls.validSet.labels[dls.validSet.files.indexOf(file)]);
  const dl = dls.testDl(files, { labels, bs: files.length });
  const { decoded, targs } = await learn.getPreds({ dl, withDecoded: true });
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
