/**
 * Models out of plain data: how layers are built again from what they said of themselves (`model_json.ts`). Apart from that, as
 * it names all layers there are.
 *
 * @module
 */
import { AnnealError, CheckpointError } from "../base/errors.ts";
import { sizeOf } from "../base/shape.ts";
import { isDict, SavedState, type StateDict } from "../io/state_dict.ts";
import * as nn from "../nn/mod.ts";
import { Rng } from "../tensor/mod.ts";
import { SEQUENCE_MAKERS } from "./sequence_layers.ts";

/** What a {@link LayerMaker} is given. */
export interface LayerParts {
  /** What the layer said of itself; each value is checked as it is taken out. */
  readonly json: SavedState;
  /** First weights and their generator, for constructors that take them: zeros, as the file has others. */
  readonly drawn: { readonly init: nn.WeightInit; readonly rng: Rng };
  /** Refuses more weights than the file holds numbers, before memory is taken for them. */
  weights(count: number): void;
  /** A layer inside. */
  layer(json: StateDict): nn.Module;
}

/** Builds a layer of one kind. */
export type LayerMaker = (parts: LayerParts) => nn.AnyModule;

/**
 * Builds the model that `modelJson` described; its weights are not the trained ones yet.
 *
 * @param numbers How many numbers the file holds: a model with more weights is refused.
 * @throws CheckpointError where the description makes no sense; null where its kind of layer is not known.
 */
export function modelFromJson(
  json: StateDict,
  makers: ReadonlyMap<string, LayerMaker>,
  { numbers, where }: { readonly numbers: number; readonly where: string },
): nn.AnyModule {
  let left = numbers;
  const drawn = {
    init: (shape: readonly number[]) => new Float32Array(sizeOf(shape)),
    rng: new Rng(),
  };
  const weights = (count: number): void => {
    left -= count;
    if (!(left >= 0)) {
      throw new CheckpointError(
        `Cannot build the model of ${where}: it describes more weights than the file's ${numbers}`,
      );
    }
  };
  const build = (value: StateDict, path: string): nn.AnyModule => {
    const state = new SavedState(value, path);
    const kind = state.string("kind");
    const maker = makers.get(kind);
    if (maker === undefined) {
      throw new CheckpointError(
        `Cannot build the model of ${where}: its layer ${
          JSON.stringify(kind)
        } is not known, give the model as { model }`,
      );
    }
    try {
      return maker({
        json: state,
        drawn,
        weights,
        layer: (inner) => {
          const made = build(inner, `${path}.${String(inner.kind)}`);
          if (made instanceof nn.Module) return made as nn.Module;
          throw new CheckpointError(`Cannot build the model of ${where}: ${kind} holds no layer`);
        },
      });
    } catch (cause) {
      if (cause instanceof CheckpointError || !(cause instanceof AnnealError || cause instanceof RangeError)) {
        throw cause;
      }
      throw new CheckpointError(`Cannot build the model of ${where}: ${cause.message}`, { cause });
    }
  };
  return build(json, where);
}

/** One number, or one an axis. */
function perAxis(json: SavedState, name: string): number | number[] {
  const v = json.value(name);
  return typeof v === "number" ? v : json.numbers(name);
}

function optional<T>(json: SavedState, name: string, read: (name: string) => T): Record<string, T> {
  return json.has(name) ? { [name]: read(name) } : {};
}

function word<T extends string>(json: SavedState, name: string, words: readonly T[]): T {
  const v = json.string(name);
  const found = words.find((w) => w === v);
  if (found !== undefined) return found;
  throw new CheckpointError(`Cannot restore ${name}: it is one of ${words.join(", ")}, got ${JSON.stringify(v)}`);
}

const convOptions = (json: SavedState) => ({
  stride: json.numbers("stride"),
  padding: json.value("padding") === "same" ? "same" as const : json.numbers("padding"),
  padMode: word(json, "padMode", ["zeros", "reflect", "replicate", "circular"]),
  dilation: json.numbers("dilation"),
  groups: json.count("groups"),
  bias: json.boolean("bias"),
});

function conv(make: typeof nn.Conv1d | typeof nn.Conv2d): LayerMaker {
  return ({ json, drawn, weights }) => {
    const inChannels = json.count("inChannels"),
      outChannels = json.count("outChannels"),
      kernel = json.numbers("kernel");
    weights(inChannels / json.count("groups") * outChannels * sizeOf(kernel));
    return new make(inChannels, outChannels, kernel, { ...convOptions(json), ...drawn });
  };
}

function norm(make: typeof nn.BatchNorm1d | typeof nn.BatchNorm2d): LayerMaker {
  return ({ json, weights }) => {
    const n = json.count("numFeatures");
    weights(n);
    const options = { eps: json.number("eps"), momentum: json.number("momentum"), affine: json.boolean("affine") };
    return new make(n, options);
  };
}

