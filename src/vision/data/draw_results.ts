/**
 * How results are drawn.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { checkOptions, num } from "../../base/options.ts";
import { getPreds } from "../../fit/mod.ts";
import { type Figure, plotImages } from "../../plot/mod.ts";
import type { TrainLoop } from "../../train/mod.ts";
import { ImageDataLoaders } from "./image_loaders.ts";
import { itemsOf, toPictures, withLabel } from "./show_batch.ts";
import type { ShowResultsOptions } from "./show_results.ts";
import { isSpatial } from "./spatial.ts";

/** See `showResults` of show_results.ts. */
export async function showResults(learn: TrainLoop, options: ShowResultsOptions = {}): Promise<Figure> {
  const { maxN = 9, columns } = checkOptions("show results", options, { maxN: num, columns: num });
  const dls: unknown = learn.dls;
  if (!(dls instanceof ImageDataLoaders)) {
    throw new ConfigError("Cannot show results: the learner's data must be ImageDataLoaders");
  }
  const { target, validSet } = dls, files = validSet.files.slice(0, maxN), n = files.length;
  if (n === 0) throw new ConfigError("Cannot show results: there are no validation images");
  const dl = dls.testDl(files, { labels: validSet.labels.slice(0, n), bs: n });
  const { decoded, targs } = await getPreds(learn, { dl, withDecoded: true });
  if (decoded === undefined) throw new ConfigError("Cannot show results: the loss makes no decisions");
  const got = itemsOf(Float32Array.from(await decoded.data()), n);
  const wanted = itemsOf(Float32Array.from(await targs.data()), n);
  const batch = await dl.peek();
  const pictures = batch === null ? [] : await toPictures(dls.decodeImages(batch[0]));
  const more = columns === undefined ? {} : { columns };
  if (isSpatial(target)) {
    const pairs = pictures.flatMap((picture, i) =>
      [wanted[i], got[i]].map((numbers) => withLabel(picture, target, numbers).picture)
    );
    const titles = pairs.map((_, i) => i % 2 === 0 ? "target" : "prediction");
    return plotImages(pairs, {
      titles,
      title: "Targets, predictions",
      columns: 2 * Math.ceil(Math.sqrt(n / 2)),
      ...more,
    });
  }
  const titles = wanted.map((numbers, i) => {
    const name = target.caption(numbers), other = target.caption(got[i]);
    return name === other ? name : target.kind === "regression" ? `${name}, got ${other}` : `${name}, not ${other}`;
  });
  const title = target.kind === "regression" ? "Target, prediction" : "Class, not prediction";
  return plotImages(pictures, { titles, title, ...more });
}
