/**
 * Losses of classification by class labels.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkOptions, flag, integer, num, type OptionTable } from "../base/options.ts";
import { normalizeAxis, sameShape } from "../base/shape.ts";
import { allBelow, arange, aTensor, expm1Low, ops, type Tensor, where } from "../tensor/mod.ts";
import { classLabels, Loss, LOSS_OPTIONS, type LossOptions } from "./loss.ts";

/**
 * Options of losses with class labels. Where every item is ignored, or weighs nothing, the mean loss is 0 and so is its
 * gradient: such a batch teaches nothing and does no harm (in PyTorch the loss is NaN).
 */
export interface ClassLossOptions extends LossOptions {
  /** Weight of each class, `[classes]`. */
  readonly weight?: Tensor;
  /** Label of items that do not count. */
  readonly ignoreIndex?: number;
  /** The axis of the classes; the last one for two axes, 1 otherwise. */
  readonly axis?: number;
}

const CLASS_LOSS_OPTIONS: OptionTable<ClassLossOptions> = {
  ...LOSS_OPTIONS,
  weight: aTensor,
  ignoreIndex: integer,
  axis: integer,
};

/** Options of {@link CrossEntropyLoss}. */
export interface CrossEntropyOptions extends ClassLossOptions {
  /** Part of each target that is spread over all classes, in [0, 1]; 0 by default. As PyTorch, class weights apply to it. */
  readonly labelSmoothing?: number;
}

/** What losses with class labels have in common. */
export abstract class ClassLoss extends Loss {
  /** Weight of each class, `[classes]`; null if all count the same. */
  readonly weight: Tensor | null;
  /** Label of items that do not count; null if all do. */
  readonly ignoreIndex: number | null;
  /** Axis of the classes; null for the second of more than two axes, else the last. */
  readonly axis: number | null;

  /** Takes what all losses with class labels take. */
  constructor(options: ClassLossOptions = {}) {
    const { weight, ignoreIndex, axis, ...rest } = checkOptions(`make ${new.target.name}`, options, CLASS_LOSS_OPTIONS);
    super(rest);
    this.weight = weight ?? null;
    this.ignoreIndex = ignoreIndex ?? null;
    this.axis = axis ?? null;
  }

  /** The class axis of `pred`. */
  protected axisOf(pred: Tensor): number {
    const rank = pred.shape.length;
    const axis = normalizeAxis(this.axis ?? (rank > 2 ? 1 : -1), rank, "find the classes");
    if (this.weight !== null && this.weight.size !== pred.shape[axis]) {
      throw new ConfigError(
        `Cannot compute ${this.constructor.name}: ${this.weight.size} class weights for ${pred.shape[axis]} classes`,
      );
    }
    return axis;
  }

  /** Class weights in the shape of `pred`, to be broadcast. */
  protected wideWeight(pred: Tensor, axis: number): Tensor | null {
    return this.weight === null ? null : this.weight.reshape(pred.shape.map((n, i) => i === axis ? n : 1));
  }

  /** 1 for items that count, 0 for those that are ignored; null if none can be. */
  protected counts(labels: Tensor): Tensor | null {
    return this.ignoreIndex === null ? null : labels.ne(this.ignoreIndex).cast("f32");
  }

  /** `items`, 0 where they are ignored, whatever their value. */
  protected counted(items: Tensor, labels: Tensor): Tensor {
    return this.ignoreIndex === null ? items : where(labels.ne(this.ignoreIndex), items, 0);
  }

  /** `items` times their weights, 0 where they are ignored. */
  protected weighed(items: Tensor, labels: Tensor, weights: Tensor | null): Tensor {
    return this.counted(this.weight === null ? items : items.mul(weights!), labels);
  }

  /** Each item's weight: that of its class, 0 where it is ignored; null if all count 1. */
  protected itemWeights(labels: Tensor): Tensor | null {
    const { weight } = this;
    const counts = this.counts(labels);
    if (weight === null) return counts;
    const own = weight.indexSelect(this.safeLabels(labels).reshape([-1]), { axis: 0 }).reshape(labels.shape);
    return counts === null ? own : own.mul(counts);
  }

