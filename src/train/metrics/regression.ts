/**
 * Scores of predicted numbers, over a whole set.
 *
 * @module
 */
import type { Tensor } from "../../tensor/mod.ts";
import type { MetricSource } from "../metric_source.ts";
import { ranksOf } from "./ranking.ts";
import { checkLengths, needNumbers } from "./task.ts";
import { type Rows, WholeSet } from "./whole_set.ts";

/** Base of scores of predicted numbers. */
export abstract class RegressionScore extends WholeSet {
  /** The predictions themselves. */
  protected override prepare(pred: Tensor): Tensor {
    return pred;
  }

  /** See `Metric.check`. */
  override check(learn: MetricSource): void {
    needNumbers(learn, this.name);
  }

  /** The score of all numbers. */
  protected override compute(pred: Rows, targ: Rows): number {
    checkLengths(this.name, pred, targ);
    return this.score(pred.data, targ.data);
  }

  /** The score. */
  protected abstract score(pred: Float64Array, targ: Float64Array): number;
}

/** Mean distance from the first number: equal numbers lie 0 from it, however they are rounded. */
function mean(a: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] - a[0];
  return sum / a.length;
}

/** Sum of products of the distances from the means. */
function covariation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const ma = mean(a), mb = mean(b);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - a[0] - ma) * (b[i] - b[0] - mb);
  return sum;
}

/**
 * 1 - a part of the targets' variation. Where all targets are one number it is 1 without an error, else 0, as scikit-learn has
 * it; NaN of fewer than two.
 */
function explained(error: number, all: number, n: number): number {
  if (n < 2) return NaN;
  return all > 0 || Number.isNaN(error) ? 1 - error / all : error > 0 ? 0 : 1;
}

function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return covariation(a, b) / Math.sqrt(covariation(a, a) * covariation(b, b));
}

/**
 * 1 - the squared error over the targets' squared distance from their mean; of targets that are all one number 1 where they
 * are met, else 0.
 */
export class R2Score extends RegressionScore {
  /** Name in rows. */
  override readonly name: string = "r2_score";
  /** The score. */
  protected override score(pred: Float64Array, targ: Float64Array): number {
    const error = targ.reduce((sum, t, i) => sum + (t - pred[i]) ** 2, 0);
    return explained(error, covariation(targ, targ), targ.length);
  }
}

/** 1 - the variance of the error over that of the targets; of targets that are all one number as {@link R2Score}. */
export class ExplainedVariance extends RegressionScore {
  /** Name in rows. */
  override readonly name: string = "explained_variance_score";
  /** The score. */
  protected override score(pred: Float64Array, targ: Float64Array): number {
    const error = targ.map((t, i) => t - pred[i]);
    return explained(covariation(error, error), covariation(targ, targ), targ.length);
  }
}

/** Pearson's correlation. */
export class PearsonCorrCoef extends RegressionScore {
  /** Name in rows. */
  override readonly name: string = "pearsonr";
  /** The score. */
  protected override score(pred: Float64Array, targ: Float64Array): number {
    return pearson(pred, targ);
  }
}

/** Spearman's correlation: Pearson's of the ranks. */
export class SpearmanCorrCoef extends RegressionScore {
  /** Name in rows. */
  override readonly name: string = "spearmanr";
  /** The score. */
  protected override score(pred: Float64Array, targ: Float64Array): number {
    return pearson(ranksOf(pred), ranksOf(targ));
  }
}