function pool(make: typeof nn.MaxPool2d | typeof nn.AvgPool2d): LayerMaker {
  return ({ json }) => {
    const sizes = ["stride", "padding", "dilation"].map((name) => optional(json, name, (n) => perAxis(json, n)));
    const flags = ["ceilMode", "countIncludePad"].map((name) => optional(json, name, (n) => json.boolean(n)));
    return new make(perAxis(json, "kernel"), Object.assign({}, ...sizes, ...flags));
  };
}

function rangeOf(json: SavedState): { readonly yRange?: readonly [number, number] } {
  if (!json.has("yRange")) return {};
  const [low, high] = json.numbers("yRange");
  return { yRange: [low, high] };
}

/** Counts the weights of vectors of words and of the linear layers that take them. */
function tabularWeights(
  { words, numbers, layers, outputs }:
    & Record<"words" | "layers", readonly number[]>
    & Record<"numbers" | "outputs", number>,
  weights: LayerParts["weights"],
): void {
  const vectors = words.map((n) => nn.embeddingSize(n + 1));
  weights(words.reduce((sum, n, i) => sum + (n + 1) * vectors[i], 0));
  const sizes = [vectors.reduce((a, b) => a + b, numbers), ...layers, outputs];
  for (let i = 1; i < sizes.length; i++) weights(sizes[i - 1] * sizes[i]);
}

