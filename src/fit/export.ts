/**
 * Learners in files: weights, and what else predictions need, as text.
 *
 * @module
 */
import { isAbsolute, join } from "@std/path";
import type { LayerJson } from "../base/json.ts";
import type { InputsJson } from "../data/mod.ts";
import { writeSafetensors } from "../io/safetensors.ts";
import { hostTensors } from "../io/tensors.ts";
import type { TrainLoop } from "../train/mod.ts";
import { lossJson, lossName, shapesPredictions } from "./loss_json.ts";
import { modelJson } from "./model_json.ts";
import { classesOf } from "./predict.ts";

/** Key of the description in the file's metadata. */
export const LEARNER_KEY = "anneal.learner";

/** An exported learner's description of itself. */
export interface LearnerJson {
  /** Of this form; 2. */
  readonly version: 2;
  /** The model without its weights; null where it is code of somebody's own. */
  readonly model: LayerJson | null;
  /** Class of the model, for people. */
  readonly modelName: string;
  /** The loss, whose activation and decision predictions pass through; null where it is code of somebody's own. */
  readonly loss: LayerJson | null;
  /** Name of the loss, for people. */
  readonly lossName: string;
  /** Whether predictions pass through the loss. */
  readonly lossShapes: boolean;
  /** How items become inputs. */
  readonly inputs: InputsJson;
  /** Names of the classes, in the order of their numbers; null where there are none. */
  readonly vocab: readonly (string | number | boolean)[] | null;
}

const EXTENSION = ".safetensors";

/**
 * Writes what predictions need into one safetensors file: the weights under their names, and as JSON the model's layers, the
 * loss, how items become inputs (the columns of a table with their words, means and deviations, the transforms of images),
 * and the names of the classes; never code. `loadLearner` reads it, in another process too. A model that is code of your
 * own is given to `loadLearner` again. In a run of several processes rank 0 alone writes.
 *
 * @param file Path of the file; `.safetensors` is added. In the learner's `path` unless absolute.
 * @returns The path that was written.
 * @throws ConfigError where a transform of images cannot be stored.
 */
export async function exportLearner(learn: TrainLoop, file: string = "export"): Promise<string> {
  await learn.ready();
  const named = file.endsWith(EXTENSION) ? file : file + EXTENSION;
  const path = isAbsolute(named) ? named : join(learn.path, named);
  if (learn.peers !== null && learn.peers.rank > 0) return path;
  const { model, lossFunc, dls } = learn;
  const text: LearnerJson = {
    version: 2,
    model: modelJson(model),
    modelName: model.constructor.name,
    loss: await lossJson(lossFunc),
    lossName: lossName(lossFunc),
    lossShapes: shapesPredictions(lossFunc),
    inputs: dls.inputsJson(),
    vocab: classesOf(dls),
  };
  const out = await hostTensors(model.stateDict());
  await writeSafetensors(path, out, { format: "pt", [LEARNER_KEY]: JSON.stringify(text) });
  return path;
}
