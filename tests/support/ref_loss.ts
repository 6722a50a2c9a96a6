/**
 * Float64 references of losses. Class scores are [n, classes, ...]; targets [n, ...] hold class numbers.
 *
 * @module
 */
import { at, build, mapped, type Ref, zipped } from "./ref_core.ts";
import { logSoftmax, mean, softmax, sum } from "./ref_reduce.ts";

/** How a loss is folded. `batchmean` divides the sum by the size of the first axis. */
export type Reduction = "none" | "mean" | "sum" | "batchmean";

/** Folds element losses. */
export function fold(losses: Ref, reduction: Reduction = "mean"): Ref {
  if (reduction === "none") return losses;
  if (reduction === "mean") return mean(losses);
  return reduction === "sum" ? sum(losses) : mapped(sum(losses), (v) => v / losses.shape[0]);
}

/** Options of the losses over classes. */
export interface ClassLossOptions {
  /** One weight a class. */
  readonly weight?: Ref;
  readonly reduction?: Reduction;
  /** Targets of this number count nothing. */
  readonly ignoreIndex?: number;
  readonly labelSmoothing?: number;
}

const UNIFORM = (): number => 1;

/** -weight[target] x[target]; the mean divides by the sum of the targets' weights. `x` holds log-probabilities. */
export function nllLoss(x: Ref, target: Ref, options: ClassLossOptions = {}): Ref {
  const { weight, reduction = "mean", ignoreIndex = -100 } = options;
  const weightOf = weight ? (t: number) => weight.data[t] : UNIFORM;
  const weights = mapped(target, (t) => t === ignoreIndex ? 0 : weightOf(t));
  const losses = build(target.shape, (c) => {
    const t = at(target, c);
    return t === ignoreIndex ? 0 : -at(weights, c) * at(x, [c[0] ?? 0, t, ...c.slice(1)]);
  });
  return reduction === "mean" ? zipped((a, b) => a / b, sum(losses), sum(weights)) : fold(losses, reduction);
}

/**
 * PyTorch's cross entropy: `(1 - s)` of the target's loss and `s` of the mean over all classes, each class weighted; the
 * mean divides both by the sum of the targets' weights.
 */
export function crossEntropy(x: Ref, target: Ref, options: ClassLossOptions = {}): Ref {
  const { weight, reduction = "mean", ignoreIndex = -100, labelSmoothing = 0 } = options;
  const log = logSoftmax(x, { axis: 1 });
  const classes = x.shape[1];
  const weightOf = weight ? (t: number) => weight.data[t] : UNIFORM;
  const counted = mapped(target, (t) => t === ignoreIndex ? 0 : 1);
  const smooth = build(target.shape, (c) => {
    let result = 0;
    for (let k = 0; k < classes; k++) result -= weightOf(k) * at(log, [c[0], k, ...c.slice(1)]) / classes;
    return result * at(counted, c);
  });
  const hard = nllLoss(log, target, { weight, ignoreIndex, reduction: "none" });
  const losses = zipped((h, s) => (1 - labelSmoothing) * h + labelSmoothing * s, hard, smooth);
  if (reduction !== "mean") return fold(losses, reduction);
  const weights = mapped(target, (t) => t === ignoreIndex ? 0 : weightOf(t));
  return zipped((a, b) => a / b, sum(losses), sum(weights));
}

/** Cross entropy with a probability for every class as target, [n, classes]. */
export function crossEntropyProb(x: Ref, target: Ref, options: ClassLossOptions = {}): Ref {
  const { reduction = "mean", labelSmoothing = 0 } = options;
  const smooth = mapped(target, (p) => p * (1 - labelSmoothing) + labelSmoothing / x.shape[1]);
  return fold(sum(zipped((l, p) => -l * p, logSoftmax(x, { axis: 1 }), smooth), { axis: 1 }), reduction);
}

/** fastai's label smoothing: as PyTorch's, but the smoothing term ignores the weights, and its mean is over targets. */
export function labelSmoothingCrossEntropy(
  x: Ref,
  target: Ref,
  { eps = 0.1, weight, reduction = "mean" }: { eps?: number; weight?: Ref; reduction?: Reduction } = {},
): Ref {
  const log = logSoftmax(x, { axis: 1 });
  const all = fold(mapped(sum(log, { axis: 1 }), (v) => -v / x.shape[1]), reduction);
  return zipped((s, h) => eps * s + (1 - eps) * h, all, nllLoss(log, target, { weight, reduction }));
}

