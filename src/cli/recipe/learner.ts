/**
 * The learner of a recipe: model, loss, metrics, optimizer, callbacks.
 *
 * @module
 */
import {
  CSVLogger,
  CutMix,
  EarlyStopping,
  GradientAccumulation,
  GradientClip,
  JsonLines,
  MixedPrecision,
  MixUp,
  ReduceLROnPlateau,
  SaveModel,
  TensorBoard,
  TerminateOnNaN,
} from "../../callbacks/mod.ts";
import { ConfigError } from "../../base/errors.ts";
import { Checkpoint } from "../../fit/mod.ts";
import { Learner } from "../../learner/mod.ts";
import * as nn from "../../nn/mod.ts";
import { Adam, Lamb, Larc, type OptFunc, QHAdam, RAdam, ranger, RMSProp, SGD } from "../../optim/mod.ts";
import {
  accuracy,
  accuracyMulti,
  BalancedAccuracy,
  type Callback,
  CohenKappa,
  errorRate,
  F1Score,
  type Logger,
  mae,
  MatthewsCorrCoef,
  type MetricLike,
  type Model,
  mse,
  Perplexity,
  Precision,
  R2Score,
  Recall,
  Rmse,
  RocAuc,
  topKAccuracy,
} from "../../train/mod.ts";
import { SampleText } from "../../text/sample_text.ts";
import { setSeed } from "../../tensor/mod.ts";
import type { RecipeData } from "./data.ts";
import { makeModel } from "./model.ts";
import { isTextModel, textLearner } from "./text.ts";
import type { LOSSES, METRICS, OPTIMIZERS, Recipe } from "./schema.ts";

const LOSS: Readonly<Record<typeof LOSSES[number], () => nn.Loss>> = {
  crossEntropy: () => new nn.CrossEntropyLoss(),
  labelSmoothing: () => new nn.LabelSmoothingCrossEntropy(),
  focal: () => new nn.FocalLoss(),
  bceWithLogits: () => new nn.BCEWithLogitsLoss(),
  mse: () => new nn.MSELoss(),
  l1: () => new nn.L1Loss(),
  smoothL1: () => new nn.SmoothL1Loss(),
  huber: () => new nn.HuberLoss(),
};

const METRIC: Readonly<Record<typeof METRICS[number], (classes: number) => MetricLike>> = {
  accuracy: () => accuracy,
  errorRate: () => errorRate,
  topKAccuracy: () => topKAccuracy,
  accuracyMulti: () => accuracyMulti,
  f1Score: (classes) => new F1Score({ average: classes > 2 ? "macro" : "binary" }),
  precision: (classes) => new Precision({ average: classes > 2 ? "macro" : "binary" }),
  recall: (classes) => new Recall({ average: classes > 2 ? "macro" : "binary" }),
  balancedAccuracy: () => new BalancedAccuracy(),
  cohenKappa: () => new CohenKappa(),
  matthewsCorrCoef: () => new MatthewsCorrCoef(),
  rocAuc: () => new RocAuc(),
  mse: () => mse,
  mae: () => mae,
  rmse: () => new Rmse(),
  r2Score: () => new R2Score(),
  perplexity: () => new Perplexity(),
};

const OPTIMIZER: Readonly<Record<typeof OPTIMIZERS[number], OptFunc>> = {
  adam: Adam,
  sgd: SGD,
  rmsProp: RMSProp,
  rAdam: RAdam,
  qhAdam: QHAdam,
  larc: Larc,
  lamb: Lamb,
  ranger,
};

/** Where a run's files go, and what is told meanwhile. */
export interface LearnerPlace {
  /** Folder of the recipe, which its paths are relative to. */
  readonly folder: string;
  /** Folder of the run. */
  readonly out: string;
  readonly logger: Logger;
}

