/**
 * Element-wise losses. Predictions and targets are flattened where their shapes differ, and targets become f32.
 *
 * @module
 */
import { ConfigError, ShapeError } from "../base/errors.ts";
import { checkOptions, either, flag, num, nums, oneOf } from "../base/options.ts";
import { fmtShape } from "../base/shape.ts";
import { aTensor, binaryCrossEntropy, stepInput, type Tensor, where } from "../tensor/mod.ts";
import { flatPair, Loss, LOSS_OPTIONS, type LossOptions } from "./loss.ts";

/** Squared difference. */
export class MSELoss extends Loss {
  /** See `Loss`. */
  override get unitPower(): number {
    return 2;
  }

  /** One number; with reduction "none" one for each element. */
  override forward(pred: Tensor, targ: Tensor): Tensor {
    const [p, t] = flatPair(this, pred, targ);
    return this.reduce(p.sub(t).square());
  }
}

/** Absolute difference. */
export class L1Loss extends Loss {
  /** See `Loss`. */
  override get unitPower(): number {
    return 1;
  }

  /** One number; with reduction "none" one for each element. */
  override forward(pred: Tensor, targ: Tensor): Tensor {
    const [p, t] = flatPair(this, pred, targ);
    return this.reduce(p.sub(t).abs());
  }
}

/** Options of {@link SmoothL1Loss}. */
export interface SmoothL1Options extends LossOptions {
  /** Difference up to which the loss is quadratic; 1 by default. */
  readonly beta?: number;
}

/**
 * `d^2 / (2 beta)` for differences below `beta`, `|d| - beta / 2` above. Of scaled targets `beta` counts in deviations.
 */
export class SmoothL1Loss extends Loss {
  /** Difference up to which the loss is quadratic. */
  readonly beta: number;

  /** Takes `beta` and the reduction. */
  constructor(options: SmoothL1Options = {}) {
    const { beta = 1, ...rest } = checkOptions("make SmoothL1Loss", options, { ...LOSS_OPTIONS, beta: num });
    super(rest);
    if (!(beta > 0)) throw new ConfigError(`Cannot make SmoothL1Loss: beta is a number above 0, got ${beta}`);
    this.beta = beta;
  }

  /** See `Loss`. */
  override get unitPower(): number {
    return 1;
  }

  /** One number; with reduction "none" one for each element. */
  override forward(pred: Tensor, targ: Tensor): Tensor {
    const [p, t] = flatPair(this, pred, targ);
    const d = p.sub(t), size = d.abs(), near = size.lt(this.beta);
    const square = where(near, d, 0).square().mul(0.5 / this.beta); // of large differences it would overflow
    return this.reduce(where(near, square, size.sub(0.5 * this.beta)));
  }
}

/** Options of {@link HuberLoss}. */
export interface HuberOptions extends LossOptions {
  /** Difference up to which the loss is quadratic; 1 by default. */
  readonly delta?: number;
}

/**
 * `d^2 / 2` for differences up to `delta`, `delta (|d| - delta / 2)` above. Of scaled targets `delta` counts in deviations.
 */
export class HuberLoss extends Loss {
  /** Difference up to which the loss is quadratic. */
  readonly delta: number;

  /** Takes `delta` and the reduction. */
  constructor(options: HuberOptions = {}) {
    const { delta = 1, ...rest } = checkOptions("make HuberLoss", options, { ...LOSS_OPTIONS, delta: num });
    super(rest);
    if (!(delta > 0)) throw new ConfigError(`Cannot make HuberLoss: delta is a number above 0, got ${delta}`);
    this.delta = delta;
  }

  /** See `Loss`. */
  override get unitPower(): number {
    return 2;
  }

  /** One number; with reduction "none" one for each element. */
  override forward(pred: Tensor, targ: Tensor): Tensor {
    const [p, t] = flatPair(this, pred, targ);
    const d = p.sub(t), size = d.abs(), near = size.le(this.delta);
    const square = where(near, d, 0).square().mul(0.5); // of large differences it would overflow
    return this.reduce(where(near, square, size.sub(0.5 * this.delta).mul(this.delta)));
  }
}

/** Options of {@link BCEWithLogitsLoss}. */
export interface BceWithLogitsOptions extends LossOptions {
  /** Weight of positive targets, `[classes]` or one number; broadcasts. */
  readonly posWeight?: Tensor;
  /** Weight of each element; broadcasts. */
  readonly weight?: Tensor;
  /** Probability above which a decision is positive, of all labels or one for each of the last axis; 0.5 by default. */
  readonly thresh?: number | readonly number[];
}

