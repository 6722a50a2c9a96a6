/**
 * Models as ONNX, which other runtimes load.
 *
 * @module
 */
import "../../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import { AnnealError, ConfigError } from "../../base/errors.ts";
import {
  checkArgument,
  checkOptions,
  flag,
  objectWith,
  oneOf,
  type OptionTable,
  orNull,
  other,
  texts,
  whole,
} from "../../base/options.ts";
import { fmtShape, sizeOf } from "../../base/shape.ts";
import type { AnyModule } from "../../nn/mod.ts";
import { evaluating } from "../../nn/modes.ts";
import { aTensor, Tensor, tensor, type TensorData, type Trace, trace } from "../../tensor/mod.ts";
import { graphOf } from "./convert.ts";
import { encodeModel, saveModel } from "./encode.ts";
import type { ModelProto } from "./schema.ts";
import { type Batch, type Dim, fixed, ITEMS, LENGTH, merge } from "./symbolic.ts";

/** Options of {@link exportOnnx}. */
export interface OnnxOptions {
  /** Version of ONNX's operators, 17 to 22; 18 by default, which runtimes from 2023 on know. */
  readonly opset?: number;
  /**
   * Whether the file is for batches of any size; true by default. The first axis of each input is then that of the items.
   * Otherwise it is for batches of the example's size.
   */
  readonly dynamicBatch?: boolean;
  /**
   * Axis of the inputs whose size may be another one in each batch, too, such as the length of texts; by default none may.
   * Where inputs have fewer axes it is not theirs. Sizes of other axes are those of the example.
   */
  readonly lengthAxis?: number;
  /** Names of the inputs; `["input"]` by default, and `"input_0"` and so on for several. */
  readonly inputNames?: readonly string[];
  /** Names of the outputs; `["output"]` by default, and `"output_0"` and so on for several. */
  readonly outputNames?: readonly string[];
  /**
   * How weights of two axes or more are stored: `"f32"` by default, or `"f16"`, which halves the file and rounds them to 11
   * bits. It computes in f32 either way.
   */
  readonly weights?: "f32" | "f16";
  /** Free text that the file has with it. */
  readonly metadata?: Readonly<Record<string, string>>;
  /**
   * Whether `save` puts large weights into a second file, `<name>.data`, beside the first; by default only where one file
   * cannot hold them, which is above 2 GiB.
   */
  readonly externalData?: boolean | null;
}

/** Versions of the operators that can be written, each with the version of the file format that it came with. */
const FORMATS: ReadonlyMap<number, number> = new Map([[17, 8], [18, 8], [19, 9], [20, 9], [21, 10], [22, 10]]);

const anOpset = other<number>("a whole number from 17 to 22", (v) => FORMATS.has(v as number));

/** What the options of {@link exportOnnx} may be. */
export const ONNX: OptionTable<OnnxOptions> = {
  opset: anOpset,
  dynamicBatch: flag,
  lengthAxis: whole(1),
  inputNames: texts,
  outputNames: texts,
  weights: oneOf("f32", "f16"),
  metadata: other<Readonly<Record<string, string>>>(
    "an object of strings",
    (v) => typeof v === "object" && v !== null && Object.values(v).every((s) => typeof s === "string"),
  ),
  externalData: orNull(flag),
};

/** A model in the form of ONNX. */
export interface OnnxModel {
  /** Names of the inputs. */
  readonly inputs: readonly string[];
  /** Names of the outputs. */
  readonly outputs: readonly string[];
  /** The operators that it consists of, in order, such as "Conv". */
  readonly operators: readonly string[];
  /**
   * The file's bytes, as a runtime takes them.
   *
   * @throws ConfigError for more than 2 GiB.
   */
  bytes(): Promise<Uint8Array>;
  /**
   * Writes the file, and a second one where the weights have one of their own.
   *
   * @returns The paths that were written.
   */
  save(path: string): Promise<string[]>;
}

/** See `exportOnnx` of `../mod.ts`. */
export async function exportOnnx(
  model: AnyModule,
  example: Tensor | readonly Tensor[],
  options: OnnxOptions = {},
): Promise<OnnxModel> {
  checkOptions("export to ONNX", options, ONNX);
  checkArgument("export to ONNX", "model", model, objectWith<AnyModule>("a module", "forward", "namedParameters"));
  const list = Array.isArray(example) ? example as readonly Tensor[] : [example as Tensor];
  for (const x of list) checkArgument("export to ONNX", "example", x, aTensor);
  return await onnxOf(model, list, (...x) => model.forward(...x), options);
}