/** fastai's focal loss: each cross entropy (weights included) times `(1 - exp(-ce))^gamma`. */
export function focalLoss(
  x: Ref,
  target: Ref,
  { gamma = 2, weight, reduction = "mean" }: { gamma?: number; weight?: Ref; reduction?: Reduction } = {},
): Ref {
  const losses = crossEntropy(x, target, { weight, reduction: "none" });
  return fold(mapped(losses, (l) => (1 - Math.exp(-l)) ** gamma * l), reduction);
}

/** fastai's Dice loss of softmax scores against one-hot targets, `1 - (2 i + s) / (u + s)` for each sample and class. */
export function diceLoss(
  x: Ref,
  target: Ref,
  { smooth = 1e-6, reduction = "sum" }: { smooth?: number; reduction?: Reduction } = {},
): Ref {
  const p = softmax(x, { axis: 1 });
  const hot = build(x.shape, ([b, k, ...rest]) => at(target, [b, ...rest]) === k ? 1 : 0);
  const axis = x.shape.map((_, i) => i).slice(2);
  const both = sum(zipped((a, b) => a * b, p, hot), { axis });
  const union = sum(zipped((a, b) => a + b, p, hot), { axis });
  return fold(zipped((i, u) => 1 - (2 * i + smooth) / (u + smooth), both, union), reduction);
}

/** Binary cross entropy of scores: `(1 - t) x + (1 + (w - 1) t) log(1 + exp(-x))`, written without overflow. */
export function bceWithLogits(
  x: Ref,
  target: Ref,
  { posWeight, reduction = "mean" }: { posWeight?: Ref; reduction?: Reduction } = {},
): Ref {
  const one: Ref = { shape: [], data: Float64Array.of(1) };
  const element = (v: number, t: number, w: number): number => {
    const softMinus = Math.log1p(Math.exp(-Math.abs(v))) + Math.max(-v, 0);
    return (1 - t) * v + (1 + (w - 1) * t) * softMinus;
  };
  return fold(zipped(element, x, target, posWeight ?? one), reduction);
}

/** Binary cross entropy of probabilities; logarithms are cut at -100. */
export function binaryCrossEntropy(x: Ref, target: Ref, { reduction }: { reduction?: Reduction } = {}): Ref {
  const log = (v: number): number => Math.max(Math.log(v), -100);
  return fold(zipped((p, t) => -(t * log(p) + (1 - t) * log(1 - p)), x, target), reduction);
}

export const mseLoss = (x: Ref, target: Ref, { reduction }: { reduction?: Reduction } = {}): Ref =>
  fold(zipped((a, b) => (a - b) ** 2, x, target), reduction);

export const l1Loss = (x: Ref, target: Ref, { reduction }: { reduction?: Reduction } = {}): Ref =>
  fold(zipped((a, b) => Math.abs(a - b), x, target), reduction);

/** d^2 / (2 beta) below beta, |d| - beta / 2 above. */
export function smoothL1Loss(
  x: Ref,
  target: Ref,
  { beta = 1, reduction }: { beta?: number; reduction?: Reduction } = {},
): Ref {
  const element = (d: number): number => d < beta ? d * d / (2 * beta) : d - beta / 2;
  return fold(zipped((a, b) => element(Math.abs(a - b)), x, target), reduction);
}

/** d^2 / 2 below delta, delta (|d| - delta / 2) above. */
export function huberLoss(
  x: Ref,
  target: Ref,
  { delta = 1, reduction }: { delta?: number; reduction?: Reduction } = {},
): Ref {
  const element = (d: number): number => d < delta ? d * d / 2 : delta * (d - delta / 2);
  return fold(zipped((a, b) => element(Math.abs(a - b)), x, target), reduction);
}

/** target (log target - x), 0 where the target is 0; `x` holds log-probabilities, and with `logTarget` so does the target. */
export function klDiv(
  x: Ref,
  target: Ref,
  { logTarget = false, reduction }: { logTarget?: boolean; reduction?: Reduction } = {},
): Ref {
  const plain = (v: number, t: number): number => t > 0 ? t * (Math.log(t) - v) : 0;
  return fold(zipped(logTarget ? (v, t) => Math.exp(t) * (t - v) : plain, x, target), reduction);
}
