/**
 * How an item is predicted, and what makes decisions of predictions.
 *
 * @module
 */
import { isFloat } from "../base/dtype.ts";
import { DataError } from "../base/errors.ts";
import { evaluating } from "../nn/modes.ts";
import { noGrad, type Tensor } from "../tensor/mod.ts";
import { inDataUnit, tell, type TrainLoop } from "../train/mod.ts";
import { classesOf, type PredictInput, type Prediction } from "./predict.ts";
import { rememberGenerators } from "./states.ts";

/** See `predict`, which has the learner to itself. */
export async function predictItem(learn: TrainLoop, item: readonly PredictInput[]): Promise<Prediction> {
  await learn.ready();
  const inputs = await learn.dls.itemInputs(item);
  tellNews(learn);
  const { model } = learn;
  const modes = evaluating(model), generators = rememberGenerators(learn);
  try {
    const pred = activate(learn, noGrad(() => model.forward(...inputs.map((t) => t.unsqueeze(0)))));
    const decoded = decode(learn, pred);
    if ((await pred.data()).some(Number.isNaN)) throw await notANumber(inputs); // computed now: the model may change later
    await decoded.data();
    const classes = classesOf(learn.dls);
    // several labels: a decision for each class; one class: its number
    const several = decoded.dtype === "bool" && decoded.rank === 2 && decoded.shape[1] === classes?.length;
    const given = several ? await decoded.data() : [];
    const label = classes === null || several || decoded.size !== 1 ? null : classes[await decoded.item()] ?? null;
    const labels = several ? { labels: classes!.filter((_, c) => Number(given[c]) !== 0) } : {};
    return { decoded: firstOf(decoded), pred: firstOf(pred), label, ...labels };
  } finally {
    modes();
    generators();
  }
}

/** Says whether the item is why its prediction is NaN: a decision made of that is none. */
async function notANumber(inputs: readonly Tensor[]): Promise<DataError> {
  for (const [i, input] of inputs.entries()) {
    const at = isFloat(input.dtype) ? (await input.data()).findIndex((v) => !Number.isFinite(v)) : -1;
    const which = inputs.length > 1 ? `input ${i} of the item` : "the item";
    if (at >= 0) {
      const value = (await input.data())[at];
      return new DataError(
        `Cannot predict the item: its prediction is NaN, since ${which} has ${value} at element ${at}`,
      );
    }
  }
  return new DataError(
    "Cannot predict the item: its prediction is NaN though the item has numbers only, so the model's weights have none; load others",
  );
}

/** Tells what the data found out about items to predict for. */
export function tellNews({ dls, logger }: TrainLoop): void {
  for (const line of dls.takeNews?.() ?? []) tell(logger, line);
}

/** Predictions through the loss's activation, where it has one, in the unit of the data. */
export function activate(learn: TrainLoop, pred: Tensor): Tensor {
  const { lossFunc } = learn;
  const active = typeof lossFunc === "function" || lossFunc.activation === undefined ? pred : lossFunc.activation(pred);
  return inDataUnit(learn, active);
}

/** Decisions from activated predictions, where the loss knows how. */
export function decode(learn: TrainLoop, pred: Tensor): Tensor {
  const { lossFunc } = learn;
  return typeof lossFunc === "function" || lossFunc.decodes === undefined ? pred : lossFunc.decodes(pred);
}

function firstOf(t: Tensor): Tensor {
  return t.reshape(t.shape.slice(1));
}
