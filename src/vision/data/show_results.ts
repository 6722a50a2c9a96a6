/**
 * What a model makes of images, as pictures.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { checkOptions, num } from "../../base/options.ts";
import { getPreds } from "../../fit/mod.ts";
import { type Figure, plotImages } from "../../plot/mod.ts";
import type { TrainLoop } from "../../train/mod.ts";
import { ImageDataLoaders } from "./image_loaders.ts";
import { toPictures } from "./show_batch.ts";

/** Options of {@link showResults}. */
export interface ShowResultsOptions {
  /** Most images; 9 by default. */
  readonly maxN?: number;
  /** Images in a row; about as many as rows by default. */
  readonly columns?: number;
}

/**
 * The first validation images as the model gets them, but for the scaling, with their classes, and what the model takes
 * them for where it is wrong.
 *
 * @throws {ConfigError} If the learner's data are no {@link ImageDataLoaders}, or have no validation images.
 */
export async function showResults(learn: TrainLoop, options: ShowResultsOptions = {}): Promise<Figure> {
  const { maxN = 9, columns } = checkOptions("show results", options, { maxN: num, columns: num });
  const dls: unknown = learn.dls;
  if (!(dls instanceof ImageDataLoaders)) {
    throw new ConfigError("Cannot show results: the learner's data must be ImageDataLoaders");
  }
  const files = dls.validSet.files.slice(0, maxN);
  if (files.length === 0) throw new ConfigError("Cannot show results: there are no validation images");
  const labels = files.map((_, i) => dls.vocab[dls.validSet.codes[i]]);
  const dl = dls.testDl(files, { labels, bs: files.length });
  const { decoded } = await getPreds(learn, { dl, withDecoded: true });
  if (decoded === undefined) throw new ConfigError("Cannot show results: the loss makes no decisions");
  const codes = await decoded.data();
  const titles = labels.map((label, i) => {
    const got = dls.label(Number(codes[i]));
    return got === String(label) ? got : `${label}, not ${got}`;
  });
  const batch = await dl.peek();
  const pictures = batch === null ? [] : await toPictures(dls.decodeImages(batch[0]));
  return plotImages(pictures, {
    titles,
    title: "Class, not prediction",
    ...(columns === undefined ? {} : { columns }),
  });
}
