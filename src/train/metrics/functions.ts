/**
 * Metrics as functions of the prediction and the target of a batch.
 *
 * @module
 */
import { ConfigError, ShapeError } from "../../base/errors.ts";
import { checkOptions, flag, integer, num, type OptionTable } from "../../base/options.ts";
import { fmtShape } from "../../base/shape.ts";
import type { Tensor } from "../../tensor/mod.ts";
import { AccumMetric } from "../accum_metric.ts";
import { AvgMetric } from "../avg_metric.ts";
import { Metric, type MetricFunc, type MetricLike } from "../metric.ts";
import type { MetricSource } from "../metric_source.ts";
import { foregroundAcc } from "./segmentation.ts";
import { asLogits, decided, needClasses, needPairs, orNaN, pairOf } from "./task.ts";

/** Options of metrics over classes. */
export interface ClassAxisOptions {
  /** Axis of the classes; -1 by default. */
  readonly axis?: number;
}

const CLASS_AXIS: OptionTable<ClassAxisOptions> = { axis: integer };

/**
 * The share of items whose largest prediction is the target's class; NaN if a prediction is. Where a model gives one number
 * an item, that is the logit of class 1: above 0 it is class 1, else class 0 (above a half in a learner with `BCELoss`, which
 * takes probabilities).
 *
 * @param pred Scores or probabilities, `[n, ..., c]`, or one logit an item, `[n, 1]` or `[n]`.
 * @param targ Classes, whole numbers, `[n, ...]` or `[n, 1]`.
 */
export function accuracy(pred: Tensor, targ: Tensor): Tensor;
/** The same with the axis of the classes. */
export function accuracy(pred: Tensor, targ: Tensor, options: ClassAxisOptions): Tensor;
export function accuracy(pred: Tensor, targ: Tensor, options: ClassAxisOptions = {}): Tensor {
  const { axis = -1 } = checkOptions("accuracy", options, CLASS_AXIS);
  const [p, t] = flat(decided(pred, axis), targ, "compare");
  return orNaN(p.eq(t).mean(), pred);
}

/** 1 - {@link accuracy}. */
export function errorRate(pred: Tensor, targ: Tensor): Tensor;
/** The same with the axis of the classes. */
export function errorRate(pred: Tensor, targ: Tensor, options: ClassAxisOptions): Tensor;
export function errorRate(pred: Tensor, targ: Tensor, options: ClassAxisOptions = {}): Tensor {
  checkOptions("errorRate", options, CLASS_AXIS);
  return accuracy(pred, targ, options).neg().add(1);
}

/** Options of {@link topKAccuracy}. */
export interface TopKOptions extends ClassAxisOptions {
  /** How many guesses an item has; 5 by default. */
  readonly k?: number;
}

/** The share of items whose class is among the `k` (5) largest predictions. */
export function topKAccuracy(pred: Tensor, targ: Tensor): Tensor;
/** The same with another `k`, or the axis of the classes. */
export function topKAccuracy(pred: Tensor, targ: Tensor, options: TopKOptions): Tensor;
export function topKAccuracy(pred: Tensor, targ: Tensor, options: TopKOptions = {}): Tensor {
  const { k = 5, axis = -1 } = checkOptions("topKAccuracy", options, { k: num, ...CLASS_AXIS });
  const classes = pred.shape.at(axis) ?? 0;
  if (classes === 1) {
    throw new ConfigError("Cannot take the top classes of one logit: the model tells two classes apart, use accuracy");
  }
  if (!Number.isInteger(k) || k < 1 || k > classes) {
    throw new ConfigError(
      `Cannot take the top ${k} of ${classes} classes: k must be a whole number from 1 to ${classes}`,
    );
  }
  const { indices } = pred.topk(k, { axis });
  const at = axis < 0 ? axis + pred.rank : axis;
  const shape = indices.shape.map((n, i) => i === at ? 1 : n);
  return orNaN(indices.eq(targ.reshape(shape)).any({ axis: at }).mean(), pred);
}

/** Options of {@link accuracyMulti}. */
export interface MultiOptions {
  /** Predictions above this count as 1; 0.5 by default. */
  readonly thresh?: number;
  /** Whether predictions go through a sigmoid first; true by default. */
  readonly sigmoid?: boolean;
}

/** The share of right decisions where an item may have several labels; `pred` and `targ` have the same shape. */
export function accuracyMulti(pred: Tensor, targ: Tensor): Tensor;
/** The same with another threshold, or for probabilities. */
export function accuracyMulti(pred: Tensor, targ: Tensor, options: MultiOptions): Tensor;
export function accuracyMulti(pred: Tensor, targ: Tensor, options: MultiOptions = {}): Tensor {
  const { thresh = 0.5, sigmoid = true } = checkOptions("accuracyMulti", options, { thresh: num, sigmoid: flag });
  const [p, t] = flat(pred, targ, "compare");
  return orNaN((sigmoid ? p.sigmoid() : p).gt(thresh).eq(t.ne(0)).mean(), p);
}

