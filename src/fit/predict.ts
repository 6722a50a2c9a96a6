/**
 * Predictions of single items.
 *
 * @module
 */
import { noGrad, type Tensor } from "../tensor/mod.ts";
import type { TrainLoop } from "../train/mod.ts";

/** What the model makes of one item. */
export interface Prediction {
  /** The decision: what the loss's `decodes` makes of the activated prediction, such as the class. */
  readonly decoded: Tensor;
  /** The activated prediction, such as the probability of each class. */
  readonly pred: Tensor;
}

/**
 * What the model makes of one item, given as the tensors of its inputs without the batch axis.
 *
 * @example
 * ```ts ignore
 * const { decoded, pred } = await predict(learn, image);
 * console.log(await decoded.item());
 * ```
 */
export async function predict(learn: TrainLoop, ...item: Tensor[]): Promise<Prediction> {
  await learn.ready();
  const { model } = learn;
  const modes = model.modules().map((m) => m.training);
  model.eval();
  try {
    const pred = activate(learn, noGrad(() => model.forward(...item.map((t) => t.unsqueeze(0)))));
    const decoded = decode(learn, pred);
    await pred.data(); // computed now: the model may change later
    await decoded.data();
    return { decoded: firstOf(decoded), pred: firstOf(pred) };
  } finally {
    model.modules().forEach((m, i) => m.training = modes[i]);
  }
}

/** Predictions through the loss's activation, where it has one. */
export function activate(learn: TrainLoop, pred: Tensor): Tensor {
  const { lossFunc } = learn;
  return typeof lossFunc === "function" || lossFunc.activation === undefined ? pred : lossFunc.activation(pred);
}

/** Decisions from activated predictions, where the loss knows how. */
export function decode(learn: TrainLoop, pred: Tensor): Tensor {
  const { lossFunc } = learn;
  return typeof lossFunc === "function" || lossFunc.decodes === undefined ? pred : lossFunc.decodes(pred);
}

function firstOf(t: Tensor): Tensor {
  return t.reshape(t.shape.slice(1));
}
