/**
 * Labels that lie in the image, and move with it: masks and points.
 *
 * @module
 */
import type { Target } from "../../block/target.ts";
import type { ItemPart } from "../../data/mod.ts";
import type { PixelImage } from "../../plot/mod.ts";
import type { Tensor } from "../../tensor/mod.ts";
import type { ImageSource } from "./read_image.ts";
import type { ImageSize } from "./item_tfms.ts";
import type { PixelOp } from "./pixel_ops.ts";

/** What has become of an item's image. */
export interface ImageHistory {
  /** Its size as it was read. */
  readonly size: ImageSize;
  /** What its transforms have done, in order. */
  readonly steps: readonly PixelOp[];
  /** Reads another image, in the same way. */
  load(source: ImageSource): Promise<PixelImage>;
}

/**
 * Where the pixels of a batch's new images come from: maps `[n, 1, 1, 9]`, rows of 3 x 3 matrices, of points of the new
 * image to those of the old one; in both the centers of the pixels at the ends are -1 and 1.
 */
export interface Warp {
  /** The coordinates that are read, `[n, h, w, 2]` (x, y). */
  readonly grid: Tensor;
  /** The inverse maps, of old points to new ones, `[n, 1, 9]`. */
  readonly inverse: Tensor;
  /** What is read outside of the old image. */
  readonly paddingMode: "zeros" | "border" | "reflection";
  /** Sizes of the old images. */
  readonly from: ImageSize;
  /** Sizes of the new images. */
  readonly to: ImageSize;
}

/** A target that moves with its image. */
export interface SpatialTarget<Y = unknown> extends Target<Y> {
  /** Which of the two: a map of classes, or points. */
  readonly kind: "mask" | "points";
  /** The label of one item, brought to where its image is. */
  place(label: Y, history: ImageHistory, of: string): Promise<ItemPart>;
  /** The labels of a batch, moved as its images were. */
  warp(y: Tensor, warp: Warp): Tensor;
}

/** Whether a target moves with its image. */
export function isSpatial(target: Target): target is SpatialTarget {
  return "place" in target && "warp" in target;
}
