/**
 * What a learner is made of.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import {
  checkOptions,
  flag,
  func,
  nums,
  objectWith,
  type OptionTable,
  orNull,
  other,
  pathText,
  shown,
} from "../base/options.ts";
import type { Module } from "../nn/mod.ts";
import { aHyper, type HyperValue, type OptFunc } from "../optim/mod.ts";
import type { Parameter, Tensor } from "../tensor/mod.ts";
import type { CallbackLike } from "./callback.ts";
import type { Logger } from "./logger.ts";
import { type LossFunc, lossFuncOf } from "./loss_func.ts";
import type { MetricLike } from "./metric.ts";

/** Models that a learner trains: tensors in, one tensor out. */
export type Model = Module<Tensor[], Tensor>;

/** Parameters in groups, earliest layers first. */
export type ParamGroups = readonly (readonly Parameter[])[];

/** Divides a model's parameters in groups, earliest layers first; a flat list is one group. */
export type Splitter<M extends Model = Model> = (model: M) => ParamGroups | readonly Parameter[];

/** All parameters that require gradients, as one group. */
export function trainableParams(model: Model): readonly Parameter[] {
  return model.parameters().filter((p) => p.requiresGrad);
}

/**
 * What the learner is doing: nothing, a `fit`, the two parts of `fineTune`, the learning-rate finder's probe, an evaluation
 * (`validate`), or predictions (`getPreds`).
 */
export type Phase = "idle" | "fit" | "frozen" | "unfrozen" | "probe" | "eval" | "predict";

/** Options of `TrainLoop`; the defaults are fastai's. */
export interface TrainLoopOptions<M extends Model = Model> {
  /** Loss object, or function of `(pred, ...yb)`; by default the data's. */
  readonly lossFunc?: LossFunc;
  /** Makes the optimizer; `Adam` by default. */
  readonly optFunc?: OptFunc;
  /** Learning rate, 1e-3 by default. */
  readonly lr?: HyperValue;
  /** Parameter groups; by default one group of all trainable parameters. */
  readonly splitter?: Splitter<M>;
  /** Callbacks to add. */
  readonly cbs?: CallbackLike | readonly CallbackLike[];
  /** Metrics of the validation set: functions of `(pred, ...yb)` or `Metric`s. */
  readonly metrics?: MetricLike | readonly MetricLike[];
  /** Folder for files; by default the data's, or the current one. */
  readonly path?: string;
  /** Folder for models, inside `path`; "models" by default. */
  readonly modelDir?: string;
  /** Weight decay; null leaves the optimizer's. */
  readonly wd?: HyperValue | null;
  /** Whether norm layers and biases decay too; false by default. */
  readonly wdBnBias?: boolean;
  /** Whether norm layers train in frozen groups; true by default. */
  readonly trainBn?: boolean;
  /** Momentum at the start, the peak and the end of one-cycle; [0.95, 0.85, 0.95] by default. */
  readonly moms?: readonly [number, number, number];
  /** Whether to add `TrainEval`, `Recorder` and `Progress`; true by default. */
  readonly defaultCbs?: boolean;
  /** Where rows and messages go; by default standard output, in a notebook the cell. */
  readonly logger?: Logger;
}

/** Throws where a learner is given something else than data and a model. */
export function checkParts(dls: unknown, model: unknown): void {
  checkData(dls, "make a learner: data come first, new Learner(dls, model), as");
  checkModel(model, "make a learner: the model comes second, new Learner(dls, model), as");
}

/** Throws where a model is no `nn.Module`; `what` begins the sentence that it ends. */
function checkModel(model: unknown, what: string): void {
  if (has(model, "forward", "function") && has(model, "parameters", "function")) return;
  const way = typeof model !== "function"
    ? ""
    : /^class\b/.test(Function.prototype.toString.call(model))
    ? `: make one, new ${model.name}(…)`
    : ": new nn.Lambda(f) makes a module of a function";
  throw new ConfigError(`Cannot ${what} an nn.Module; got ${shown(model)}${way}`);
}

/** Throws where data are no `DataLoaders`; `what` begins the sentence that they end. */
export function checkData(dls: unknown, what: string): void {
  if (has(dls, "train", "object") && has(dls, "valid", "object")) return;
  throw new ConfigError(
    `Cannot ${what} DataLoaders, such as DataLoaders.fromArrays gives; got ${shown(dls)}${
      dls instanceof Promise ? ": await it first" : ""
    }`,
  );
}

/** Throws where a learner's parts or settings were replaced, after it was made, by what they may not be. */
export function checkSettings(learn: Settings): void {
  const { lossFunc, optFunc, lr, path, modelDir, wd, wdBnBias, trainBn, moms, logger, model, dls } = learn;
  const what = "go on with this learner";
  checkOptions(what, { optFunc, lr, path, modelDir, wd, wdBnBias, trainBn, moms, logger }, learnerOptions());
  lossFuncOf(lossFunc, dls);
  checkModel(model, `${what}: its model is`);
}

/** What {@link checkSettings} looks at. */
type Settings =
  & Required<Pick<TrainLoopOptions, "lr" | "path" | "modelDir" | "wd" | "wdBnBias" | "trainBn" | "moms" | "logger">>
  & Required<Pick<TrainLoopOptions, "lossFunc" | "optFunc">>
  & { readonly model: unknown; readonly dls: object };

function has(value: unknown, member: string, type: "object" | "function"): boolean {
  if (typeof value !== "object" || value === null) return false;
  const found: unknown = (value as Readonly<Record<string, unknown>>)[member];
  return typeof found === type && found !== null;
}

/** What the options of a learner may be. */
export function learnerOptions<M extends Model>(): OptionTable<TrainLoopOptions<M>> {
  return {
    lossFunc: other("a loss object or a function of (pred, ...targets)"),
    optFunc: func(),
    lr: aHyper,
    splitter: func(),
    cbs: other("a callback or several"),
    metrics: other("a metric or several"),
    path: pathText,
    modelDir: pathText,
    wd: orNull(aHyper),
    wdBnBias: flag,
    trainBn: flag,
    moms: other("three numbers", (v) => nums.holds(v) && (v as readonly number[]).length === 3),
    defaultCbs: flag,
    logger: objectWith("a logger", "line"),
  };
}