  /** Labels with class 0 in place of those that do not count. */
  protected safeLabels(labels: Tensor): Tensor {
    return this.ignoreIndex === null ? labels : where(labels.eq(this.ignoreIndex), 0, labels);
  }

  /** The mean over items, each counting its weight; 0 where nothing counts. */
  protected reduceWeighted(items: Tensor, weights: Tensor | null): Tensor {
    if (this.reduction !== "mean" || weights === null) return this.reduce(items);
    const total = weights.sum();
    return items.sum().div(where(total.eq(0), 1, total));
  }

  /** Probabilities of the classes. */
  override activation(pred: Tensor): Tensor {
    return pred.softmax({ axis: this.axisOf(pred) });
  }

  /** The most probable class, i32, without the class axis. */
  override decodes(pred: Tensor): Tensor {
    return pred.argmax({ axis: this.axisOf(pred) });
  }
}

/** The entry of `x` along `axis` that `labels` says: no look-up, so that its gradient is element-wise too. */
function pick(x: Tensor, labels: Tensor, axis: number): Tensor {
  const classes = arange(x.shape[axis], { dtype: "i32" }).reshape(x.shape.map((n, i) => i === axis ? n : 1));
  const picked = where(classes.eq(labels.unsqueeze(axis)), x, 0).sum({ axis });
  return orNaN(picked, labels, x.shape[axis]);
}

/** `x`, but NaN for labels that are no class and that nobody could check in advance. */
function orNaN(x: Tensor, labels: Tensor, classes: number): Tensor {
  return allBelow(labels, classes) === true ? x : where(labels.ge(0).and(labels.lt(classes)), x, NaN);
}

/**
 * `z = x - max` and `log(sum(exp(z)))` along `axis`, which is kept; the maximum is a constant for gradients. The 1 of the
 * largest element is left out of the sum and comes in by log1p: sure and right predictions keep the digits of their loss.
 */
function logits(x: Tensor, axis: number): { z: Tensor; logSum: Tensor } {
  const z = x.sub(x.max({ axis: [axis], keepdim: true }).detach());
  const largest = z.ge(0).cast("f32");
  const others = z.exp().sub(largest).sum({ axis }).add(largest.sum({ axis }).sub(1));
  return { z, logSum: others.log1p() };
}

/**
 * Cross-entropy of logits `[n, classes]` (or `[n, classes, ...]`) against labels `[n]` (`[n, ...]`), or against probabilities
 * of the logits' own shape.
 */
export class CrossEntropyLoss extends ClassLoss {
  /** Part of each target that is spread over all classes. */
  readonly labelSmoothing: number;

  /** Takes weights, smoothing, the class axis and the reduction. */
  constructor(options: CrossEntropyOptions = {}) {
    const { labelSmoothing = 0, ...rest } = checkOptions("make CrossEntropyLoss", options, {
      ...CLASS_LOSS_OPTIONS,
      labelSmoothing: num,
    });
    super(rest);
    if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
      throw new ConfigError(`Cannot smooth labels by ${labelSmoothing}: it is a number from 0 to 1`);
    }
    this.labelSmoothing = labelSmoothing;
  }

  /** One number; with reduction "none" one for each item. */
  override forward(pred: Tensor, targ: Tensor): Tensor {
    const axis = this.axisOf(pred);
    if (targ.dtype === "f32" && sameShape(targ.shape, pred.shape)) return this.#soft(pred, targ, axis);
    const labels = classLabels(this, pred, targ, axis, this.ignoreIndex);
    const { z, logSum } = logits(pred, axis);
    const weights = this.itemWeights(labels);
    const nll = logSum.sub(pick(z, this.safeLabels(labels), axis));
    const hard = this.reduceWeighted(this.weighed(nll, labels, weights), weights);
    if (this.labelSmoothing === 0) return hard;
    const all = this.counted(this.#allClasses(z, logSum, axis, pred), labels);
    return hard.mul(1 - this.labelSmoothing).add(
      this.reduceWeighted(all, weights).mul(this.labelSmoothing / pred.shape[axis]),
    );
  }

  /** The sum over the classes of -log p, each class counting its weight. */
  #allClasses(z: Tensor, logSum: Tensor, axis: number, pred: Tensor): Tensor {
    const wide = this.wideWeight(pred, axis);
    const minusLog = logSum.unsqueeze(axis).sub(z);
    return (wide === null ? minusLog : minusLog.mul(wide)).sum({ axis });
  }

  #soft(pred: Tensor, targ: Tensor, axis: number): Tensor {
    const { z, logSum } = logits(pred, axis);
    const classes = pred.shape[axis];
    const t = this.labelSmoothing === 0 ? targ : targ.mul(1 - this.labelSmoothing).add(this.labelSmoothing / classes);
    const wide = this.wideWeight(pred, axis);
    const minusLog = logSum.unsqueeze(axis).sub(z).mul(t);
    const items = (wide === null ? minusLog : minusLog.mul(wide)).sum({ axis });
    return this.reduce(items);
  }
}

