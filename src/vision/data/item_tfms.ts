/**
 * Transforms of single images, which bring them to one size. They plan, from an image's size alone, what is to be done
 * to its pixels.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { checkOptions, num, nums, oneOf, other, shown } from "../../base/options.ts";
import type { Rng } from "../../tensor/mod.ts";
import type { PadMode, PixelOp } from "./pixel_ops.ts";

/** Width and height in pixels. */
export interface ImageSize {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
}

/** What an item transform may ask. */
export interface ItemContext {
  /** Whether the item is trained on. */
  readonly training: boolean;
  /** A source of random numbers of this item's own, the same again when an epoch is repeated. */
  readonly rng: Rng;
}

/** A transform of single images. */
export abstract class ItemTransform {
  /** Place in line: lower numbers come first. */
  readonly order: number = 0;
  /** What is to be done to an image of `size`. */
  abstract plan(size: ImageSize, context: ItemContext): readonly PixelOp[];
  /** Size of the result for every input; null where it depends on the input. */
  abstract readonly size: ImageSize | null;
  /** Whether training items of `size` come out the same every time. */
  abstract steady(size: ImageSize): boolean;
  /** Kind and options as plain data, for {@link itemTransformFromJson}; null where a transform can't be stored. */
  toJSON(): ItemTransformJson | null {
    return null;
  }
}

/** Options of {@link Resize}. */
export interface ResizeOptions {
  /**
   * What becomes of images with other proportions: `"crop"` (the default) cuts off what is too much, at a random place in
   * training and evenly in validation; `"pad"` adds what is missing; `"squish"` changes the proportions.
   */
  readonly method?: "crop" | "pad" | "squish";
  /** What `"pad"` adds; the mirrored image by default. */
  readonly padMode?: PadMode;
}

/** A stored transform. */
export type ItemTransformJson =
  | { readonly kind: "Resize"; readonly size: readonly [number, number]; readonly options: ResizeOptions }
  | {
    readonly kind: "RandomResizedCrop";
    readonly size: readonly [number, number];
    readonly options: RandomResizedCropOptions;
  };

/** One number for both sides, or `[height, width]`, as a size; `what` is done, for errors. */
export function sizeOf(size: number | readonly [height: number, width: number], what: string): ImageSize {
  if (Array.isArray(size) && size.length !== 2) {
    throw new ConfigError(`Cannot ${what} to ${shown(size)}: it takes a number, or two, [height, width]`);
  }
  const [height, width] = Array.isArray(size) ? size as readonly [number, number] : [size, size] as [number, number];
  if (![height, width].every((n) => Number.isInteger(n) && n > 0)) {
    throw new ConfigError(`Cannot ${what} to ${shown(height)} x ${shown(width)}: sizes are whole numbers from 1`);
  }
  return { width, height };
}

/** Brings every image to one size, by antialiased bilinear interpolation, with the pixels that fastai's `Resize` gives. */
export class Resize extends ItemTransform {
  /** See `ItemTransform.order`. */
  override readonly order: number = 1;
  /** See `ItemTransform.size`. */
  override readonly size: ImageSize;
  /** See {@link ResizeOptions}. */
  readonly method: "crop" | "pad" | "squish";
  /** See {@link ResizeOptions}. */
  readonly padMode: PadMode;

  /**
   * A resize to `size`.
   *
   * @param size Pixels of both sides, or `[height, width]`.
   */
  constructor(size: number | readonly [height: number, width: number], options: ResizeOptions = {}) {
    super();
    const { method = "crop", padMode = "reflection" } = checkOptions("make Resize", options, {
      method: oneOf("crop", "pad", "squish"),
      padMode: oneOf("reflection", "zeros", "border"),
    });
    this.size = sizeOf(size, "resize");
    this.method = method;
    this.padMode = padMode;
  }

  /** The window that is resized: inside the image for "crop", around it for "pad". */
  #window({ width: w, height: h }: ImageSize): ImageSize {
    const { width, height } = this.size;
    const x = w / width, y = h / height, scale = this.method === "pad" ? Math.max(x, y) : Math.min(x, y);
    return { width: Math.max(1, Math.trunc(scale * width)), height: Math.max(1, Math.trunc(scale * height)) };
  }

  /** See `ItemTransform.steady`. */
  override steady(size: ImageSize): boolean {
    if (this.method === "squish") return true;
    const cut = this.#window(size);
    return cut.width === size.width && cut.height === size.height;
  }

  /** See `ItemTransform.plan`. */
  override plan(size: ImageSize, { training, rng }: ItemContext): readonly PixelOp[] {
    const resize = { op: "resize", ...this.size } as const;
    if (this.method === "squish") return [resize];
    const cut = this.#window(size);
    const [px, py] = training && !this.steady(size) ? [rng.uniform(), rng.uniform()] : [0.5, 0.5];
    const left = Math.trunc(px * (size.width - cut.width)), top = Math.trunc(py * (size.height - cut.height));
    return [...cropPad(size, cut, left, top, this.padMode), resize];
  }

  /** See `ItemTransform.toJSON`. */
  override toJSON(): ItemTransformJson {
    const { method, padMode } = this;
    return { kind: "Resize", size: [this.size.height, this.size.width], options: { method, padMode } };
  }
}

