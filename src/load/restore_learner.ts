/**
 * Learners out of files.
 *
 * @module
 */
import "../../mod.ts"; // there by now: bundlers are told, and leave it whole
import { isMissing } from "../base/host_files.ts";
import { CheckpointError } from "../base/errors.ts";
import { checkOptions, checkPath, objectWith, other } from "../base/options.ts";
import { fmtShape, sameShape, sizeOf } from "../base/shape.ts";
import { ArrayDataLoaders, DataLoader, DataLoaders, schemaFromJson, TabularDataLoaders } from "../data/mod.ts";
import { LEARNER_KEY } from "../fit/export.ts";
import { lossFromJson } from "../fit/loss_json.ts";
import { Learner } from "../learner/mod.ts";
import { LAYER_MAKERS, modelFromJson } from "../fit/layer_makers.ts";
import { openSafetensors, type SafetensorsFile } from "../io/safetensors.ts";
import type { StateDict } from "../io/state_dict.ts";
import { readTensors } from "../io/tensors.ts";
import { Module, Sequential } from "../nn/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import {
  LanguageModel,
  LmLearner,
  TEXT_MAKERS,
  TextClassifier,
  TextClassifierLearner,
  TextDataLoaders,
  Tokenizer,
} from "../text/mod.ts";
import type { LossFunc, Model } from "../train/mod.ts";
import { type BatchTransformJson, ImageDataLoaders, type ItemTransformJson } from "../vision/data/mod.ts";
import { VisionLearner } from "../vision/learner.ts";
import { type CheckedLearner, parseLearnerJson } from "./learner_json.ts";
import type { LoadLearnerOptions } from "./load_learner.ts";
import { VISION_MAKERS } from "../vision/models/makers.ts";
import { DynamicUnet } from "../vision/models/mod.ts";

const EXTENSION = ".safetensors";
const MAKERS = new Map([...LAYER_MAKERS, ...VISION_MAKERS, ...TEXT_MAKERS]);

/** See `loadLearner`. */
export async function restoreLearner(file: string, options: LoadLearnerOptions = {}): Promise<Learner> {
  checkPath("load a learner", file, "file");
  checkOptions("load a learner", options, {
    model: objectWith("a model", "forward"),
    lossFunc: other("a loss object or a function of (pred, ...targets)"),
    logger: objectWith("a logger", "line"),
  });
  const opened = await openLearner(file);
  const text = opened.metadata.get(LEARNER_KEY);
  if (text === undefined) {
    throw new CheckpointError(`Cannot load a learner from ${file}: it has weights only, export() writes learners`);
  }
  const json = parseLearnerJson(text, file);
  const model = options.model ?? built(opened, json, file);
  const lossFunc = lossOf(json, file, options);
  await loadWeights(opened, model, file);
  const dls = await loadersOf(json);
  const { logger } = options;
  const rest = { lossFunc, ...(logger === undefined ? {} : { logger }) };
  if (dls instanceof ImageDataLoaders && (model instanceof Sequential || model instanceof DynamicUnet)) {
    return new VisionLearner<Sequential | DynamicUnet>(
      dls as unknown as DataLoaders,
      model,
      rest,
    ) as unknown as Learner;
  }
  if (dls instanceof TextDataLoaders) {
    const made = model instanceof LanguageModel
      ? new LmLearner(dls, model, rest)
      : model instanceof TextClassifier
      ? new TextClassifierLearner(dls, model, rest)
      : null;
    const { size } = dls.tokenizer;
    if (made !== null && made.model.encoder.vocabSize < size) {
      throw new CheckpointError(
        `Cannot load a learner from ${file}: the model has vectors for ${made.model.encoder.vocabSize} tokens, and the ` +
          `vocabulary has ${size}`,
      );
    }
    if (made !== null) return made as unknown as Learner;
  }
  return new Learner(dls as unknown as DataLoaders, model, rest);
}

/** The file, or, as `export` adds the ending, the one with `.safetensors` behind its name. */
async function openLearner(file: string): Promise<SafetensorsFile> {
  const names = file.endsWith(EXTENSION) ? [file] : [file, file + EXTENSION];
  let missing: unknown;
  for (const name of names) {
    try {
      return await openSafetensors(name);
    } catch (error) {
      if (!isMissing(error)) throw error;
      missing = error;
    }
  }
  throw new CheckpointError(`Cannot load a learner from ${file}: there is no such file`, { cause: missing });
}

