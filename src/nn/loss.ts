/**
 * What all losses have in common.
 *
 * @module
 */
import { DataError, DtypeError, ShapeError } from "../base/errors.ts";
import { checkOptions, oneOf, type OptionTable } from "../base/options.ts";
import { fmtShape, sameShape, sizeOf } from "../base/shape.ts";
import { allBelow, type Tensor } from "../tensor/mod.ts";

/** How the items' losses are brought together. */
export type Reduction = "mean" | "sum" | "none";

/** Options of every loss. */
export interface LossOptions {
  /** How the items' losses are brought together; "mean" by default. */
  readonly reduction?: Reduction;
}

/** What the options of every loss may be. */
export const LOSS_OPTIONS: OptionTable<LossOptions> = { reduction: oneOf("mean", "sum", "none") };

/** A loss as an object: it can be asked for the items' own losses, and knows what the model's outputs mean. */
export abstract class Loss {
  /** How the items' losses are brought together; may be changed. */
  reduction: Reduction;

  /** Takes the reduction. */
  constructor(options: LossOptions = {}) {
    checkOptions(`make ${new.target.name}`, options, LOSS_OPTIONS);
    this.reduction = options.reduction ?? "mean";
  }

  /**
   * The power by which the loss grows with the unit of predictions and targets: 2 for squared differences, 1 for absolute
   * ones, 0 where there is no such power. Losses of scaled targets are shown in the unit of the data by it.
   */
  get unitPower(): number {
    return 0;
  }

  /** The loss of predictions against targets. */
  abstract forward(pred: Tensor, targ: Tensor): Tensor;

  /**
   * The loss of each item of a batch, whatever the reduction is.
   *
   * @param pred Predictions, `[n, ...]`.
   * @param targs Targets, as {@link Loss.forward} takes them.
   * @returns `[n]`; where an item has several elements, the mean of their losses.
   */
  items(pred: Tensor, ...targs: Tensor[]): Tensor {
    const forward: (pred: Tensor, ...targs: Tensor[]) => Tensor = this.forward.bind(this);
    return unreduced(this, pred.shape[0], () => forward(pred, ...targs));
  }

  /** What makes probabilities, or the like, of the model's output. */
  activation(pred: Tensor): Tensor {
    return pred;
  }

  /** What makes decisions of activated predictions. */
  decodes(pred: Tensor): Tensor {
    return pred;
  }

  /** Brings items' losses together. */
  protected reduce(items: Tensor): Tensor {
    return this.reduction === "mean" ? items.mean() : this.reduction === "sum" ? items.sum() : items;
  }
}

/** What `compute` gives while `loss` reduces nothing, as one number for each of `n` items. */
export function unreduced(loss: { reduction?: Reduction }, n: number, compute: () => Tensor): Tensor {
  const { reduction } = loss;
  loss.reduction = "none";
  try {
    const each = compute();
    // losses of flattened batches come as one vector
    return each.size === n ? each.reshape([n]) : each.reshape([n, -1]).mean({ axis: 1 });
  } finally {
    loss.reduction = reduction!;
  }
}

/** Predictions and targets of element-wise losses: flat f32 where their shapes differ. */
export function flatPair(loss: Loss, pred: Tensor, targ: Tensor): readonly [Tensor, Tensor] {
  const t = targ.dtype === "f32" ? targ : targ.cast("f32");
  if (sameShape(pred.shape, t.shape)) return [pred, t];
  if (pred.size !== t.size) {
    throw new ShapeError(
      `Cannot compute ${loss.constructor.name} of ${fmtShape(pred.shape)} against ${fmtShape(t.shape)}: ` +
        `they must have the same number of elements, got ${pred.size} and ${t.size}`,
    );
  }
  return [pred.reshape([-1]), t.reshape([-1])];
}

/** Checks class labels against logits; gives the labels in the shape of the logits without the class axis. */
export function classLabels(loss: Loss, pred: Tensor, targ: Tensor, axis: number, ignoreIndex: number | null): Tensor {
  const name = loss.constructor.name;
  const classes = pred.shape[axis];
  const shape = pred.shape.filter((_, i) => i !== axis);
  if (targ.dtype === "f32" || targ.dtype === "bool") {
    throw new DtypeError(
      `Cannot compute ${name} with ${targ.dtype} labels of shape ${
        fmtShape(targ.shape)
      }: classes are whole numbers, cast to i32`,
    );
  }
  const size = sizeOf(shape);
  if (targ.size !== size) {
    throw new ShapeError(
      `Cannot compute ${name} of ${fmtShape(pred.shape)} against ${
        fmtShape(targ.shape)
      }: it needs one label for each of ${size} items${lastAxisHint(pred, targ, axis)}`,
    );
  }
  const known = allBelow(targ, classes, ignoreIndex);
  if (known !== null && known !== true) {
    throw new DataError(
      `Cannot compute ${name}: label ${known.bad} is none of the ${classes} classes, labels go from 0 to ${
        classes - 1
      }`,
    );
  }
  return sameShape(targ.shape, shape) ? targ : targ.reshape(shape);
}

/** Where the labels are those of logits whose last axis has the classes. */
function lastAxisHint(pred: Tensor, targ: Tensor, axis: number): string {
  const last = pred.shape.length - 1;
  if (axis === last || !sameShape(targ.shape, pred.shape.slice(0, last))) return "";
  return `, the classes along axis ${axis}; if they are along the last one, say { axis: -1 }`;
}
