/**
 * Learners as ONNX: the model, and as text or as operations what comes before and behind it.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { ConfigError } from "../base/errors.ts";
import { flag, type OptionTable, other } from "../base/options.ts";
import { sizeOf } from "../base/shape.ts";
import type { ArrayInputs, InputsJson } from "../data/mod.ts";
import { ONNX, type OnnxModel, onnxOf, type OnnxOptions } from "../interop/onnx/export.ts";
import { Conv2d } from "../nn/mod.ts";
import { Tensor, tensor, where, zeros } from "../tensor/mod.ts";
import type { TrainLoop } from "../train/mod.ts";
import { lossName } from "./loss_json.ts";
import { classesOf } from "./predict.ts";
import { activate } from "./predict_item.ts";
import { rememberGenerators } from "./states.ts";

/** Options of {@link exportLearner} for files that end in `.onnx`, and those of `exportOnnx`. */
export interface LearnerOnnxOptions extends OnnxOptions {
  /**
   * Whether the file takes inputs as the data has them, and scales them itself: pixels in [0, 1] of `ImageDataLoaders`,
   * elements of arrays, numbers of a table with NaN for missing ones. False by default: inputs are as batches have them.
   */
  readonly normalize?: boolean;
  /**
   * Whether outputs pass through the loss's activation, such as a softmax, and are in the unit of the data. False by
   * default: outputs are the model's.
   */
  readonly activation?: boolean;
  /** Inputs as the file takes them, each with its items along the first axis; by default as the data has them. */
  readonly example?: Tensor | readonly Tensor[];
}

/** What {@link LearnerOnnxOptions} may be. */
export const LEARNER_ONNX: OptionTable<LearnerOnnxOptions> = {
  ...ONNX,
  normalize: flag,
  activation: flag,
  example: other<Tensor | readonly Tensor[]>(
    "a tensor, or an array of them",
    (v) => v instanceof Tensor || Array.isArray(v) && v.every((t) => t instanceof Tensor),
  ),
};

type Inputs = readonly Tensor[];

/** How the data's inputs look, and how they become the model's. */
interface Preparation {
  readonly names: readonly string[] | null;
  readonly example: Inputs;
  readonly scale: (inputs: Inputs) => Inputs;
}

/**
 * The learner's model as ONNX. Names of classes, what inputs are, how they were scaled and which loss there was are in the
 * metadata, as JSON under `anneal.labels`, `anneal.inputs`, `anneal.target_scale` and `anneal.loss`.
 */
export async function learnerOnnx(learn: TrainLoop, options: LearnerOnnxOptions): Promise<OnnxModel> {
  await learn.ready();
  const { normalize = false, activation = false, example, metadata, inputNames, ...rest } = options;
  const { model, dls, lossFunc } = learn;
  const inputs = dls.inputsJson();
  const found = example === undefined ? await prepared(learn, inputs, normalize) : {
    names: null,
    example: example instanceof Tensor ? [example] : example,
    scale: normalize ? scaling(inputs, model.constructor.name) : (x: Inputs) => x,
  };
  const { targetScale } = dls;
  const labels = classesOf(dls);
  const generators = rememberGenerators(learn);
  try {
    return await onnxOf(model, found.example, (...x) => {
      const pred = model.forward(...found.scale(x));
      return activation ? activate(learn, pred) : pred;
    }, {
      ...(inputs.kind === "text" && rest.dynamicBatch !== false ? { lengthAxis: 1 } : {}), // of any length
      ...rest,
      ...(inputNames === undefined ? found.names === null ? {} : { inputNames: found.names } : { inputNames }),
      metadata: {
        "anneal.inputs": JSON.stringify({ ...inputs, normalized: normalize ? "in the model" : "outside" }),
        "anneal.loss": JSON.stringify({
          name: lossName(lossFunc),
          activation: activation ? "in the model" : "outside",
        }),
        ...(labels === null ? {} : { "anneal.labels": JSON.stringify(labels) }),
        ...(targetScale === undefined ? {} : { "anneal.target_scale": JSON.stringify(targetScale) }),
        ...metadata,
      },
    });
  } finally {
    generators();
  }
}