/** As {@link exportOnnx}, of `forward` instead of the model's own. */
export async function onnxOf(
  model: AnyModule,
  example: readonly Tensor[],
  forward: (...inputs: Tensor[]) => unknown,
  {
    opset = 18,
    dynamicBatch = true,
    lengthAxis,
    inputNames,
    outputNames,
    weights = "f32",
    metadata = {},
    externalData = null,
  }: OnnxOptions,
): Promise<OnnxModel> {
  const what = model.constructor.name;
  if (example.length === 0) throw new ConfigError(`Cannot export ${what} to ONNX: give an example of its input`);
  const inputs = namesFor("input", example.length, inputNames, what);
  const { trace: merged, shapes, outputs } = await traced(model, example, forward, { dynamicBatch, lengthAxis });
  const results = namesFor("output", outputs.length, outputNames ?? outputs, what);
  const clash = results.find((name) => inputs.includes(name));
  if (clash !== undefined) throw new ConfigError(`Cannot export ${what} to ONNX: "${clash}" is both input and output`);
  const graph = await graphOf(
    what,
    merged,
    shapes,
    { graph: what, inputs, outputs: results, batch: "batch", length: "length" },
    { opset, half: weights === "f16" },
  );
  const proto: ModelProto = {
    irVersion: FORMATS.get(opset)!,
    producerName: "anneal",
    opsetImport: [{ domain: "", version: opset }],
    graph,
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  };
  return {
    inputs,
    outputs: results,
    operators: graph.node.map((node) => node.opType),
    bytes: () => encodeModel(proto),
    save: (path) => saveModel(path, proto, externalData),
  };
}

function namesFor(kind: string, n: number, given: readonly (string | null)[] | undefined, what: string): string[] {
  if (given !== undefined && given.length !== n) {
    throw new ConfigError(
      `Cannot export ${what} to ONNX with ${kind}Names ${given.join(", ")}: it has ${n} ${kind}${n === 1 ? "" : "s"}`,
    );
  }
  const names = Array.from({ length: n }, (_, i) => given?.[i] ?? (n === 1 ? kind : `${kind}_${i}`));
  const twice = names.find((name, i) => name === "" || names.indexOf(name) < i);
  if (twice !== undefined) {
    throw new ConfigError(
      `Cannot export ${what} to ONNX with ${kind}Names ${names.join(", ")}: each has a name of its own`,
    );
  }
  return names;
}

/** Batches that show what depends on the number of items, and on their length: the last one says whether it is so. */
function batchesFor(own: Batch, free: boolean): Batch[] {
  if (!free) return [2, 3, 5].map((items) => ({ items, length: own.length }));
  // shorter ones where there are: a longest one may be all that the model takes
  const [t0, t1, t2] = own.length > 4
    ? [own.length, own.length - 1, own.length - 3]
    : [own.length, own.length + 1, own.length + 3];
  return [[2, t0], [3, t0], [2, t1], [3, t1], [5, t2]].map(([items, length]) => ({ items, length }));
}