/** Options of {@link LabelSmoothingCrossEntropy}. */
export interface LabelSmoothingOptions extends ClassLossOptions {
  /** Part of each target that is spread over all classes, in [0, 1]; 0.1 by default. */
  readonly eps?: number;
}

/** fastai's smoothed cross-entropy: class weights do not apply to the smoothing term. */
export class LabelSmoothingCrossEntropy extends ClassLoss {
  /** Part of each target that is spread over all classes. */
  readonly eps: number;

  /** Takes `eps` and what all losses with class labels take. */
  constructor(options: LabelSmoothingOptions = {}) {
    const { eps = 0.1, ...rest } = checkOptions("make LabelSmoothingCrossEntropy", options, {
      ...CLASS_LOSS_OPTIONS,
      eps: num,
    });
    super(rest);
    if (!(eps >= 0 && eps <= 1)) throw new ConfigError(`Cannot smooth labels by ${eps}: it is a number from 0 to 1`);
    this.eps = eps;
  }

  /** Of logits against labels: one number; with reduction "none" one for each item. */
  override forward(pred: Tensor, targ: Tensor): Tensor {
    const axis = this.axisOf(pred);
    const labels = classLabels(this, pred, targ, axis, this.ignoreIndex);
    const { z, logSum } = logits(pred, axis);
    const weights = this.itemWeights(labels);
    const nll = logSum.sub(pick(z, this.safeLabels(labels), axis));
    const all = logSum.unsqueeze(axis).sub(z).sum({ axis });
    const hard = this.reduceWeighted(this.weighed(nll, labels, weights), weights);
    const smooth = this.reduceWeighted(this.counted(all, labels), this.counts(labels));
    return smooth.mul(this.eps / pred.shape[axis]).add(hard.mul(1 - this.eps));
  }
}

/** Negative log-likelihood of log-probabilities `[n, classes]` against labels `[n]`. */
export class NLLLoss extends ClassLoss {
  /** Of log-probabilities against labels: one number; with reduction "none" one for each item. */
  override forward(pred: Tensor, targ: Tensor): Tensor {
    const axis = this.axisOf(pred);
    const labels = classLabels(this, pred, targ, axis, this.ignoreIndex);
    const weights = this.itemWeights(labels);
    const nll = pick(pred, this.safeLabels(labels), axis).neg();
    return this.reduceWeighted(this.weighed(nll, labels, weights), weights);
  }

  /** Probabilities of log-probabilities. */
  override activation(pred: Tensor): Tensor {
    return pred.exp();
  }
}

/** Options of {@link FocalLoss}. */
export interface FocalLossOptions extends ClassLossOptions {
  /** How much well classified items count less; 2 by default. */
  readonly gamma?: number;
}

/** Cross-entropy times `(1 - p)^gamma`, `p` the exponential of its negative. */
export class FocalLoss extends ClassLoss {
  /** How much well classified items count less. */
  readonly gamma: number;

