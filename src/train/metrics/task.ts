/**
 * What predictions and targets are, as far as shapes and the loss tell: metrics refuse what they cannot mean anything for,
 * at the first batch of a fit.
 *
 * @module
 */
import { ConfigError, ShapeError } from "../../base/errors.ts";
import { fmtShape } from "../../base/shape.ts";
import {
  BCELoss,
  BCEWithLogitsLoss,
  CrossEntropyLoss,
  DiceLoss,
  FocalLoss,
  HuberLoss,
  L1Loss,
  LabelSmoothingCrossEntropy,
  MSELoss,
  NLLLoss,
  SmoothL1Loss,
} from "../../nn/mod.ts";
import { type Tensor, where } from "../../tensor/mod.ts";
import type { MetricSource } from "../metric_source.ts";

const OF_NUMBERS = [MSELoss, L1Loss, SmoothL1Loss, HuberLoss];
const OF_CLASSES = [
  CrossEntropyLoss,
  LabelSmoothingCrossEntropy,
  NLLLoss,
  FocalLoss,
  DiceLoss,
  BCEWithLogitsLoss,
  BCELoss,
];

function lossOf(learn: MetricSource, kinds: readonly (abstract new (...args: never[]) => unknown)[]): string | null {
  const { lossFunc } = learn as { readonly lossFunc?: unknown };
  return kinds.find((kind) => lossFunc instanceof kind)?.name ?? null;
}

/** The prediction and the first target of the batch under way; null where there are none. */
export function pairOf(learn: MetricSource): { readonly pred: Tensor; readonly targ: Tensor } | null {
  const { pred, yb } = learn.batch;
  return pred === null || pred === undefined || yb === null || yb === undefined || yb.length === 0
    ? null
    : { pred, targ: yb[0] };
}

/** Refuses a learner whose targets are numbers: `name` is of classes. */
export function needClasses(learn: MetricSource, name: string): void {
  const loss = lossOf(learn, OF_NUMBERS);
  if (loss === null) return;
  throw new ConfigError(
    `Cannot use the metric ${name}: it compares classes, and the targets of ${loss} are numbers; ` +
      "use rmse, mae or R2Score, or a loss of classes",
  );
}

/** Refuses a learner whose targets are classes, and predictions that are not one for each target. */
export function needNumbers(learn: MetricSource, name: string): void {
  const loss = lossOf(learn, OF_CLASSES);
  if (loss !== null) {
    throw new ConfigError(
      `Cannot use the metric ${name}: it compares numbers, and the targets of ${loss} are classes; ` +
        "use accuracy, F1Score or RocAuc, or a loss of numbers",
    );
  }
  needPairs(learn, name);
}

/** Refuses predictions that are not one for each target. */
export function needPairs(learn: MetricSource, name: string): void {
  const pair = pairOf(learn);
  if (pair !== null && pair.pred.size !== pair.targ.size) {
    throw new ShapeError(
      `Cannot use the metric ${name} with predictions of shape ${fmtShape(pair.pred.shape)} and targets of shape ` +
        `${fmtShape(pair.targ.shape)}: it needs one prediction for each target`,
    );
  }
}

/** Refuses predictions that are not as many as targets. */
export function checkLengths(name: string, { data: { length: p } }: Values, { data: { length: t } }: Values): void {
  if (p !== t) throw new ShapeError(`Cannot compute ${name}: there are ${p} predictions for ${t} targets`);
}

interface Values {
  readonly data: Float64Array;
}

/** Refuses targets that are no classes, and predictions that are not one for each. */
export function checkLabels(name: string, pred: Values, targ: Values): void {
  checkLengths(name, pred, targ);
  const odd = targ.data.find((t) => !Number.isInteger(t));
  if (odd !== undefined) {
    throw new ConfigError(`Cannot compute ${name}: it compares classes, whole numbers, and a target is ${odd}`);
  }
}

/** Whether predictions are one number an item: the logit of class 1 against class 0. */
export function isOneLogit(pred: Tensor, axis: number): boolean {
  return pred.rank <= 1 || pred.shape.at(axis) === 1;
}

/** The classes that a prediction has scores for, along `axis`. */
export function classesOf(pred: Tensor, axis: number): number {
  return isOneLogit(pred, axis) ? 2 : pred.shape.at(axis) ?? 0;
}

/** The most likely class, i32, without the axis of the classes. Of one logit: class 1 above 0. */
export function decided(pred: Tensor, axis: number): Tensor {
  if (!isOneLogit(pred, axis)) return pred.argmax({ axis });
  const given = pred.gt(0).cast("i32");
  return pred.rank <= 1 ? given : given.squeeze(axis);
}

/** What stands for logits where the model gives the probability of class 1, as `BCELoss` takes it: above 0 from a half on. */
export function asLogits(learn: MetricSource, pred: Tensor, axis: number): Tensor {
  return isOneLogit(pred, axis) && lossOf(learn, [BCELoss]) !== null ? pred.sub(0.5) : pred;
}

/** `value`, made of `from` by comparisons that lose what is no number; NaN everywhere if any of `from` is. */
export function orNaN(value: Tensor, from: Tensor): Tensor {
  return from.dtype === "f32" ? where(from.ne(from).any(), NaN, value) : value;
}
