/**
 * Scores of decisions between classes, over a whole set.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { checkArgument, checkOptions, integer, num, oneOf, other } from "../../base/options.ts";
import type { Tensor } from "../../tensor/mod.ts";
import type { MetricSource } from "../metric_source.ts";
import {
  type Average,
  averaged,
  type Confusion,
  confusion,
  type Counts,
  countsOf,
  fbetaOf,
  jaccardOf,
  kappaOf,
  matthewsOf,
  precisionOf,
  recallOf,
} from "./confusion.ts";
import { asLogits, checkLabels, classesOf, decided, needClasses, pairOf } from "./task.ts";
import { type Rows, WholeSet } from "./whole_set.ts";

/** Options of scores over classes. */
export interface ClassScoreOptions {
  /** Axis of the classes in predictions; -1 by default. */
  readonly axis?: number;
  /** How the classes' scores become one; "binary", that of `posLabel`, by default, which more than two classes refuse. */
  readonly average?: Average;
  /** The class that "binary" scores; 1 by default. */
  readonly posLabel?: number;
}

/**
 * Base of scores of the most likely class. Where a model gives one number an item, that is the logit of class 1: above 0 it is
 * class 1, else class 0 (above a half in a learner with `BCELoss`, which takes probabilities).
 */
export abstract class ClassMetric extends WholeSet {
  readonly #axis: number;

  /** Makes a ClassMetric over the classes along `axis`. */
  constructor(axis: number = -1) {
    super();
    checkArgument(`make ${new.target.name}`, "axis", axis, num);
    this.#axis = axis;
  }

  /** The most likely class. */
  protected override prepare(pred: Tensor): Tensor {
    return decided(pred, this.#axis);
  }

  /** See `Metric.check`. */
  override check(learn: MetricSource): void {
    needClasses(learn, this.name);
    const pair = pairOf(learn);
    if (pair !== null) this.checkClasses(classesOf(pair.pred, this.#axis));
  }

  /** Refuses predictions of so many classes. */
  protected checkClasses(_classes: number): void {}

  /** See `WholeSet`. */
  protected override logits(learn: MetricSource, pred: Tensor): Tensor {
    this.checkClasses(classesOf(pred, this.#axis));
    return asLogits(learn, pred, this.#axis);
  }

  /** The score of the confusion. */
  protected override compute(pred: Rows, targ: Rows): number {
    checkLabels(this.name, pred, targ);
    return this.score(confusion(pred.data, targ.data));
  }

  /** The score, of how often each class was taken for each other. */
  protected abstract score(c: Confusion): number;
}

/** Base of scores that each class has. */
export abstract class AveragedScore extends ClassMetric {
  readonly #average: Average;
  readonly #positive: number;

  /** Makes an AveragedScore. */
  constructor(options: ClassScoreOptions = {}) {
    const { axis = -1, average = "binary", posLabel = 1 } = checkOptions(`make ${new.target.name}`, options, {
      axis: integer,
      average: oneOf("binary", "micro", "macro", "weighted"),
      posLabel: integer,
    });
    super(axis);
    this.#average = average;
    this.#positive = posLabel;
  }

  /** See `ClassMetric`. */
  protected override checkClasses(classes: number): void {
    if (this.#average !== "binary" || classes <= 2) return;
    throw new ConfigError(
      `Cannot use the metric ${this.name} on ${classes} classes: its average "binary" is the score of one class of two; ` +
        'use { average: "macro" } for the mean over the classes, "weighted" for that by their sizes, or "micro"',
    );
  }

  /** The classes' scores as one. */
  protected override score(c: Confusion): number {
    if (this.#average === "binary") this.checkClasses(c.labels.length);
    return averaged(countsOf(c), (counts) => this.ofClass(counts), this.#average, c.labels.indexOf(this.#positive));
  }

  /** One class's score. */
  protected abstract ofClass(c: Counts): number;
}

/** How many of the items taken for a class are of it. */
export class Precision extends AveragedScore {
  /** Name in rows. */
  override readonly name: string = "precision_score";
  /** One class's score. */
  protected override ofClass(c: Counts): number {
    return precisionOf(c);
  }
}

/** How many of a class's items are found. */
export class Recall extends AveragedScore {
  /** Name in rows. */
  override readonly name: string = "recall_score";
  /** One class's score. */
  protected override ofClass(c: Counts): number {
    return recallOf(c);
  }
}

/** Items that are of a class and were found, over those that are or were taken for it. */
export class Jaccard extends AveragedScore {
  /** Name in rows. */
  override readonly name: string = "jaccard_score";
  /** One class's score. */
  protected override ofClass(c: Counts): number {
    return jaccardOf(c);
  }
}

/** The harmonic mean of precision and recall, recall counting `beta` times as much. */
export class FBeta extends AveragedScore {
  /** Name in rows. */
  override readonly name: string = "fbeta_score";
  readonly #beta: number;

  /** Makes an FBeta. */
  constructor(beta: number, options: ClassScoreOptions = {}) {
    super(options);
    checkArgument("make FBeta", "beta", beta, other("a number above 0", (v) => num.holds(v) && v as number > 0));
    this.#beta = beta;
  }

  /** One class's score. */
  protected override ofClass(c: Counts): number {
    return fbetaOf(this.#beta)(c);
  }
}

/** The harmonic mean of precision and recall. */
export class F1Score extends AveragedScore {
  /** Name in rows. */
  override readonly name: string = "f1_score";
  /** One class's score. */
  protected override ofClass(c: Counts): number {
    return fbetaOf(1)(c);
  }
}

/** The mean recall of the classes that occur in the targets. */
export class BalancedAccuracy extends ClassMetric {
  /** Name in rows. */
  override readonly name: string = "balanced_accuracy_score";
  /** The score. */
  protected override score(c: Confusion): number {
    const there = countsOf(c).filter(({ tp, fn }) => tp + fn > 0);
    return there.reduce((sum, counts) => sum + recallOf(counts), 0) / there.length;
  }
}

/** The share of wrong decisions. */
export class HammingLoss extends ClassMetric {
  /** Name in rows. */
  override readonly name: string = "hamming_loss";
  /** The score. */
  protected override score({ matrix }: Confusion): number {
    const n = matrix.flat().reduce((a, b) => a + b, 0);
    return 1 - matrix.reduce((sum, row, i) => sum + row[i], 0) / n;
  }
}

/** Options of {@link CohenKappa}. */
export interface KappaOptions {
  /** Axis of the classes in predictions; -1 by default. */
  readonly axis?: number;
  /** How disagreements count: all the same, or by the distance of the classes; "none" by default. */
  readonly weights?: "none" | "linear" | "quadratic";
}

/** Agreement beyond chance. */
export class CohenKappa extends ClassMetric {
  /** Name in rows. */
  override readonly name: string = "cohen_kappa_score";
  readonly #weights: "none" | "linear" | "quadratic";

  /** Makes a CohenKappa. */
  constructor(options: KappaOptions = {}) {
    const { axis = -1, weights = "none" } = checkOptions("make CohenKappa", options, {
      axis: integer,
      weights: oneOf("none", "linear", "quadratic"),
    });
    super(axis);
    this.#weights = weights;
  }

  /** The score. */
  protected override score(c: Confusion): number {
    return kappaOf(c, this.#weights);
  }
}

/** The correlation of predicted and true classes. */
export class MatthewsCorrCoef extends ClassMetric {
  /** Name in rows. */
  override readonly name: string = "matthews_corrcoef";
  /** The score. */
  protected override score(c: Confusion): number {
    return matthewsOf(c);
  }
}
