/**
 * Scores of masks, over a whole set.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { checkOptions, integer } from "../../base/options.ts";
import type { Tensor } from "../../tensor/mod.ts";
import { type Confusion, countsOf } from "./confusion.ts";
import { ClassMetric } from "./class_scores.ts";
import { decided, orNaN } from "./task.ts";

/** Base of scores of masks: the classes are along axis 1. */
export abstract class MaskScore extends ClassMetric {
  /** Makes a MaskScore over the classes along `axis`. */
  constructor(axis: number = 1) {
    super(axis);
  }
}

/** Refuses more than two classes for a score of class 1 beside a background; `many` is the score for these. */
function refuseMany(classes: number, name: string, many: string): void {
  if (classes <= 2) return;
  throw new ConfigError(
    `Cannot use the metric ${name} on ${classes} classes: it is the score of class 1 beside a background, 0; use ` +
      `${many} for the mean over the classes`,
  );
}

/** Twice the pixels in both masks, over the pixels in each; for the classes 0 and 1. */
export class Dice extends MaskScore {
  /** Name in rows. */
  override readonly name: string = "dice";
  /** See `ClassMetric`. */
  protected override checkClasses(classes: number): void {
    refuseMany(classes, this.name, "DiceMulti");
  }
  /** The score of class 1. */
  protected override score(c: Confusion): number {
    const counts = countsOf(c)[c.labels.indexOf(1)];
    return counts === undefined ? NaN : 2 * counts.tp / (2 * counts.tp + counts.fp + counts.fn);
  }
}

/** The pixels in both masks over those in either; for the classes 0 and 1. */
export class JaccardCoeff extends MaskScore {
  /** Name in rows. */
  override readonly name: string = "jaccard_coeff";
  /** See `ClassMetric`. */
  protected override checkClasses(classes: number): void {
    refuseMany(classes, this.name, "JaccardCoeffMulti");
  }
  /** The score of class 1. */
  protected override score(c: Confusion): number {
    const counts = countsOf(c)[c.labels.indexOf(1)];
    return counts === undefined ? NaN : counts.tp / (counts.tp + counts.fp + counts.fn);
  }
}

/** The mean {@link Dice} of the classes that occur. */
export class DiceMulti extends MaskScore {
  /** Name in rows. */
  override readonly name: string = "dice_multi";
  /** The mean over the classes. */
  protected override score(c: Confusion): number {
    const each = countsOf(c).map(({ tp, fp, fn }) => 2 * tp / (2 * tp + fp + fn));
    return each.reduce((a, b) => a + b, 0) / each.length;
  }
}

/** The mean {@link JaccardCoeff} of the classes that occur. */
export class JaccardCoeffMulti extends MaskScore {
  /** Name in rows. */
  override readonly name: string = "jaccard_coeff_multi";
  /** The mean over the classes. */
  protected override score(c: Confusion): number {
    const each = countsOf(c).map(({ tp, fp, fn }) => tp / (tp + fp + fn));
    return each.reduce((a, b) => a + b, 0) / each.length;
  }
}

/** Options of {@link foregroundAcc}. */
export interface ForegroundOptions {
  /** The class that does not count; 0 by default. */
  readonly bkgIdx?: number;
  /** Axis of the classes; 1 by default. */
  readonly axis?: number;
}

/** The share of right pixels among those whose target is not the background. */
export function foregroundAcc(pred: Tensor, targ: Tensor): Tensor;
/** The same with another background, or axis of the classes. */
export function foregroundAcc(pred: Tensor, targ: Tensor, options: ForegroundOptions): Tensor;
export function foregroundAcc(
  pred: Tensor,
  targ: Tensor,
  options: ForegroundOptions = {},
): Tensor {
  const { bkgIdx = 0, axis = 1 } = checkOptions("foregroundAcc", options, { bkgIdx: integer, axis: integer });
  const guess = decided(pred, axis);
  const truth = targ.reshape(guess.shape);
  const counts = truth.ne(bkgIdx);
  return orNaN(guess.eq(truth).and(counts).cast("f32").sum().div(counts.cast("f32").sum()), pred);
}
