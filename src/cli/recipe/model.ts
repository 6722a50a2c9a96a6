/**
 * The model of a recipe.
 *
 * @module
 */
import { isAbsolute, join, resolve } from "../../base/path.ts";
import { ConfigError } from "../../base/errors.ts";
import { sizeOf } from "../../base/shape.ts";
import * as nn from "../../nn/mod.ts";
import type { Model } from "../../train/mod.ts";
import { callExport, type RecipeData } from "./data.ts";
import type { Recipe } from "./schema.ts";

type Spec = Recipe["model"];
type Of<K extends Spec["kind"]> = Extract<Spec, { kind: K }>;

/** Makes the model. Paths are relative to `folder`. */
export async function makeModel(spec: Spec, data: RecipeData, folder: string): Promise<Model> {
  switch (spec.kind) {
    case "mlp":
      return mlp(spec, data);
    case "tabular": {
      if (data.table === undefined) {
        throw new ConfigError(`Cannot train a tabular model: it takes data of kind csv or table`);
      }
      const { kind: _, ...options } = spec;
      return new nn.TabularModel(data.table, data.outputs, options);
    }
    case "module":
      return await ownModel(spec, data, folder);
    case "awdLstm":
    case "gpt":
    case "bert":
      throw new ConfigError(`Cannot train a model of kind ${spec.kind}: it takes data of kind text`);
    default:
      return await visionModel(spec, data);
  }
}

/** The model that a module's function makes. */
export async function ownModel(
  spec: Of<"module">,
  { input, outputs }: Pick<RecipeData, "input" | "outputs">,
  folder: string,
): Promise<Model> {
  const file = isAbsolute(spec.file) ? spec.file : resolve(join(folder, spec.file));
  const made = await callExport(file, spec.export ?? "default", { input, outputs });
  if (!(made instanceof nn.Module)) throw new ConfigError(`Cannot use ${file} as model: it must give an nn.Module`);
  return made as Model;
}

function mlp({ layers = [512, 256], dropout = 0, batchNorm = false }: Of<"mlp">, data: RecipeData): nn.Module {
  if (data.table !== undefined) {
    throw new ConfigError("Cannot train an mlp on a table: take a model of kind tabular, which knows its columns");
  }
  let width = sizeOf(data.input);
  const all: nn.Module[] = [new nn.Flatten()];
  for (const size of layers) {
    all.push(new nn.Linear(width, size));
    if (batchNorm) all.push(new nn.BatchNorm1d(size));
    all.push(new nn.ReLU());
    if (dropout > 0) all.push(new nn.Dropout(dropout));
    width = size;
  }
  all.push(new nn.Linear(width, data.outputs));
  return new nn.Sequential(...all);
}

/** Architectures for images; grey ones have one channel. */
async function visionModel(
  spec: Exclude<Spec, Of<"mlp" | "tabular" | "module" | "awdLstm" | "gpt" | "bert">>,
  data: RecipeData,
): Promise<Model> {
  const vision = await import("../../vision/models/mod.ts");
  const { input, outputs } = data;
  if (input.length < 2 || input.length > 3) {
    throw new ConfigError(`Cannot train a ${spec.kind}: it takes images, the data has items of [${input.join(", ")}]`);
  }
  const grey = input.length === 2, nIn = grey ? 1 : input[0];
  const net = spec.kind === "simpleCnn"
    ? new vision.SimpleCnn({ nOut: outputs, nIn, ...(spec.channels === undefined ? {} : { filters: spec.channels }) })
    : "pretrained" in spec && spec.pretrained === true
    ? await vision.createVisionModel(spec.kind, outputs, { nIn, pretrained: true })
    : vision.archOf(spec.kind)({ nOut: outputs, nIn });
  return (grey ? new nn.Sequential(new nn.Unflatten(1, [1, input[0]]), net) : net) as Model;
}