  /** Takes `gamma` and what all losses with class labels take. */
  constructor(options: FocalLossOptions = {}) {
    const { gamma = 2, ...rest } = checkOptions("make FocalLoss", options, { ...CLASS_LOSS_OPTIONS, gamma: num });
    super(rest);
    if (!(gamma >= 0)) throw new ConfigError(`Cannot make FocalLoss: gamma is a number from 0, got ${gamma}`);
    this.gamma = gamma;
  }

  /** Of logits against labels: one number; with reduction "none" one for each item. */
  override forward(pred: Tensor, targ: Tensor): Tensor {
    const axis = this.axisOf(pred);
    const labels = classLabels(this, pred, targ, axis, this.ignoreIndex);
    const { z, logSum } = logits(pred, axis);
    const weights = this.itemWeights(labels);
    const nll = logSum.sub(pick(z, this.safeLabels(labels), axis));
    const ce = this.weighed(nll, labels, weights);
    return this.reduceWeighted(this.#factor(ce).mul(ce), this.counts(labels));
  }

  /** `(1 - p)^gamma`; where p is 1 it is a constant, as a power below 1 has an infinite slope there. */
  #factor(ce: Tensor): Tensor {
    const wrong = expm1Low(ce.neg()).neg(); // 1 - p, with its digits where p is near 1
    return where(wrong.gt(0), where(wrong.gt(0), wrong, 1).pow(this.gamma), this.gamma === 0 ? 1 : wrong.detach());
  }
}

/** Options of {@link DiceLoss}. */
export interface DiceLossOptions extends LossOptions {
  /** The axis of the classes; 1 by default. */
  readonly axis?: number;
  /** Added to both sides of the quotient; 1e-6 by default. */
  readonly smooth?: number;
  /** Whether predictions are squared in the union. */
  readonly squareInUnion?: boolean;
}

/** One minus the Dice coefficient of softmax and labels, for each item and class; "sum" by default. */
export class DiceLoss extends Loss {
  /** The axis of the classes. */
  readonly axis: number;
  /** Added to both sides of the quotient. */
  readonly smooth: number;
  /** Whether predictions are squared in the union. */
  readonly squareInUnion: boolean;

  /** Takes the class axis, the smoothing and the reduction, "sum" by default. */
  constructor(options: DiceLossOptions = {}) {
    const { axis = 1, smooth = 1e-6, squareInUnion = false, reduction = "sum" } = checkOptions(
      "make DiceLoss",
      options,
      {
        ...LOSS_OPTIONS,
        axis: integer,
        smooth: num,
        squareInUnion: flag,
      },
    );
    super({ reduction });
    this.axis = axis;
    this.smooth = smooth;
    this.squareInUnion = squareInUnion;
  }

  /** Of logits `[n, classes, ...]` against labels `[n, ...]`; with reduction "none" `[n, classes]`. */
  override forward(pred: Tensor, targ: Tensor): Tensor {
    const labels = classLabels(this, pred, targ, this.axis, null);
    const classes = arange(pred.shape[this.axis], { dtype: "i32" }).reshape(
      pred.shape.map((n, i) => i === this.axis ? n : 1),
    );
    const all = labels.unsqueeze(this.axis);
    const truth = orNaN(classes.eq(all).cast("f32"), all, pred.shape[this.axis]);
    const p = pred.softmax({ axis: this.axis });
    const axis = pred.shape.map((_, i) => i).slice(2);
    const sum = (x: Tensor) => axis.length > 0 ? x.sum({ axis }) : x;
    const inter = sum(p.mul(truth));
    const union = sum((this.squareInUnion ? p.square() : p).add(truth));
    return this.reduce(ops.sub(1, inter.mul(2).add(this.smooth).div(union.add(this.smooth))));
  }

  /** Probabilities of the classes. */
  override activation(pred: Tensor): Tensor {
    return pred.softmax({ axis: this.axis });
  }

  /** The most probable class, i32, without the class axis. */
  override decodes(pred: Tensor): Tensor {
    return pred.argmax({ axis: this.axis });
  }
}
