/**
 * Scores of how well predictions rank the items, over a whole set.
 *
 * @module
 */
import type { Tensor } from "../../tensor/mod.ts";
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
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b] - scores[a]);
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

/** Places from 1 on, smallest first; equal numbers share the mean of theirs. */
export function ranksOf(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a] - values[b]);
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

/** The area under the curve of each class against the rest, their mean; for predictions before softmax, `[n, classes]`. */
export class RocAuc extends WholeSet {
  /** Name in rows. */
  override readonly name: string = "roc_auc_score";

  /** Probabilities of the classes. */
  protected override prepare(pred: Tensor): Tensor {
    return pred.softmax();
  }

  /** The mean over the classes. */
  protected override compute(pred: Rows, targ: Rows): number {
    let sum = 0;
    for (let c = 0; c < pred.width; c++) sum += rocAuc(column(pred, c), Array.from(targ.data, (t) => t === c));
    return sum / pred.width;
  }
}

/** The area under the curve of class 1 of two; for predictions before softmax. */
export class RocAucBinary extends RocAuc {
  /** That of the last class. */
  protected override compute(pred: Rows, targ: Rows): number {
    return rocAuc(column(pred, pred.width - 1), targ.data);
  }
}

/** The average precision of class 1 of two; for predictions before softmax. */
export class APScoreBinary extends RocAuc {
  /** Name in rows. */
  override readonly name: string = "average_precision_score";

  /** That of the last class. */
  protected override compute(pred: Rows, targ: Rows): number {
    return averagePrecision(column(pred, pred.width - 1), targ.data);
  }
}

/** The area under the curve of each of several labels, their mean; for predictions before the sigmoid. */
export class RocAucMulti extends RocAuc {
  /** Probabilities of the labels. */
  protected override prepare(pred: Tensor): Tensor {
    return pred.sigmoid();
  }

  /** The mean over the labels. */
  protected override compute(pred: Rows, targ: Rows): number {
    let sum = 0;
    for (let c = 0; c < pred.width; c++) sum += rocAuc(column(pred, c), column(targ, c));
    return sum / pred.width;
  }
}
