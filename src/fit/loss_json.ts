/**
 * Losses as plain data: a prediction's activation and decision are theirs.
 *
 * @module
 */
import type { Json, LayerJson } from "../base/json.ts";
import { AnnealError, CheckpointError } from "../base/errors.ts";
import { isDict, SavedState, type StateDict } from "../io/state_dict.ts";
import * as nn from "../nn/mod.ts";
import { Tensor, tensor } from "../tensor/mod.ts";
import type { LossFunc } from "../train/mod.ts";

type LossClass = new (options: Record<string, unknown>) => nn.Loss;

/** The losses of `nn` by name, each with the options that it keeps. */
const LOSSES: ReadonlyMap<string, readonly [make: unknown, options: readonly string[]]> = new Map([
  ["CrossEntropyLoss", [nn.CrossEntropyLoss, ["weight", "ignoreIndex", "axis", "labelSmoothing"]]],
  ["LabelSmoothingCrossEntropy", [nn.LabelSmoothingCrossEntropy, ["weight", "ignoreIndex", "axis", "eps"]]],
  ["NLLLoss", [nn.NLLLoss, ["weight", "ignoreIndex", "axis"]]],
  ["FocalLoss", [nn.FocalLoss, ["weight", "ignoreIndex", "axis", "gamma"]]],
  ["DiceLoss", [nn.DiceLoss, ["axis", "smooth", "squareInUnion"]]],
  ["MSELoss", [nn.MSELoss, []]],
  ["L1Loss", [nn.L1Loss, []]],
  ["SmoothL1Loss", [nn.SmoothL1Loss, ["beta"]]],
  ["HuberLoss", [nn.HuberLoss, ["delta"]]],
  ["BCEWithLogitsLoss", [nn.BCEWithLogitsLoss, ["posWeight", "weight", "thresh"]]],
  ["BCELoss", [nn.BCELoss, []]],
  ["KLDivLoss", [nn.KLDivLoss, ["logTarget"]]],
]);

/** A loss as plain data; null where it is code of somebody's own. */
export async function lossJson(loss: LossFunc): Promise<LayerJson | null> {
  if (typeof loss === "function") return null;
  const kind = loss.constructor.name, entry = LOSSES.get(kind);
  if (entry === undefined || loss.constructor !== entry[0]) return null;
  const options: Record<string, Json> = {};
  for (const name of entry[1]) {
    const value: unknown = (loss as unknown as Record<string, unknown>)[name];
    if (value instanceof Tensor) options[name] = { shape: value.shape, data: Array.from(await value.data()) };
    else if (typeof value === "number" || typeof value === "boolean") options[name] = value;
    else if (Array.isArray(value)) options[name] = [...value];
  }
  return { kind, reduction: loss.reduction ?? "mean", ...options };
}

/** Whether predictions pass through the loss: then they need it, whoever wrote it. */
export function shapesPredictions(loss: LossFunc): boolean {
  return typeof loss !== "function" && (loss.activation !== undefined || loss.decodes !== undefined);
}

/** Name of a loss for people. */
export function lossName(loss: LossFunc): string {
  const name = typeof loss === "function" ? loss.name : loss.constructor.name;
  return name === "" || name === "Object" ? "a loss of one's own" : name;
}

/** The loss that {@link lossJson} described. */
export function lossFromJson(json: StateDict, where: string): nn.Loss {
  const state = new SavedState(json, `the loss of ${where}`);
  const kind = state.string("kind"), entry = LOSSES.get(kind);
  if (entry === undefined) {
    throw new CheckpointError(`Cannot restore the loss of ${where}: ${JSON.stringify(kind)} is not known`);
  }
  const options: Record<string, unknown> = { reduction: state.string("reduction") };
  for (const name of entry[1]) {
    const value = state.value(name);
    if (value === null) continue;
    if (isDict(value)) {
      const saved = new SavedState(value, `${where}.${name}`);
      options[name] = tensor(Float32Array.from(saved.numbers("data")), { shape: saved.numbers("shape") });
    } else if (Array.isArray(value)) options[name] = state.numbers(name);
    else options[name] = typeof value === "boolean" ? value : state.number(name);
  }
  try {
    return new (entry[0] as LossClass)(options);
  } catch (cause) {
    if (!(cause instanceof AnnealError)) throw cause;
    throw new CheckpointError(`Cannot restore the loss of ${where}: ${cause.message}`, { cause });
  }
}
