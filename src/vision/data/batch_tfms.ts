/**
 * Transforms of whole batches, on the device: expressions that are computed as part of the step that uses them.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { checkArgument, nums } from "../../base/options.ts";
import { type Rng, stepInput, type Tensor } from "../../tensor/mod.ts";
import type { AugOptions } from "./aug_transforms.ts";
import type { SpatialTarget } from "./spatial.ts";

/** What a batch transform may ask. */
export interface BatchContext {
  /** Whether the batch is trained on. */
  readonly training: boolean;
  /** Random numbers of this batch's own, the same again when an epoch is repeated. */
  readonly rng: Rng;
}

/** A transform of batches of images, f32 `[n, 3, h, w]`; pixels are in [0, 1] before `Normalize`. */
export abstract class BatchTransform {
  /** Place in line: lower numbers come first. */
  readonly order: number = 0;
  /** What becomes of `x`. */
  abstract apply(x: Tensor, context: BatchContext): Tensor;
  /**
   * What becomes of images and of labels that move with them; by default labels stay.
   *
   * @param y Labels of the batch: see {@link SpatialTarget}.
   */
  applyWith(x: Tensor, y: Tensor, _target: SpatialTarget, context: BatchContext): readonly [x: Tensor, y: Tensor] {
    return [this.apply(x, context), y];
  }
  /** Undoes the transform for showing, where that makes sense. */
  decode(x: Tensor): Tensor {
    return x;
  }
  /** Whether the transform draws random numbers in training. */
  readonly random: boolean = false;
  /** Whether the transform changes validation images, too; those that draw random numbers mostly do not. */
  get evaluated(): boolean {
    return !this.random;
  }
  /** Kind and options as plain data; null where a transform can't be stored. */
  toJSON(): BatchTransformJson | null {
    return null;
  }
}

/** A stored transform. */
export type BatchTransformJson =
  | { readonly kind: "Normalize"; readonly mean: readonly number[]; readonly std: readonly number[] }
  | { readonly kind: "AugTransforms"; readonly options: AugOptions };

/** Mean and standard deviation of red, green and blue over ImageNet, whose models expect inputs scaled by them. */
export const imagenetStats: readonly [mean: readonly number[], std: readonly number[]] = [
  [0.485, 0.456, 0.406],
  [0.229, 0.224, 0.225],
];

/** Scales every channel: `(x - mean) / std`. Named in the `procs` of a table, the class stands for scaling its numbers. */
export class Normalize extends BatchTransform {
  /** See `TableProc`. */
  static readonly proc = "Normalize";
  /** See `BatchTransform.order`. */
  override readonly order: number = 99;
  /** Mean of each channel. */
  readonly mean: readonly number[];
  /** Standard deviation of each channel. */
  readonly std: readonly number[];

  /** Scales by given numbers, one a channel. */
  constructor(mean: readonly number[], std: readonly number[]) {
    super();
    checkArgument("make Normalize", "mean", mean, nums);
    checkArgument("make Normalize", "std", std, nums);
    if (mean.length === 0 || mean.length !== std.length) {
      throw new ConfigError(
        `Cannot normalize by ${mean.length} means and ${std.length} deviations: give one a channel`,
      );
    }
    if (!mean.every(Number.isFinite) || !std.every((s) => s > 0)) {
      throw new ConfigError(`Cannot normalize by mean ${mean.join(", ")} and std ${std.join(", ")}: std is positive`);
    }
    this.mean = mean;
    this.std = std;
  }

  /** Scales by these numbers, such as {@link imagenetStats}: `Normalize.fromStats(...imagenetStats)`. */
  static fromStats(mean: readonly number[], std: readonly number[]): Normalize {
    return new Normalize(mean, std);
  }

  #along(values: readonly number[], x: Tensor): Tensor {
    if (x.shape.length !== 4 || x.shape[1] !== values.length) {
      throw new ConfigError(`Cannot normalize [${x.shape.join(", ")}] by ${values.length} means: give one a channel`);
    }
    return stepInput(Float32Array.from(values), { shape: [1, values.length, 1, 1] });
  }

  /** See `BatchTransform.apply`. */
  override apply(x: Tensor): Tensor {
    return x.sub(this.#along(this.mean, x)).div(this.#along(this.std, x));
  }

  /** See `BatchTransform.decode`. */
  override decode(x: Tensor): Tensor {
    return x.mul(this.#along(this.std, x)).add(this.#along(this.mean, x));
  }

  /** See `BatchTransform.toJSON`. */
  override toJSON(): BatchTransformJson {
    return { kind: "Normalize", mean: this.mean, std: this.std };
  }
}

/** Pixels u8 `[n, h, w, 3]` as f32 `[n, 3, h, w]` in [0, 1]. */
export function intToFloat(pixels: Tensor): Tensor {
  return pixels.permute([0, 3, 1, 2]).cast("f32").div(255);
}
