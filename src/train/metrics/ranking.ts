/**
 * Scores of how well predictions rank the items, over a whole set.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import type { Tensor } from "../../tensor/mod.ts";
import type { MetricSource } from "../metric_source.ts";
import { checkLabels, checkLengths, classesOf, isOneLogit, needClasses, needPairs, pairOf } from "./task.ts";
import { type Rows, WholeSet } from "./whole_set.ts";

/**
 * The area under the curve of true over false positives: the chance that a positive item ranks above a negative one, ties
 * counting half. NaN without items of both kinds.
 */
export function rocAuc(scores: ArrayLike<number>, positive: ArrayLike<number | boolean>): number {
  const ranks = ranksOf(scores);
  let sum = 0, n = 0;
  for (let i = 0; i < ranks.length; i++) {
    if (!positive[i]) continue;
    sum += ranks[i];
    n++;
  }
  return (sum - n * (n + 1) / 2) / (n * (ranks.length - n));
}

/** The mean precision over the positive items, each at its own place in the ranking; ties share a place. */
export function averagePrecision(scores: ArrayLike<number>, positive: ArrayLike<number | boolean>): number {
  if (hasNaN(scores)) return NaN;
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => compare(scores[b], scores[a]));
  const total = Array.from(positive).filter(Boolean).length;
  let found = 0, before = 0, sum = 0;
  for (let i = 0; i < order.length; i++) {
    if (positive[order[i]]) found++;
    if (i + 1 < order.length && scores[order[i + 1]] === scores[order[i]]) continue;
    sum += (found - before) / total * found / (i + 1);
    before = found;
  }
  return sum;
}

/** Whether a number is none: there is no order then. */
function hasNaN(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return true;
  return false;
}

/** Infinities have no difference, but an order. */
const compare = (a: number, b: number): number => a < b ? -1 : a > b ? 1 : 0;

/** Places from 1 on, smallest first; equal numbers share the mean of theirs. All are NaN where a number is. */
export function ranksOf(values: ArrayLike<number>): Float64Array {
  if (hasNaN(values)) return new Float64Array(values.length).fill(NaN);
  const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => compare(values[a], values[b]));
  const ranks = new Float64Array(order.length);
  for (let i = 0; i < order.length;) {
    let end = i;
    while (end < order.length && values[order[end]] === values[order[i]]) end++;
    for (let j = i; j < end; j++) ranks[order[j]] = (i + end + 1) / 2;
    i = end;
  }
  return ranks;
}

/** Column `j` of some rows. */
function column({ data, width }: Rows, j: number): Float64Array {
  return Float64Array.from({ length: data.length / width }, (_, i) => data[i * width + j]);
}

/**
 * The area under the curve of each class against the rest, their mean; for predictions before softmax, `[n, classes]`. One
 * number an item is the logit of class 1.
 */
export class RocAuc extends WholeSet {
  /** Name in rows. */
  override readonly name: string = "roc_auc_score";

  /** Probabilities of the classes. */
  protected override prepare(pred: Tensor): Tensor {
    return isOneLogit(pred, -1) ? pred : pred.softmax(); // a logit ranks as its probability does
  }

  /** See `Metric.check`. */
  override check(learn: MetricSource): void {
    needClasses(learn, this.name);
    const pair = pairOf(learn);
    if (pair !== null) this.checkClasses(classesOf(pair.pred, -1));
  }

  /** Refuses predictions of so many classes. */
  protected checkClasses(_classes: number): void {}

  /** See `WholeSet`. */
  protected override logits(_learn: MetricSource, pred: Tensor): Tensor {
    this.checkClasses(classesOf(pred, -1));
    return pred;
  }

  /** The mean over the classes. */
  protected override compute(pred: Rows, targ: Rows): number {
    checkLabels(this.name, { data: column(pred, 0) }, targ);
    if (pred.width === 1) return rocAuc(pred.data, targ.data);
    let sum = 0;
    for (let c = 0; c < pred.width; c++) sum += rocAuc(column(pred, c), Array.from(targ.data, (t) => t === c));
    return sum / pred.width;
  }
}

function needTwo(name: string, classes: number, other: string): void {
  if (classes <= 2) return;
  throw new ConfigError(
    `Cannot use the metric ${name} on ${classes} classes: it is the score of one class of two${other}`,
  );
}

/** The area under the curve of class 1 of two; for predictions before softmax, or one logit an item. */
export class RocAucBinary extends RocAuc {
  /** See `RocAuc`. */
  protected override checkClasses(classes: number): void {
    needTwo(this.name, classes, "; use RocAuc");
  }

  /** That of the last class. */
  protected override compute(pred: Rows, targ: Rows): number {
    checkLabels(this.name, { data: column(pred, 0) }, targ);
    return rocAuc(column(pred, pred.width - 1), targ.data);
  }
}

/** The average precision of class 1 of two; for predictions before softmax, or one logit an item. */
export class APScoreBinary extends RocAuc {
  /** Name in rows. */
  override readonly name: string = "average_precision_score";

  /** See `RocAuc`. */
  protected override checkClasses(classes: number): void {
    needTwo(this.name, classes, "");
  }

  /** That of the last class. */
  protected override compute(pred: Rows, targ: Rows): number {
    checkLabels(this.name, { data: column(pred, 0) }, targ);
    return averagePrecision(column(pred, pred.width - 1), targ.data);
  }
}

/** The area under the curve of each of several labels, their mean; for predictions before the sigmoid. */
export class RocAucMulti extends RocAuc {
  /** Probabilities of the labels. */
  protected override prepare(pred: Tensor): Tensor {
    return pred.sigmoid();
  }

  /** See `Metric.check`. */
  override check(learn: MetricSource): void {
    needClasses(learn, this.name);
    needPairs(learn, this.name);
  }

  /** The mean over the labels. */
  protected override compute(pred: Rows, targ: Rows): number {
    checkLengths(this.name, pred, targ);
    let sum = 0;
    for (let c = 0; c < pred.width; c++) {
      sum += rocAuc(column(pred, c), column({ data: targ.data, width: pred.width }, c));
    }
    return sum / pred.width;
  }
}
