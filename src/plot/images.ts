/**
 * Grids of pictures.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, num, text, texts } from "../base/options.ts";
import { Figure } from "./figure.ts";
import type { PixelImage } from "./panel.ts";

/** Options of {@link plotImages}. */
export interface PlotImagesOptions {
  /** One per picture; none by default. */
  readonly titles?: readonly string[];
  /** Pictures in a row; by default the grid is about square. */
  readonly columns?: number;
  /** Heading over the grid. */
  readonly title?: string;
}

/** What {@link imageGridFigure} shows. */
export interface ImageGridOptions extends PlotImagesOptions {
  /** Pictures, u8 `[height, width, channels]` each. */
  readonly images: readonly PixelImage[];
}

/**
 * Pictures in a grid; as {@link imageGridFigure}.
 *
 * @param images Pictures, u8 `[height, width, channels]` each.
 */
export function plotImages(images: readonly PixelImage[], options: PlotImagesOptions = {}): Figure {
  checkOptions("plotImages", options, { titles: texts, columns: num, title: text });
  return imageGridFigure({ ...options, images });
}

/**
 * Pictures in a grid, a title over each.
 *
 * @throws {ConfigError} When there is no picture, a size doesn't fit its data, or titles aren't as many as pictures.
 */
export function imageGridFigure(options: ImageGridOptions): Figure {
  const { images, titles = images.map(() => ""), columns = Math.ceil(Math.sqrt(images.length)), title = "" } = options;
  if (images.length === 0) throw new ConfigError("Cannot show pictures: at least one is needed, got none");
  if (titles.length !== images.length) {
    throw new ConfigError(
      `Cannot show pictures: as many titles as pictures are needed, got ${titles.length} for ${images.length}`,
    );
  }
  if (!Number.isInteger(columns) || columns < 1) {
    throw new ConfigError(`Cannot show pictures: columns must be a positive integer, got ${columns}`);
  }
  images.forEach(check);
  const longest = Math.max(...titles.map((title) => title.length)), width = Math.max(112, longest * 7 + 14);
  const panels = images.map((
    image,
    i,
  ) => ({ kind: "image", image, title: titles[i], width, height: width + 18 } as const));
  return new Figure(panels, columns, title);
}

function check({ data, width, height, channels }: PixelImage, i: number): void {
  if (![1, 3, 4].includes(channels)) {
    throw new ConfigError(`Cannot show picture ${i}: it must have 1, 3 or 4 channels, got ${channels}`);
  }
  if (!(width > 0 && height > 0) || data.length !== width * height * channels) {
    const need = `${height} x ${width} x ${channels} bytes are needed`;
    throw new ConfigError(`Cannot show picture ${i}: ${need}, got ${data.length}`);
  }
}
