/**
 * Scores where an item may have several labels, over a whole set: predictions and targets have one column a label.
 *
 * @module
 */
import { checkOptions, flag, num, oneOf } from "../../base/options.ts";
import type { Tensor } from "../../tensor/mod.ts";
import type { MetricSource } from "../metric_source.ts";
import { type Average, averaged, type Counts, fbetaOf, jaccardOf, precisionOf, recallOf } from "./confusion.ts";
import type { MultiOptions } from "./functions.ts";
import { checkLengths, needClasses, needPairs } from "./task.ts";
import { type Rows, WholeSet } from "./whole_set.ts";

/** Options of scores over several labels. */
export interface MultiScoreOptions extends MultiOptions {
  /** How the labels' scores become one; "macro" by default. */
  readonly average?: Exclude<Average, "binary">;
}

/** Base of scores over several labels. */
export abstract class MultiScore extends WholeSet {
  readonly #thresh: number;
  readonly #sigmoid: boolean;
  readonly #average: Average;

  /** Makes a MultiScore. */
  constructor(options: MultiScoreOptions = {}) {
    super();
    const { thresh = 0.5, sigmoid = true, average = "macro" } = checkOptions(`make ${new.target.name}`, options, {
      thresh: num,
      sigmoid: flag,
      average: oneOf("micro", "macro", "weighted"),
    });
    this.#thresh = thresh;
    this.#sigmoid = sigmoid;
    this.#average = average;
  }

  /** Which labels are given. */
  protected override prepare(pred: Tensor): Tensor {
    return (this.#sigmoid ? pred.sigmoid() : pred).ge(this.#thresh).cast("i32");
  }

  /** See `Metric.check`. */
  override check(learn: MetricSource): void {
    needClasses(learn, this.name);
    needPairs(learn, this.name);
  }

  /** The labels' scores as one. */
  protected override compute(pred: Rows, targ: Rows): number {
    checkLengths(this.name, pred, targ);
    const { width } = pred;
    const counts = Array.from({ length: width }, (_, label): Counts => {
      let tp = 0, fp = 0, fn = 0;
      for (let i = label; i < targ.data.length; i += width) {
        const given = pred.data[i] !== 0, true_ = targ.data[i] !== 0;
        if (given && true_) tp++;
        else if (given) fp++;
        else if (true_) fn++;
      }
      return { tp, fp, fn };
    });
    return averaged(counts, (c) => this.ofLabel(c), this.#average, 0);
  }

  /** One label's score. */
  protected abstract ofLabel(c: Counts): number;
}

/** {@link F1Score} for several labels. */
export class F1ScoreMulti extends MultiScore {
  /** Name in rows. */
  override readonly name: string = "f1_score";
  /** One label's score. */
  protected override ofLabel(c: Counts): number {
    return fbetaOf(1)(c);
  }
}

/** {@link Precision} for several labels. */
export class PrecisionMulti extends MultiScore {
  /** Name in rows. */
  override readonly name: string = "precision_score";
  /** One label's score. */
  protected override ofLabel(c: Counts): number {
    return precisionOf(c);
  }
}

/** {@link Recall} for several labels. */
export class RecallMulti extends MultiScore {
  /** Name in rows. */
  override readonly name: string = "recall_score";
  /** One label's score. */
  protected override ofLabel(c: Counts): number {
    return recallOf(c);
  }
}

/** {@link Jaccard} for several labels. */
export class JaccardMulti extends MultiScore {
  /** Name in rows. */
  override readonly name: string = "jaccard_score";
  /** One label's score. */
  protected override ofLabel(c: Counts): number {
    return jaccardOf(c);
  }
}

/** The share of wrong decisions about labels. */
export class HammingLossMulti extends MultiScore {
  /** Name in rows. */
  override readonly name: string = "hamming_loss";

  /** The share of wrong decisions. */
  protected override compute(pred: Rows, targ: Rows): number {
    checkLengths(this.name, pred, targ);
    let wrong = 0;
    pred.data.forEach((v, i) => wrong += Number((v !== 0) !== (targ.data[i] !== 0)));
    return wrong / pred.data.length;
  }

  /** Not asked for: decisions count one by one. */
  protected override ofLabel({ fp, fn }: Counts): number {
    return fp + fn;
  }
}