async function prepared(learn: TrainLoop, inputs: InputsJson, normalize: boolean): Promise<Preparation> {
  const { dls, model } = learn;
  const batch = await dls.train.peek() ?? await dls.valid.peek();
  const own = batch?.slice(0, dls.nInp ?? Math.max(1, batch.length - 1));
  const example = own?.map((t) => t.slice([[0, 1]])) ?? described(inputs, learn);
  if (example === null) {
    throw new ConfigError(
      `Cannot export ${model.constructor.name} to ONNX: its data do not say what inputs look like, give ` +
        "{ example: zeros([1, ...]) }, of the shape and type of the model's inputs",
    );
  }
  const called = { table: ["words", "numbers"], text: ["tokens", "mask"] };
  const listed = inputs.kind === "table" || inputs.kind === "text" ? called[inputs.kind] : [];
  const names = example.length > listed.length ? null : listed.slice(0, example.length);
  if (!normalize) return { names, example, scale: (x) => x };
  const raw = inputs.kind === "arrays" ? [oneOf(inputs)] : example;
  return { names, example: raw, scale: scaling(inputs, model.constructor.name) };
}

/** An item of an array, as the array has it. */
function oneOf({ shape, dtype }: ArrayInputs): Tensor {
  const full = [1, ...shape];
  return dtype === "u8" ? tensor(new Uint8Array(sizeOf(full)), { shape: full }) : zeros(full, { dtype });
}

/** Inputs as a description of the data has them, where there are no batches; null where it does not say. */
function described(inputs: InputsJson, { model }: TrainLoop): Inputs | null {
  if (inputs.kind === "arrays") {
    const { shape, dtype } = inputs, full = [1, ...shape];
    return [dtype === "f32" || dtype === "u8" || inputs.normalize !== undefined ? zeros(full) : zeros(full, { dtype })];
  }
  if (inputs.kind === "table") {
    const { categorical, numeric } = inputs.schema;
    return [zeros([1, categorical.length], { dtype: "i32" }), zeros([1, numeric.length])];
  }
  if (inputs.kind !== "images") return null;
  const channels = model.modules().find((m): m is Conv2d => m instanceof Conv2d)?.inChannels;
  const tfms = inputs.itemTfms as readonly { readonly size?: readonly number[] }[];
  const size = tfms.findLast((t) => t.size !== undefined)?.size;
  return channels === undefined || size === undefined ? null : [zeros([1, channels, size[0], size[1]])];
}

/** How inputs as the data has them become those of the model. */
function scaling(inputs: InputsJson, model: string): (x: Inputs) => Inputs {
  if (inputs.kind === "arrays") {
    const { normalize } = inputs;
    return (
      [x],
    ) => [
      normalize === undefined
        ? x.dtype === "u8" ? x.cast("f32") : x
        : x.cast("f32").sub(normalize.mean).div(normalize.std),
    ];
  }
  if (inputs.kind === "images") {
    const all = inputs.batchTfms as readonly {
      readonly kind: string;
      readonly mean: number[];
      readonly std: number[];
    }[];
    const other = all.find((t) => t.kind !== "Normalize");
    if (other !== undefined) {
      throw new ConfigError(`Cannot export ${model} to ONNX with { normalize: true }: ${other.kind} has no operators`);
    }
    return ([x]) => [all.reduce((y, { mean, std }) => {
      const along = (values: readonly number[]) =>
        tensor(Float32Array.from(values), { shape: [1, values.length, 1, 1] });
      return y.sub(along(mean)).div(along(std));
    }, x)];
  }
  if (inputs.kind === "table") {
    const { numeric } = inputs.schema;
    const row = (pick: (c: (typeof numeric)[number]) => number) => tensor(Float32Array.from(numeric, pick));
    return ([words, numbers]) => {
      if (numeric.length === 0) return [words, numbers];
      const filled = where(numbers.ne(numbers), row((c) => c.filled === false ? NaN : c.median), numbers); // only NaN is not itself
      return [words, filled.sub(row((c) => c.mean)).div(row((c) => c.std))];
    };
  }
  throw new ConfigError(
    `Cannot export ${model} to ONNX with { normalize: true }: how its inputs were prepared is not known`,
  );
}
