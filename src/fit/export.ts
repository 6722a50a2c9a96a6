/**
 * Learners in files: weights, and what else predictions need, as text.
 *
 * @module
 */
import { requireNames } from "../base/kept_names.ts";
import { isAbsolute, join } from "../base/path.ts";
import { ConfigError } from "../base/errors.ts";
import type { LayerJson } from "../base/json.ts";
import { checkNamed, checkOptions, checkPath } from "../base/options.ts";
import type { InputsJson } from "../data/mod.ts";
import { writeSafetensors } from "../io/safetensors.ts";
import { hostTensors } from "../io/tensors.ts";
import type { TrainLoop } from "../train/mod.ts";
import type { LearnerOnnxOptions } from "./export_onnx.ts";
import { lossJson, lossName, shapesPredictions } from "./loss_json.ts";
import { modelJson } from "./model_json.ts";
import { refuseEnding } from "./model_path.ts";
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

/** See `exportLearner` of `written.ts`. */
export async function exportLearner(
  learn: TrainLoop,
  file: string = "export",
  options: LearnerOnnxOptions = {},
): Promise<string> {
  checkNamed("export", options, "opset");
  checkPath("export", file, "file");
  const onnx = file.toLowerCase().endsWith(".onnx");
  // most learners never become ONNX: its code is loaded for those that do
  const none = typeof options === "object" && options !== null && Object.keys(options).length === 0;
  if (!none) checkOptions("export", options, (await import("./export_onnx.ts")).LEARNER_ONNX);
  const option = Object.entries(options).find(([, value]) => value !== undefined)?.[0];
  if (!onnx && option !== undefined) {
    throw new ConfigError(`Cannot export ${file} with ${option}: options are those of files that end in .onnx`);
  }
  if (!onnx) refuseEnding("export a learner as", file);
  const named = onnx || file.endsWith(EXTENSION) ? file : file + EXTENSION;
  const path = isAbsolute(named) ? named : join(learn.path, named);
  return await learn.runs.take("export", async () => {
    if (!onnx) requireNames("export a learner");
    await learn.ready();
    if (learn.peers !== null && learn.peers.rank > 0) return path;
    if (onnx) await (await (await import("./export_onnx.ts")).learnerOnnx(learn, options)).save(path);
    else await writeLearner(learn, path);
    return path;
  });
}

async function writeLearner(learn: TrainLoop, path: string): Promise<void> {
  await writeWithJson(learn, path, await learnerJson(learn));
}

/** What a learner says of itself. */
export async function learnerJson({ model, lossFunc, dls }: TrainLoop): Promise<LearnerJson> {
  return {
    version: 2,
    model: modelJson(model),
    modelName: model.constructor.name,
    loss: await lossJson(lossFunc),
    lossName: lossName(lossFunc),
    lossShapes: shapesPredictions(lossFunc),
    inputs: dls.inputsJson(),
    vocab: classesOf(dls),
  };
}

/** Writes a learner's weights, numbers as `as` where that is said, with what it says of itself. */
export async function writeWithJson(
  { model }: TrainLoop,
  path: string,
  json: LearnerJson,
  as?: "F16" | "BF16",
): Promise<void> {
  const out = await hostTensors(model.stateDict());
  if (as !== undefined) { for (const [name, t] of out) if (t.dtype === "f32") out.set(name, { ...t, as }); }
  await writeSafetensors(path, out, { format: "pt", [LEARNER_KEY]: JSON.stringify(json) });
}
