/**
 * Batches as pictures.
 *
 * @module
 */
import { DataError } from "../../base/errors.ts";
import { checkOptions, num } from "../../base/options.ts";
import { type Figure, type PixelImage, plotImages } from "../../plot/mod.ts";
import type { Target } from "../../block/target.ts";
import type { Tensor } from "../../tensor/mod.ts";
import { withMask, withPoints } from "./overlay.ts";
import type { ImageDataLoaders } from "./image_loaders.ts";

/** Options of {@link showBatch}. */
export interface ShowBatchOptions {
  /** Most images; 9 by default. */
  readonly maxN?: number;
  /** Images in a row; about as many as rows by default. */
  readonly columns?: number;
}

/** Images f32 `[n, 3, h, w]` in [0, 1] as pictures; what lies outside that range is cut. */
export async function toPictures(x: Tensor): Promise<PixelImage[]> {
  const [n, channels, height, width] = x.shape;
  const data = await x.permute([0, 2, 3, 1]).data();
  const size = height * width * channels;
  return Array.from({ length: n }, (_, i) => ({
    data: Uint8Array.from({ length: size }, (_, k) => Math.round(255 * Math.min(1, Math.max(0, data[i * size + k])))),
    width,
    height,
    channels,
  }));
}

/** A picture with its label in it, where labels lie in images; with its label in words otherwise. */
export function withLabel(
  picture: PixelImage,
  target: Target,
  numbers: ArrayLike<number>,
): { readonly picture: PixelImage; readonly title: string } {
  if (target.kind === "mask") return { picture: withMask(picture, numbers), title: "" };
  if (target.kind === "points") return { picture: withPoints(picture, numbers), title: "" };
  return { picture, title: target.caption(numbers) };
}

/** The numbers of each of `n` items. */
export function itemsOf<T extends { readonly length: number; subarray(from: number, to: number): T }>(
  all: T,
  n: number,
): T[] {
  const each = all.length / n;
  return Array.from({ length: n }, (_, i) => all.subarray(i * each, (i + 1) * each));
}

/** Images of the first training batch, as the model gets them but for the scaling, with their labels. */
export async function showBatch(dls: ImageDataLoaders, options: ShowBatchOptions = {}): Promise<Figure> {
  const { maxN = 9, columns } = checkOptions("show a batch", options, { maxN: num, columns: num });
  const batch = await dls.train.peek();
  if (batch === null) throw new DataError("Cannot show a batch: the training loader has none");
  const [xb, yb] = batch;
  const n = Math.min(maxN, xb.shape[0]);
  const pictures = await toPictures(dls.decodeImages(xb.slice([[0, n]])));
  const labels = itemsOf(Float32Array.from(await yb.slice([[0, n]]).data()), n);
  const shown = pictures.map((picture, i) => withLabel(picture, dls.target, labels[i]));
  const titles = shown.map(({ title }) => title);
  return plotImages(shown.map(({ picture }) => picture), { titles, ...(columns === undefined ? {} : { columns }) });
}