function built(file: SafetensorsFile, { model, modelName }: CheckedLearner, path: string): Model {
  if (model === null) {
    throw new CheckpointError(
      `Cannot load a learner from ${path}: its model ${modelName} is code of your own, give it as { model: new ${modelName}(...) }`,
    );
  }
  const numbers = file.names.reduce((n, name) => n + sizeOf(file.info(name).shape), 0);
  const made = modelFromJson(model as StateDict, MAKERS, { numbers, where: path });
  if (made instanceof Module) return made as Model;
  throw new CheckpointError(`Cannot load a learner from ${path}: its model is no model`);
}

function lossOf({ loss, lossName, lossShapes }: CheckedLearner, path: string, options: LoadLearnerOptions): LossFunc {
  if (options.lossFunc !== undefined) return options.lossFunc;
  if (loss !== null) return lossFromJson(loss as StateDict, path);
  if (lossShapes) {
    throw new CheckpointError(
      `Cannot load a learner from ${path}: its loss ${lossName} is code of your own and predictions pass through it, ` +
        "give it as { lossFunc }",
    );
  }
  return () => {
    throw new CheckpointError(
      `Cannot compute the loss of ${path}: ${lossName} is code of your own, give it as { lossFunc }`,
    );
  };
}

async function loadWeights(file: SafetensorsFile, model: Model, path: string): Promise<void> {
  const own = new Map<string, Tensor>([...model.namedParameters(), ...model.namedBuffers()]);
  const problems = [
    ...[...own.keys()].filter((name) => !file.names.includes(name)).map((name) => `${name} is missing`),
    ...file.names.filter((name) => !own.has(name)).map((name) => `${name} is not in the model`),
    ...file.names.flatMap((name) => {
      const want = own.get(name)?.shape, got = file.info(name).shape;
      return want === undefined || sameShape(want, got) ? [] : [`${name} is ${fmtShape(got)}, not ${fmtShape(want)}`];
    }),
  ];
  if (problems.length > 0) {
    throw new CheckpointError(
      `Cannot load a learner from ${path}: its weights are no ${model.constructor.name}'s of this form, ${problems[0]}`,
    );
  }
  model.loadStateDict(await readTensors(file));
}

/** Loaders without items, which make inputs as those of training did. */
async function loadersOf(
  { inputs, vocab }: CheckedLearner,
): Promise<DataLoaders | TabularDataLoaders | ImageDataLoaders | TextDataLoaders> {
  const none = () =>
    new DataLoader({
      dataset: {
        length: 0,
        get: () => {
          throw new CheckpointError("Cannot get an item: a loaded learner has no data");
        },
      },
      seed: 0,
    });
  switch (inputs.kind) {
    case "table":
      return TabularDataLoaders.forRows(schemaFromJson(inputs.schema, "the schema of a learner"));
    case "images":
      return ImageDataLoaders.forItems({
        vocab: vocab ?? [],
        ...(inputs.orient === undefined ? {} : { orient: inputs.orient }),
        ...(inputs.target === undefined ? {} : { target: inputs.target }),
        itemTfms: inputs.itemTfms as readonly ItemTransformJson[],
        batchTfms: inputs.batchTfms as readonly BatchTransformJson[],
      });
    case "text": {
      const { isLm, seqLen, buckets } = inputs;
      const tokenizer = await Tokenizer.fromJson(inputs.tokenizer, {}, "a learner");
      return TextDataLoaders.forItems({ tokenizer, isLm, seqLen, buckets, vocab: isLm ? [] : vocab ?? [] });
    }
    case "arrays": {
      const { kind: _, normalize, ...rest } = inputs;
      const given = normalize === undefined ? rest : { ...rest, normalize };
      return new ArrayDataLoaders(none(), none(), { inputs: given, vocab: (vocab ?? []).map(String) });
    }
    case "tensors":
      return new NamedLoaders(none(), none(), inputs.nInp, vocab);
  }
}

/** Loaders of tensors, with the names of the classes where there are some. */
class NamedLoaders extends DataLoaders {
  readonly vocab: readonly (string | number | boolean)[];

  constructor(
    train: DataLoader,
    valid: DataLoader,
    nInp: number | undefined,
    vocab: readonly (string | number | boolean)[] | null,
  ) {
    super(train, valid, nInp === undefined ? {} : { nInp });
    this.vocab = vocab ?? [];
  }
}
