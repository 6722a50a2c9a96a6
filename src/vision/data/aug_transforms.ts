/**
 * Random changes of training images, as fastai's `aug_transforms` makes them.
 *
 * @module
 */

/** Options of `augTransforms`. */
export interface AugOptions {
  /** Factor of the rotation, lighting and warp; 1 by default. */
  readonly mult?: number;
}
