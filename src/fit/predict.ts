/**
 * Predictions of single items.
 *
 * @module
 */
import type { TableRow } from "../data/mod.ts";
import { noGrad, type Tensor, type TypedArray } from "../tensor/mod.ts";
import { inDataUnit, tell, type TrainLoop } from "../train/mod.ts";
import { rememberGenerators } from "./states.ts";

/** What the model makes of one item. */
export interface Prediction {
  /** The decision: what the loss's `decodes` makes of the activated prediction, such as the class. */
  readonly decoded: Tensor;
  /** The activated prediction, such as the probability of each class, or a number in the unit of the data. */
  readonly pred: Tensor;
  /** The class that was decided for; null where the data has no classes with names. */
  readonly label: string | number | boolean | null;
  /** The classes that were decided for, where an item may have several and the data names them. */
  readonly labels?: readonly (string | number | boolean)[];
}

/**
 * One input of an item: a tensor as batches have it, without the batch axis; or what the learner's data makes inputs of: a
 * row of a table by column name, an image's path, URL or bytes, one item of arrays.
 */
export type PredictInput =
  | Tensor
  | TableRow
  | string
  | URL
  | Uint8Array
  | { readonly data: TypedArray; readonly shape: readonly number[] }
  | readonly unknown[];

/**
 * What the model makes of one item, given as its data has it, or as the tensors of its inputs without the batch axis.
 *
 * @example
 * ```ts ignore
 * const { decoded, pred } = await predict(learn, image);
 * console.log(await decoded.item());
 * ```
 */
export async function predict(learn: TrainLoop, ...item: PredictInput[]): Promise<Prediction> {
  return await learn.runs.take("predict", () => predictItem(learn, item));
}

async function predictItem(learn: TrainLoop, item: readonly PredictInput[]): Promise<Prediction> {
  await learn.ready();
  const inputs = await learn.dls.itemInputs(item);
  tellNews(learn);
  const { model } = learn;
  const modes = model.modules().map((m) => m.training), generators = rememberGenerators(learn);
  model.eval();
  try {
    const pred = activate(learn, noGrad(() => model.forward(...inputs.map((t) => t.unsqueeze(0)))));
    const decoded = decode(learn, pred);
    await pred.data(); // computed now: the model may change later
    await decoded.data();
    const classes = classesOf(learn.dls);
    // several labels: a decision for each class; one class: its number
    const several = decoded.dtype === "bool" && decoded.rank === 2 && decoded.shape[1] === classes?.length;
    const given = several ? await decoded.data() : [];
    const label = classes === null || several || decoded.size !== 1 ? null : classes[await decoded.item()] ?? null;
    const labels = several ? { labels: classes!.filter((_, c) => Number(given[c]) !== 0) } : {};
    return { decoded: firstOf(decoded), pred: firstOf(pred), label, ...labels };
  } finally {
    model.modules().forEach((m, i) => m.training = modes[i]);
    generators();
  }
}

/** Tells what the data found out about items to predict for. */
export function tellNews({ dls, logger }: TrainLoop): void {
  for (const line of dls.takeNews?.() ?? []) tell(logger, line);
}

/** Names of the classes of some data, in the order of their numbers; null where it has none. */
export function classesOf(dls: object): readonly (string | number | boolean)[] | null {
  if (!("vocab" in dls) || !Array.isArray(dls.vocab) || dls.vocab.length === 0) return null;
  return dls.vocab;
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