/** The mean of `(pred - targ)^2`. */
export function mse(pred: Tensor, targ: Tensor): Tensor {
  const [p, t] = flat(pred, targ, "compare");
  return p.sub(t).square().mean();
}

/** The mean of `|pred - targ|`. */
export function mae(pred: Tensor, targ: Tensor): Tensor {
  const [p, t] = flat(pred, targ, "compare");
  return p.sub(t).abs().mean();
}

/** The mean of `(log(1 + pred) - log(1 + targ))^2`. */
export function msle(pred: Tensor, targ: Tensor): Tensor {
  const [p, t] = flat(pred, targ, "compare");
  return p.log1p().sub(t.log1p()).square().mean();
}

/** The root of the mean of `(pred - targ)^2` over the whole set. Made anew for each learner. */
export class Rmse extends AvgMetric {
  constructor() {
    super(mse, { name: "rmse" });
  }

  /** See `Metric.check`. */
  override check(learn: MetricSource): void {
    needPairs(learn, this.name);
  }

  /** The value, of the numbers of all batches. */
  protected override combine(values: readonly number[], weights: readonly number[]): number {
    return Math.sqrt(super.combine(values, weights));
  }
}

/** {@link Rmse}, under fastai's name. */
export const rmse: typeof Rmse = Rmse;

/** The root of the mean of `((targ - pred) / targ)^2` of exponentials, over the whole set. */
export class ExpRmspe extends AccumMetric {
  constructor() {
    super((pred, targ) => {
      const [p, t] = flat(pred.exp(), targ.exp(), "compare");
      return t.sub(p).div(t).square().mean().sqrt();
    }, { name: "exp_rmspe" });
  }
}

/** {@link ExpRmspe}, under fastai's name. */
export const expRmspe: typeof ExpRmspe = ExpRmspe;

/** Metrics as the recorder takes them: functions and classes become objects. */
export function toMetrics(metrics: MetricLike | readonly MetricLike[]): readonly Metric[] {
  const list: readonly MetricLike[] = Array.isArray(metrics) ? metrics : [metrics as MetricLike];
  return list.map((m) => {
    if (m instanceof Metric) return m;
    if (typeof m !== "function") {
      throw new ConfigError(`Cannot use a metric: it must be a function or a Metric, got ${typeof m}`);
    }
    if (isMetricClass(m)) return new m();
    if (CLASSES.includes(m)) return new Decision(m);
    if (SHAPED.includes(m)) return new Checked(m);
    return NUMBERS.includes(m) ? new Distance(m) : new AvgMetric(m);
  });
}

/** Functions that compare classes by logits, those that compare them otherwise, and those that compare numbers. */
const CLASSES: readonly MetricLike[] = [accuracy, errorRate, topKAccuracy];
const SHAPED: readonly MetricLike[] = [accuracyMulti, foregroundAcc];
const NUMBERS: readonly MetricLike[] = [mse, mae, msle];

/** A mean over classes; what does not fit is told in the first batch. */
class Checked extends AvgMetric {
  protected readonly of: MetricFunc;

  constructor(f: MetricFunc) {
    super(f);
    this.of = f;
  }

  override check(learn: MetricSource): void {
    needClasses(learn, this.name);
    const pair = pairOf(learn);
    if (pair !== null) this.of(pair.pred, pair.targ); // shapes that do not fit are told; nothing is computed
  }
}

/** A mean over decisions between classes, of which two may be told apart by one logit. */
class Decision extends Checked {
  protected override ofBatch(learn: MetricSource): Tensor | number | Promise<Tensor | number> {
    const { pred, yb } = learn.batch;
    return this.of(asLogits(learn, pred ?? learn.pred, -1), ...yb ?? learn.yb);
  }
}

/** A mean over distances of numbers. */
class Distance extends AvgMetric {
  override check(learn: MetricSource): void {
    needPairs(learn, this.name);
  }
}

function isMetricClass(m: Exclude<MetricLike, Metric>): m is new () => Metric {
  return m.prototype instanceof Metric;
}

/** Both as vectors of the same length. */
function flat(pred: Tensor, targ: Tensor, what: string): [Tensor, Tensor] {
  if (pred.size !== targ.size) {
    throw new ShapeError(
      `Cannot ${what} predictions of shape ${fmtShape(pred.shape)} with targets of shape ${fmtShape(targ.shape)}: ` +
        `they must have as many elements, got ${pred.size} and ${targ.size}`,
    );
  }
  return [pred.reshape([-1]), targ.reshape([-1])];
}