async function traced(
  model: AnyModule,
  example: readonly Tensor[],
  forward: (...inputs: Tensor[]) => unknown,
  { dynamicBatch, lengthAxis }: { readonly dynamicBatch: boolean; readonly lengthAxis: number | undefined },
) {
  const what = model.constructor.name;
  const scalar = example.find((x) => dynamicBatch && x.shape.length === 0);
  const empty = example.find((x) => x.shape[0] === 0);
  if (scalar !== undefined || empty !== undefined) {
    throw new ConfigError(
      `Cannot export ${what} to ONNX with an example of shape ${fmtShape((scalar ?? empty)!.shape)}: ` +
        "it has at least one item, along its first axis",
    );
  }
  const data: TensorData[] = [];
  for (const x of example) data.push(await x.data());
  const axis = lengthAxis ?? Infinity, long = example.filter((x) => axis < x.shape.length);
  const lengths = new Set(long.map((x) => x.shape[axis]));
  if (lengthAxis !== undefined && (!dynamicBatch || lengths.size !== 1 || lengths.has(0))) {
    throw new ConfigError(
      `Cannot export ${what} to ONNX with lengthAxis ${lengthAxis}: ` +
        (dynamicBatch ? "inputs that have this axis have one size there, above 0" : "it is for batches of any size"),
    );
  }
  const own = { items: example[0].shape[0] ?? 1, length: [...lengths][0] ?? 1 };
  const batches = dynamicBatch ? batchesFor(own, lengthAxis !== undefined) : [own, own]; // twice: what differs is no constant
  const named = new Map<string, Tensor>([...model.namedParameters(), ...model.namedBuffers()]);
  const modes = evaluating(model);
  let outputs: (string | null)[] = [];
  const traces: Trace[] = [];
  try {
    for (const batch of batches) {
      forgetState(model);
      const inputs = example.map((x, i) => dynamicBatch ? resized(x, data[i], batch, axis) : copied(x, data[i]));
      traces.push(traceOne(what, inputs, named, () => {
        const found = tensorsIn(forward(...inputs), what);
        outputs = found.map(([name]) => name);
        return found.map(([, t]) => t);
      }, dynamicBatch && traces.length > 0));
    }
  } finally {
    modes();
    forgetState(model);
  }
  const shapes = example.map(({ shape, dtype }) => ({
    dtype,
    dims: shape.map((n, a): Dim => dynamicBatch && a === 0 ? ITEMS : a === axis ? LENGTH : fixed(n)),
  }));
  return { trace: await merge(what, traces, batches), shapes, outputs };
}

/** Encoders of texts that go on where the batch before ended begin anew: a file has no state. */
function forgetState(model: AnyModule): void {
  for (const m of model.modules()) {
    const encoder = m as AnyModule & { readonly carriesState?: unknown; reset?: unknown };
    if (encoder.carriesState === true && typeof encoder.reset === "function") encoder.reset();
  }
}

function traceOne(
  what: string,
  inputs: readonly Tensor[],
  named: ReadonlyMap<string, Tensor>,
  body: () => Tensor[],
  again: boolean,
): Trace {
  try {
    return trace(inputs, named, body);
  } catch (cause) {
    if (!again || !(cause instanceof AnnealError)) throw cause;
    throw new ConfigError(
      `Cannot export ${what} for any number of items: with inputs of ${
        inputs.map((x) => fmtShape(x.shape)).join(", ")
      } it fails, ${cause.message}; give { dynamicBatch: false }, or no { lengthAxis }`,
      { cause },
    );
  }
}

function copied({ shape, dtype }: Tensor, data: TensorData): Tensor {
  return tensor(data.slice(), { shape: [...shape], dtype });
}

/** Items of the example again and again, and along `axis` its elements, until there are as many as a batch has. */
function resized({ shape, dtype }: Tensor, data: TensorData, { items, length }: Batch, axis: number): Tensor {
  const sizes = shape.map((n, a) => a === 0 ? items : a === axis ? length : n);
  const rows = new (data.constructor as new (length: number) => TensorData)(sizeOf(sizes));
  for (let i = 0; i < rows.length; i++) {
    let from = 0, step = 1, rest = i;
    for (let a = sizes.length - 1; a >= 0; a--) {
      from += (rest % sizes[a]) % shape[a] * step;
      step *= shape[a];
      rest = Math.floor(rest / sizes[a]);
    }
    rows[i] = data[from];
  }
  return tensor(rows, { shape: sizes, dtype });
}

/** The tensors of a result, of nested arrays and objects in order, with the names that objects give them. */
function tensorsIn(result: unknown, what: string): [string | null, Tensor][] {
  const found: [string | null, Tensor][] = [];
  const look = (name: string | null, value: unknown): boolean => {
    if (value instanceof Tensor) return found.push([name, value]) > 0;
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return false;
    if (Array.isArray(value)) return value.every((v, i) => look(name === null ? null : `${name}_${i}`, v));
    return Object.entries(value).every(([key, v]) => look(name === null ? key : `${name}_${key}`, v));
  };
  if (look(null, result) && found.length > 0) return found;
  throw new ConfigError(
    `Cannot export ${what} to ONNX: its forward gives no tensor, and no array or object of nothing but tensors`,
  );
}