/** Binary cross-entropy of logits against targets in [0, 1]. */
export class BCEWithLogitsLoss extends Loss {
  /** Weight of positive targets, or null. */
  readonly posWeight: Tensor | null;
  /** Weight of each element, or null. */
  readonly weight: Tensor | null;
  /** Probability above which a decision is positive, of all labels or one for each. */
  readonly thresh: number | readonly number[];

  /** Takes weights, the threshold of decisions and the reduction. */
  constructor(options: BceWithLogitsOptions = {}) {
    const { posWeight, weight, thresh = 0.5, ...rest } = checkOptions("make BCEWithLogitsLoss", options, {
      ...LOSS_OPTIONS,
      posWeight: aTensor,
      weight: aTensor,
      thresh: either(num, nums),
    });
    super(rest);
    this.posWeight = posWeight ?? null;
    this.weight = weight ?? null;
    this.thresh = thresh;
  }

  /** One number; with reduction "none" one for each element. */
  override forward(pred: Tensor, targ: Tensor): Tensor {
    const [x, t] = flatPair(this, pred, targ);
    // posWeight t log(1 + exp(-x)) + (1 - t) log(1 + exp(x)): both terms keep their digits where the other one is large
    const yes = t.mul(x.neg().softplus()), no = t.neg().add(1).mul(x.softplus());
    const items = (this.posWeight === null ? yes : yes.mul(this.posWeight)).add(no);
    return this.reduce(this.weight === null ? items : items.mul(this.weight));
  }

  /** Probabilities of logits. */
  override activation(pred: Tensor): Tensor {
    return pred.sigmoid();
  }

  /** Which probabilities are above the threshold, bool. */
  override decodes(pred: Tensor): Tensor {
    const { thresh } = this;
    if (typeof thresh === "number") return pred.gt(thresh);
    if (pred.shape.at(-1) !== thresh.length) {
      throw new ShapeError(
        `Cannot decide ${
          fmtShape(pred.shape)
        } by ${thresh.length} thresholds: there is one for each label of the last axis`,
      );
    }
    return pred.gt(stepInput(Float32Array.from(thresh), { shape: [thresh.length] }));
  }

  /** The same loss with other thresholds. */
  withThresh(thresh: number | readonly number[]): BCEWithLogitsLoss {
    const { posWeight, weight, reduction } = this;
    return new BCEWithLogitsLoss({
      thresh,
      reduction,
      ...(posWeight === null ? {} : { posWeight }),
      ...(weight === null ? {} : { weight }),
    });
  }
}

/**
 * Binary cross-entropy of probabilities; as in PyTorch logarithms are not taken below -100, and in the gradient
 * `(p - t) / (p (1 - p))` the denominator is at least 1e-12, so that probabilities of exactly 0 and 1 do no harm.
 */
export class BCELoss extends Loss {
  /** One number; with reduction "none" one for each element. */
  override forward(pred: Tensor, targ: Tensor): Tensor {
    const [p, t] = flatPair(this, pred, targ);
    return this.reduce(binaryCrossEntropy(p, t));
  }

  /** Which probabilities are above a half, bool. */
  override decodes(pred: Tensor): Tensor {
    return pred.gt(0.5);
  }
}

/** Options of {@link KLDivLoss}. */
export interface KlDivOptions {
  /** "batchmean" is the sum over the size of the first axis, the mathematical mean; "mean" by default, over all elements. */
  readonly reduction?: "mean" | "sum" | "none" | "batchmean";
  /** Whether targets are logarithms too. */
  readonly logTarget?: boolean;
}

/** Kullback-Leibler divergence of log-probabilities from targets. */
export class KLDivLoss extends Loss {
  /** Whether targets are logarithms too. */
  readonly logTarget: boolean;
  readonly #batchMean: boolean;

  /** Takes the reduction, and whether targets are logarithms. */
  constructor(options: KlDivOptions = {}) {
    const { reduction = "mean", logTarget = false } = checkOptions("make KLDivLoss", options, {
      reduction: oneOf("mean", "sum", "none", "batchmean"),
      logTarget: flag,
    });
    super({ reduction: reduction === "batchmean" ? "sum" : reduction });
    this.#batchMean = reduction === "batchmean";
    this.logTarget = logTarget;
  }

  /** One number; with reduction "none" one for each element. */
  override forward(pred: Tensor, targ: Tensor): Tensor {
    const [p, t] = flatPair(this, pred, targ);
    // t (log t - p), 0 where t is 0
    const items = this.logTarget
      ? t.exp().mul(t.sub(p))
      : where(t.gt(0), t.mul(where(t.gt(0), t, 1).log()), 0).sub(t.mul(p));
    const loss = this.reduce(items);
    return this.#batchMean && this.reduction === "sum" ? loss.mul(1 / pred.shape[0]) : loss;
  }
}
