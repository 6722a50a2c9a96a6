/**
 * Points in images, such as the tip of a nose.
 *
 * @module
 */
import { DataError } from "../../base/errors.ts";
import { shown } from "../../base/options.ts";
import type { TargetBlock } from "../../block/target.ts";
import type { Label } from "../../data/labels.ts";
import type { ItemPart } from "../../data/mod.ts";
import { type Loss, MSELoss } from "../../nn/mod.ts";
import { stack, type Tensor } from "../../tensor/mod.ts";
import type { ImageHistory, SpatialTarget, Warp } from "./spatial.ts";

/** Points of one image: x from its left, y from its top edge, in pixels. */
export type Points = readonly (readonly [x: number, y: number])[];

/**
 * `points` of each image: f32 `[n, points, 2]`, x and y from -1 at its left and top to 1 at its right and bottom edge, as in
 * fastai. The loss is the squared difference.
 */
export class PointsTarget implements SpatialTarget<Points> {
  /** See {@link SpatialTarget.kind}. */
  readonly kind = "points";
  /** See `Target.dtype`. */
  readonly dtype = "f32";
  /** Points have no classes. */
  readonly vocab: readonly Label[] = [];
  /** How many points an image has. */
  readonly points: number;

  /**
   * Labels of points.
   *
   * @param points How many points an image has.
   */
  constructor(points: number) {
    this.points = points;
  }

  /** Outputs of a model: two for each point. */
  get c(): number {
    return 2 * this.points;
  }

  /** See `Target.lossFunc`. */
  lossFunc(): Loss {
    return new MSELoss();
  }

  /** See `Target.encode`: the points in pixels. */
  encode(label: Points, of: string): Float32Array {
    const list = Array.isArray(label) ? label as Points : [];
    if (list.length !== this.points || list.some((p) => !Array.isArray(p) || p.length !== 2)) {
      throw new DataError(`Cannot label ${of}: it takes ${this.points} points [x, y] in pixels, got ${shown(label)}`);
    }
    const bad = list.flat().find((v) => !Number.isFinite(v));
    if (bad !== undefined) throw new DataError(`Cannot label ${of}: points are finite numbers, got ${shown(bad)}`);
    return Float32Array.from(list.flat());
  }

  /** See {@link SpatialTarget.place}. */
  place(label: Points, { size, steps }: ImageHistory, of: string): Promise<ItemPart> {
    const data = this.encode(label, of);
    let { width, height } = size;
    for (const op of steps) {
      if (op.op === "resize") {
        for (let i = 0; i < data.length; i++) data[i] *= i % 2 === 0 ? op.width / width : op.height / height;
        ({ width, height } = op);
      } else {
        const [left, top] = op.op === "crop" ? [op.left, op.top] : [-op.left, -op.top];
        for (let i = 0; i < data.length; i++) data[i] -= i % 2 === 0 ? left : top;
        if (op.op === "crop") ({ width, height } = op);
        else [width, height] = [op.left + width + op.right, op.top + height + op.bottom];
      }
    }
    for (let i = 0; i < data.length; i++) data[i] = 2 * data[i] / (i % 2 === 0 ? width : height) - 1;
    return Promise.resolve({ data, shape: [this.points, 2] });
  }

  /** See {@link SpatialTarget.warp}. */
  warp(y: Tensor, { inverse, from, to }: Warp): Tensor {
    // the edges of an image of n pixels are -1 and 1 for points, n / (n - 1) for maps, where the outer centers are
    const wide = (n: number) => n > 1 ? n / (n - 1) : 1;
    const n = y.shape[0], m = (k: number) => inverse.slice([null, null, [k, k + 1]]).reshape([n, 1]);
    const axis = (k: number, size: number) =>
      y.slice([null, null, [k, k + 1]]).reshape([n, this.points]).mul(wide(size));
    const px = axis(0, from.width), py = axis(1, from.height);
    const row = (k: number): Tensor => px.mul(m(k)).add(py.mul(m(k + 1))).add(m(k + 2));
    const scale = row(6);
    return stack([row(0).div(scale).div(wide(to.width)), row(3).div(scale).div(wide(to.height))], { axis: 2 });
  }

  /** See `Target.caption`. */
  caption(numbers: ArrayLike<number>): string {
    const at = (i: number) => numbers[i].toFixed(2);
    return Array.from({ length: numbers.length / 2 }, (_, i) => `(${at(2 * i)}, ${at(2 * i + 1)})`).join(" ");
  }
}

/** The block of points: a label is a list of `[x, y]` in pixels, as many for every image. */
export function PointBlock(): TargetBlock<Points> {
  return {
    name: "PointBlock",
    setup: ([first], [of]) => {
      if (!Array.isArray(first) || first.length === 0) {
        throw new DataError(`Cannot label ${of}: it takes a list of points [x, y] in pixels, got ${shown(first)}`);
      }
      return new PointsTarget(first.length);
    },
  };
}