/** The layers of `nn`. */
export const LAYER_MAKERS: ReadonlyMap<string, LayerMaker> = new Map<string, LayerMaker>(Object.entries<LayerMaker>({
  ...SEQUENCE_MAKERS,
  Sequential: ({ json, layer }) =>
    new nn.Sequential(
      ...json.values("layers").map((inner) => {
        if (isDict(inner)) return layer(inner);
        throw new CheckpointError("Cannot restore a Sequential: its layers are a list of layers");
      }),
    ),
  Flatten: ({ json }) => new nn.Flatten(json.number("startAxis"), json.number("endAxis")),
  Unflatten: ({ json }) => new nn.Unflatten(json.number("axis"), json.numbers("sizes")),
  Permute: ({ json }) => new nn.Permute(json.numbers("dims")),
  Identity: () => new nn.Identity(),
  Linear: ({ json, drawn, weights }) => {
    const inFeatures = json.count("inFeatures"), outFeatures = json.count("outFeatures");
    weights(inFeatures * outFeatures);
    return new nn.Linear(inFeatures, outFeatures, { bias: json.boolean("bias"), ...drawn });
  },
  Embedding: ({ json, drawn: { rng }, weights }) => {
    const count = json.count("count"), size = json.count("size");
    weights(count * size);
    const padding = json.value("paddingIdx") === null ? {} : { paddingIdx: json.count("paddingIdx") };
    return new nn.Embedding(count, size, { ...padding, rng });
  },
  Conv1d: conv(nn.Conv1d),
  Conv2d: conv(nn.Conv2d),
  ConvTranspose2d: ({ json, drawn, weights }) => {
    const inChannels = json.count("inChannels"),
      outChannels = json.count("outChannels"),
      kernel = json.numbers("kernel");
    const groups = json.count("groups");
    weights(inChannels * outChannels / groups * sizeOf(kernel));
    return new nn.ConvTranspose2d(inChannels, outChannels, kernel, {
      stride: json.numbers("stride"),
      padding: json.numbers("padding"),
      outputPadding: json.numbers("outputPadding"),
      dilation: json.numbers("dilation"),
      groups,
      bias: json.boolean("bias"),
      ...drawn,
    });
  },
  BatchNorm1d: norm(nn.BatchNorm1d),
  BatchNorm2d: norm(nn.BatchNorm2d),
  LayerNorm: ({ json, weights }) => {
    const shape = json.numbers("shape"), affine = json.boolean("affine");
    if (affine) weights(sizeOf(shape));
    const bias = optional(json, "bias", (n) => json.boolean(n));
    return new nn.LayerNorm(shape, { eps: json.number("eps"), affine, ...bias });
  },
  LayerNorm2d: ({ json, weights }) => {
    const channels = json.count("numChannels"), affine = json.boolean("affine");
    if (affine) weights(channels);
    const bias = optional(json, "bias", (n) => json.boolean(n));
    return new nn.LayerNorm2d(channels, { eps: json.number("eps"), affine, ...bias });
  },
  RMSNorm: ({ json, weights }) => {
    const shape = json.numbers("shape"), affine = json.boolean("affine");
    if (affine) weights(sizeOf(shape));
    return new nn.RMSNorm(shape, { eps: json.number("eps"), affine });
  },
  GroupNorm: ({ json, weights }) => {
    const channels = json.count("numChannels"), affine = json.boolean("affine");
    if (affine) weights(channels);
    return new nn.GroupNorm(json.count("numGroups"), channels, { eps: json.number("eps"), affine });
  },
  InstanceNorm2d: ({ json, weights }) => {
    const features = json.count("numFeatures"), affine = json.boolean("affine");
    if (affine) weights(features);
    return new nn.InstanceNorm2d(features, { eps: json.number("eps"), affine });
  },
  PixelShuffle: ({ json }) => new nn.PixelShuffle(json.count("factor")),
  MaxPool2d: pool(nn.MaxPool2d),
  AvgPool2d: pool(nn.AvgPool2d),
  AdaptiveAvgPool2d: ({ json }) => new nn.AdaptiveAvgPool2d(perAxis(json, "size")),
  AdaptiveMaxPool2d: ({ json }) => new nn.AdaptiveMaxPool2d(perAxis(json, "size")),
  AdaptiveConcatPool2d: ({ json }) => new nn.AdaptiveConcatPool2d(perAxis(json, "size")),
  Upsample: ({ json }) =>
    new nn.Upsample({
      ...optional(json, "size", (n) => perAxis(json, n)),
      ...optional(json, "scale", (n) => perAxis(json, n)),
      ...optional(json, "mode", (n) => word(json, n, ["nearest", "bilinear"])),
      ...optional(json, "alignCorners", (n) => json.boolean(n)),
    }),
  ReLU: () => new nn.ReLU(),
  PReLU: ({ json, weights }) => {
    const parameters = json.count("numParameters");
    weights(parameters);
    return new nn.PReLU(parameters);
  },
  ELU: ({ json }) => new nn.ELU(json.number("alpha")),
  Hardsigmoid: () => new nn.Hardsigmoid(),
  ReLU6: () => new nn.ReLU6(),
  Hardswish: () => new nn.Hardswish(),
  Mish: () => new nn.Mish(),
  LeakyReLU: ({ json }) => new nn.LeakyReLU(json.number("slope")),
  GELU: ({ json }) => new nn.GELU({ approximate: word(json, "approximate", ["none", "tanh"] as const) }),
  SiLU: () => new nn.SiLU(),
  Sigmoid: () => new nn.Sigmoid(),
  SigmoidRange: ({ json }) => new nn.SigmoidRange(json.number("low"), json.number("high")),
  Tanh: () => new nn.Tanh(),
  LogSoftmax: ({ json }) => new nn.LogSoftmax({ axis: json.number("axis") }),
  Softmax: ({ json }) => new nn.Softmax({ axis: json.number("axis") }),
  Dropout: ({ json }) => new nn.Dropout(json.number("p")),
  Dropout2d: ({ json }) => new nn.Dropout2d(json.number("p")),
  StochasticDepth: ({ json }) =>
    new nn.StochasticDepth(json.number("p"), word(json, "mode", ["row", "batch"] as const)),
  SqueezeExcitation: ({ json, layer, drawn, weights }) => {
    const channels = json.count("inputChannels"), squeezed = json.count("squeezeChannels");
    weights(2 * channels * squeezed);
    const inner = (name: string) => {
      const value = json.value(name);
      if (isDict(value)) return layer(value);
      throw new CheckpointError(`Cannot restore SqueezeExcitation: its ${name} is a layer`);
    };
    return new nn.SqueezeExcitation(channels, squeezed, {
      activation: inner("activation"),
      scaleActivation: inner("scaleActivation"),
      ...drawn,
    });
  },
  TabularModel: ({ json, weights }) => {
    const words = json.numbers("words"), numbers = json.count("numbers"), layers = json.numbers("layers");
    const outputs = json.count("outputs");
    tabularWeights({ words, numbers, layers, outputs }, weights);
    const inputs = {
      numeric: Array.from({ length: numbers }),
      categorical: words.map((n) => ({ words: Array.from({ length: n }, String) })),
    };
    const options = { layers, dropout: json.number("dropout"), embedDropout: json.number("embedDropout") };
    return new nn.TabularModel(inputs, outputs, options);
  },
  EmbeddingDotBias: ({ json, weights }) => {
    const [nFactors, nUsers, nItems] = ["nFactors", "nUsers", "nItems"].map((name) => json.count(name));
    weights((nUsers + nItems) * (nFactors + 1));
    return new nn.EmbeddingDotBias(nFactors, nUsers, nItems, rangeOf(json));
  },
  EmbeddingNN: ({ json, weights }) => {
    const words = json.numbers("words"), layers = json.numbers("layers");
    tabularWeights({ words, numbers: 0, layers, outputs: 1 }, weights);
    const categorical = words.map((n, i) => ({ name: String(i), words: Array.from({ length: n }, String) }));
    return new nn.EmbeddingNN({ categorical }, { layers, ...rangeOf(json) });
  },
}));