/** The part of an image of `size` from (`left`, `top`) on, filled up where it reaches outside. */
function cropPad(size: ImageSize, cut: ImageSize, left: number, top: number, mode: PadMode): PixelOp[] {
  const x0 = Math.max(0, left), y0 = Math.max(0, top);
  const x1 = Math.min(size.width, left + cut.width), y1 = Math.min(size.height, top + cut.height);
  const ops: PixelOp[] = [];
  if (x1 - x0 < size.width || y1 - y0 < size.height) {
    ops.push({ op: "crop", left: x0, top: y0, width: x1 - x0, height: y1 - y0 });
  }
  const pad = { left: x0 - left, top: y0 - top, right: left + cut.width - x1, bottom: top + cut.height - y1 };
  if (pad.left + pad.top + pad.right + pad.bottom > 0) ops.push({ op: "pad", ...pad, mode });
  return ops;
}

/** Options of {@link RandomResizedCrop}. */
export interface RandomResizedCropOptions {
  /** Least share of the image's area; 0.08 by default. */
  readonly minScale?: number;
  /** Largest share of the image's area; 1 by default. */
  readonly maxScale?: number;
  /** Least and largest width over height; [3/4, 4/3] by default. */
  readonly ratio?: readonly [number, number];
  /** Validation images are resized to this share more, then cut in the middle; 0.14 by default. */
  readonly valXtra?: number;
}

/** A random part of the image, of random area and proportions, brought to one size; in validation the middle. */
export class RandomResizedCrop extends ItemTransform {
  /** See `ItemTransform.order`. */
  override readonly order: number = 1;
  /** See `ItemTransform.size`. */
  override readonly size: ImageSize;
  readonly #options: Required<RandomResizedCropOptions>;

  /**
   * A random crop, brought to `size`.
   *
   * @param size Pixels of both sides, or `[height, width]`.
   */
  constructor(size: number | readonly [height: number, width: number], options: RandomResizedCropOptions = {}) {
    super();
    checkOptions("make RandomResizedCrop", options, {
      minScale: num,
      maxScale: num,
      ratio: other("two numbers", (v) => nums.holds(v) && (v as readonly number[]).length === 2),
      valXtra: num,
    });
    const { minScale = 0.08, maxScale = 1, ratio = [3 / 4, 4 / 3], valXtra = 0.14 } = options;
    if (!(minScale > 0 && minScale <= maxScale && maxScale <= 1)) {
      throw new ConfigError(`Cannot crop ${minScale} to ${maxScale} of an image: shares rise and lie in (0, 1]`);
    }
    if (!(ratio[0] > 0 && ratio[0] <= ratio[1])) {
      throw new ConfigError(`Cannot crop proportions of ${ratio.join(" to ")}: they are positive and rise`);
    }
    if (!(valXtra >= 0)) throw new ConfigError(`Cannot resize to ${valXtra} more: valXtra is not negative`);
    this.size = sizeOf(size, "crop");
    this.#options = { minScale, maxScale, ratio, valXtra };
  }

  /** See `ItemTransform.steady`. */
  override steady(): boolean {
    return false;
  }

  /** See `ItemTransform.plan`. */
  override plan(size: ImageSize, { training, rng }: ItemContext): readonly PixelOp[] {
    const { width, height } = this.size;
    if (training) {
      const [cut, left, top] = this.#draw(size, rng);
      return [...cropPad(size, cut, left, top, "zeros"), { op: "resize", width, height }];
    }
    const more = Math.ceil(Math.max(width, height) * this.#options.valXtra / 8) * 8;
    const large = { width: width + more, height: height + more };
    const left = Math.floor(more / 2), top = left;
    return [{ op: "resize", ...large }, ...cropPad(large, this.size, left, top, "zeros")];
  }

  #draw({ width: w, height: h }: ImageSize, rng: Rng): [ImageSize, left: number, top: number] {
    const { minScale, maxScale, ratio: [low, high] } = this.#options;
    const between = (a: number, b: number): number => a + (b - a) * rng.uniform();
    for (let attempt = 0; attempt < 10; attempt++) {
      const area = between(minScale, maxScale) * w * h, ratio = Math.exp(between(Math.log(low), Math.log(high)));
      const width = Math.round(Math.sqrt(area * ratio)), height = Math.round(Math.sqrt(area / ratio));
      if (width > w || height > h || width < 1 || height < 1) continue;
      return [{ width, height }, rng.integer(w - width + 1), rng.integer(h - height + 1)];
    }
    // ten misses: as much of the middle as the proportions allow
    const cut = w / h < low
      ? { width: w, height: Math.max(1, Math.trunc(w / low)) }
      : w / h > high
      ? { width: Math.max(1, Math.trunc(h * high)), height: h }
      : { width: w, height: h };
    return [cut, (w - cut.width) >> 1, (h - cut.height) >> 1];
  }

  /** See `ItemTransform.toJSON`. */
  override toJSON(): ItemTransformJson {
    return { kind: "RandomResizedCrop", size: [this.size.height, this.size.width], options: this.#options };
  }
}

/** The transform that `toJSON` made `json` of. */
export function itemTransformFromJson(json: ItemTransformJson): ItemTransform {
  if (json.kind === "Resize") return new Resize(json.size, json.options);
  if (json.kind === "RandomResizedCrop") return new RandomResizedCrop(json.size, json.options);
  throw new ConfigError(
    `Cannot read an item transform: kinds are Resize and RandomResizedCrop, got ${JSON.stringify(json)}`,
  );
}

/** Compares transforms by their order. */
export function inOrder(a: { readonly order: number }, b: { readonly order: number }): number {
  return a.order - b.order;
}