/** Makes the learner; the generator of random numbers is set by the recipe's seed first. */
export async function makeLearner(
  recipe: Recipe,
  data: RecipeData,
  { folder, out, logger }: LearnerPlace,
): Promise<Learner> {
  const seed = recipe.seed ?? 42;
  setSeed(seed);
  const isText = data.text !== undefined || isTextModel(recipe.model);
  const classify = data.vocab.length > 0;
  const loss = recipe.loss ?? (classify ? "crossEntropy" : "mse");
  checkTask(recipe, loss, data);
  const { kind = "adam", ...hypers } = recipe.optimizer ?? {};
  const options = {
    metrics: (recipe.metrics ?? (classify ? ["accuracy"] : ["rmse"])).map((name) => METRIC[name](data.outputs)),
    optFunc: OPTIMIZER[kind].with(hypers),
    path: out,
    modelDir: ".",
    logger,
  };
  if (isText) {
    const isLm = data.text?.isLm === true;
    if (isLm && loss !== "crossEntropy") {
      throw new ConfigError(`Cannot train a language model with loss ${loss}: it takes crossEntropy`);
    }
    const lossFunc = isLm ? {} : { lossFunc: LOSS[loss]() }; // a stream's, which the learner has, looks for classes last
    return await textLearner(recipe.model, data, { ...options, ...lossFunc, folder });
  }
  const model: Model = await makeModel(recipe.model, data, folder);
  return new Learner(data.dls, model, { lossFunc: LOSS[loss](), ...options });
}

const CLASS_LOSSES: readonly (typeof LOSSES[number])[] = ["crossEntropy", "labelSmoothing", "focal"];
const VALUE_METRICS: readonly (typeof METRICS[number])[] = ["mse", "mae", "rmse", "r2Score"];

/** Refuses a loss or a metric that means nothing for classes, or for values. */
function checkTask({ metrics = [] }: Recipe, loss: typeof LOSSES[number], { vocab, outputs }: RecipeData): void {
  const classify = vocab.length > 0, classLoss = CLASS_LOSSES.includes(loss);
  if (classLoss && !classify) {
    throw new ConfigError(`Cannot train with loss ${loss}: the data has values, not classes; take mse, l1 or huber`);
  }
  if (!classLoss && classify && !(loss === "bceWithLogits" && outputs === 1)) {
    throw new ConfigError(
      `Cannot train with loss ${loss}: the data has ${vocab.length} classes, not values; take ${
        CLASS_LOSSES.join(", ")
      }`,
    );
  }
  const values = VALUE_METRICS.join(", ");
  for (const name of metrics) {
    const ofValues = VALUE_METRICS.includes(name), ofFlags = name === "accuracyMulti";
    if (classify && (ofValues || ofFlags)) {
      const others = "accuracy, f1Score, rocAuc and the like";
      throw new ConfigError(`Cannot measure ${name}: the data has ${vocab.length} classes, not values; take ${others}`);
    }
    if (classify && name === "topKAccuracy" && outputs < 5) {
      throw new ConfigError(`Cannot measure topKAccuracy, which takes the top 5: the data has ${outputs} classes`);
    }
    if (classify || ofValues) continue;
    if (loss !== "bceWithLogits") {
      throw new ConfigError(`Cannot measure ${name}: the data has values, not classes; take ${values}`);
    }
    if (!ofFlags && outputs > 1) {
      throw new ConfigError(
        `Cannot measure ${name}: each item has ${outputs} answers of yes or no; take accuracyMulti`,
      );
    }
  }
}

type Options = Record<string, never>;

/** The callbacks of a recipe, and those that every run has: rows as CSV, everything as JSON lines, checkpoints. */
export function makeCallbacks(recipe: Recipe): Callback[] {
  const wanted = (recipe.callbacks ?? {}) as Record<string, Options | null | undefined>;
  const list: Callback[] = [
    new CSVLogger({ fname: "history.csv" }),
    new JsonLines({ fname: "log.jsonl" }),
    new Checkpoint({ dir: "checkpoints", ...wanted.checkpoint, onSignal: "throw" }),
  ];
  const make: Record<string, (options: Record<string, never>) => Callback> = {
    earlyStopping: (o) => new EarlyStopping(o),
    saveModel: (o) => new SaveModel({ fname: "best", ...o }),
    reduceLROnPlateau: (o) => new ReduceLROnPlateau(o),
    terminateOnNaN: () => new TerminateOnNaN(),
    mixedPrecision: (o) => new MixedPrecision(o),
    gradientClip: ({ maxNorm }) => new GradientClip(maxNorm),
    gradientAccumulation: ({ nAcc }) => new GradientAccumulation(nAcc),
    mixUp: ({ alpha }) => new MixUp(alpha),
    cutMix: ({ alpha }) => new CutMix(alpha),
    tensorBoard: () => new TensorBoard(),
    sampleText: ({ start, ...o }) => new SampleText(start ?? "", o),
  };
  for (const [name, options] of Object.entries(wanted)) {
    if (options !== undefined && name !== "checkpoint") list.push(make[name](options ?? {}));
  }
  return list;
}
