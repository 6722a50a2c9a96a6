/**
 * A training and a validation loader together.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import {
  checkArgument,
  checkOptions,
  either,
  flag,
  instanceOf,
  num,
  objectWith,
  oneOf,
  type OptionTable,
  other,
  pathText,
  texts,
} from "../base/options.ts";
import { fmtShape, sameShape } from "../base/shape.ts";
import { type Dtype, Tensor } from "../tensor/mod.ts";
import { type ArrayData, toTensor } from "./dataset.ts";
import type { FromCsvOptions, FromTableOptions } from "./from_table.ts";
import { DataLoader } from "./loader.ts";
import type { Batch, Column } from "./loader_options.ts";
import type { TableSource } from "./read_table.ts";
import type { TabularDataLoaders } from "./tabular.ts";
import type { TabularSchema } from "./tabular_schema.ts";

/** Inputs and targets, of training and validation. */
export interface Arrays {
  /** Inputs, `[items, ...]`. */
  readonly x: ArrayData;
  /** Targets, `[items, ...]`: whole numbers for classes, f32 for values. */
  readonly y: ArrayData;
  /** Inputs of validation; by default there is none. */
  readonly xValid?: ArrayData;
  /** Targets of validation. */
  readonly yValid?: ArrayData;
}

const anArray = other<ArrayData>(
  "a tensor, nested numbers or { data, shape }",
  (v) => Array.isArray(v) || v instanceof Tensor || typeof v === "object" && v !== null && "data" in v && "shape" in v,
);
const ARRAYS: OptionTable<Arrays> = { x: anArray, y: anArray, xValid: anArray, yValid: anArray };

/** Options of {@link DataLoaders.fromArrays}. */
export interface FromArraysOptions {
  /** Items a batch; 64 by default. */
  readonly bs?: number;
  /** Seed of the order; by default the default generator is drawn from, see `setSeed`. */
  readonly seed?: number;
  /** Whether training epochs are shuffled; true by default. */
  readonly shuffle?: boolean;
  /** Whether a last, shorter training batch is left out; false by default. "single": only one of a single item is. */
  readonly dropLast?: boolean | "single";
  /** Scales inputs to mean 0 and deviation 1: with numbers given, or `true` for those of the training set. */
  readonly normalize?: boolean | { readonly mean: number; readonly std: number };
  /** Whether to look for NaN and infinities in f32 data first; false by default. */
  readonly checkFinite?: boolean;
  /** Folder for the learner's files. */
  readonly path?: string;
  /** Names of the classes, in the order of their numbers; predictions are then named. */
  readonly vocab?: readonly string[];
}

/** Options of {@link DataLoaders}. */
export interface DataLoadersOptions {
  /** How many tensors of a batch are inputs; by default all but the last. */
  readonly nInp?: number;
  /** Folder for the learner's files. */
  readonly path?: string;
  /** What the data suggests as loss. */
  readonly lossFunc?: unknown;
  /** How targets in batches came from those of the data. */
  readonly targetScale?: TargetScale;
  /** What was found out or left out while the data was read, for people. */
  readonly notes?: readonly string[];
}

/** Targets in batches are `(y - mean) / std`; learners give predictions and metrics in the unit of `y`. */
export interface TargetScale {
  /** Subtracted from targets. */
  readonly mean: number;
  /** Divided out of targets. */
  readonly std: number;
}

/** How items become inputs: what kind of data, and what was learnt from the training set. */
export type InputsJson =
  | { readonly kind: "tensors"; readonly nInp?: number }
  | ({ readonly kind: "arrays" } & ArrayInputs)
  | { readonly kind: "table"; readonly schema: TabularSchema }
  | { readonly kind: "images" | "text"; readonly [name: string]: unknown };

/** A training and a validation loader. */
export class DataLoaders<B extends Batch = [Tensor, Tensor]> {
  /** Batches to learn from. */
  readonly train: DataLoader<B>;
  /** Batches to measure on; may be empty. */
  readonly valid: DataLoader<B>;
  /** How many tensors of a batch are inputs. */
  readonly nInp: number | undefined;
  /** Folder for the learner's files. */
  readonly path: string | undefined;
  /** What the data suggests as loss. */
  readonly lossFunc: unknown;
  /** How targets in batches came from those of the data; undefined where they are the same. */
  readonly targetScale: TargetScale | undefined;
  /** What was found out or left out while the data was read; a learner tells it when it is made. */
  readonly notes: readonly string[];

  /**
   * Puts two loaders together.
   *
   * @param train Batches to learn from.
   * @param valid Batches to measure on.
   */
  constructor(train: DataLoader<B>, valid: DataLoader<B>, options: DataLoadersOptions = {}) {
    const { nInp, path, lossFunc, targetScale, notes = [] } = checkOptions("make DataLoaders", options, {
      nInp: num,
      path: pathText,
      lossFunc: other("a loss"),
      targetScale: objectWith<TargetScale>("{ mean, std }", "mean", "std"),
      notes: texts,
    });
    for (const [name, dl] of [["train", train], ["valid", valid]] as const) {
      checkArgument(
        "make DataLoaders",
        name,
        dl,
        instanceOf<DataLoader<B>>(DataLoader, "a DataLoader; fromArrays takes arrays"),
      );
    }
    this.train = train;
    this.valid = valid;
    this.nInp = nInp;
    this.path = path;
    this.lossFunc = lossFunc;
    this.targetScale = targetScale;
    this.notes = notes;
  }

  /** Loaders over arrays, which are kept on the device. */
  static fromArrays(arrays: Arrays, options: FromArraysOptions = {}): ArrayDataLoaders {
    checkOptions("load arrays", options, {
      bs: num,
      seed: num,
      shuffle: flag,
      dropLast: either(flag, oneOf("single")),
      normalize: either(
        flag,
        objectWith<{ readonly mean: number; readonly std: number }>("{ mean, std }", "mean", "std"),
      ),
      checkFinite: flag,
      path: pathText,
      vocab: texts,
    });
    const { bs = 64, seed, shuffle = true, dropLast = false, normalize = false, checkFinite = false, path } = options;
    const { vocab } = options;
    checkOptions("load arrays", arrays, ARRAYS);
    for (const name of ["x", "y"] as const) {
      if (arrays[name] === undefined) {
        throw new ConfigError(
          `Cannot load arrays without ${name}: inputs are x, targets y, as in fromArrays({ x, y })`,
        );
      }
    }
    const { x, y } = pair(arrays.x, arrays.y, "x", "y", checkFinite);
    if (x.shape[0] === 0) throw new DataError("Cannot train on x: it has no items");
    if ((arrays.xValid === undefined) !== (arrays.yValid === undefined)) {
      throw new ConfigError("Cannot validate: give both xValid and yValid, or neither");
    }
    const scale = normalize === true ? statistics(x, arrays.x) : normalize === false ? undefined : normalize;
    if (scale && !(scale.std > 0)) throw new DataError(`Cannot normalize x: its standard deviation is ${scale.std}`);
    const columns = (a: Tensor, b: Tensor): Column[] => [
      { tensor: a, float: a.dtype === "u8", ...(scale ? { normalize: scale } : {}) },
      { tensor: b },
    ];
    const train = new DataLoader({
      columns: columns(x, y),
      bs,
      shuffle,
      dropLast,
      ...(seed === undefined ? {} : { seed }),
    });
    const held = arrays.xValid === undefined || arrays.yValid === undefined
      ? { x: empty(x), y: empty(y) }
      : pair(arrays.xValid, arrays.yValid, "xValid", "yValid", checkFinite);
    if (fmtShape(held.x.shape.slice(1)) !== fmtShape(x.shape.slice(1))) {
      throw new DataError(
        `Cannot validate on items of shape ${fmtShape(held.x.shape.slice(1))}: those of x have ${
          fmtShape(x.shape.slice(1))
        }`,
      );
    }
    if (vocab !== undefined) {
      const twice = vocab.find((name, i) => vocab.indexOf(name) < i);
      if (twice !== undefined) throw new ConfigError(`Cannot name two classes "${twice}": vocab names each once`);
      for (const [t, name] of [[y, "y"], [held.y, "yValid"]] as const) checkVocab(t, name, vocab);
    }
    const valid = new DataLoader({ columns: columns(held.x, held.y), bs, seed: 0 });
    const inputs: ArrayInputs = { shape: x.shape.slice(1), dtype: x.dtype, ...(scale ? { normalize: scale } : {}) };
    return new ArrayDataLoaders(train, valid, {
      inputs,
      ...(vocab === undefined ? {} : { vocab }),
      ...(path === undefined ? {} : { path }),
    });
  }

  /**
   * Loaders over a table in a file of separated values, also one that gzip packed: columns of numbers are scaled, missing
   * cells filled with the median, words numbered, a number to predict scaled, all by the training rows alone; the result's
   * `schema` keeps how. For `nn.TabularModel`. See `docs/how_to/tables.md`.
   *
   * @throws DataError Where a cell does not fit its column, or what a column holds cannot be told, with file, line and
   * column.
   */
  static async fromCsv(file: string, options: FromCsvOptions): Promise<TabularDataLoaders> {
    return await (await import("./from_table.ts")).fromCsv(file, options);
  }

  /**
   * Loaders over a table, as {@link DataLoaders.fromCsv} makes them of a file of separated values: of a file of Parquet,
   * Arrow (Feather), JSON lines or separated values, of rows as objects, of columns as arrays, or of a table as read. Where
   * the file says what a column holds, texts are words though they look like numbers, and nothing but null, NaN and an empty
   * text is missing. Only columns that are used are read, where `numeric`, `categorical` or `kinds` say which.
   *
   * @throws DataError As `fromCsv`; where columns hold lists, structures or bytes, with their names.
   */
  static async fromTable(source: TableSource, options: FromTableOptions): Promise<TabularDataLoaders> {
    return await (await import("./from_table.ts")).fromTable(source, options);
  }

  /**
   * How items become inputs, as plain data: what an exported learner keeps of its data, beside the names of the classes.
   */
  inputsJson(): InputsJson {
    return { kind: "tensors", ...(this.nInp === undefined ? {} : { nInp: this.nInp }) };
  }

  /**
   * The inputs of one item as a model takes them, without the batch axis. What an item may be beside tensors, which are
   * taken as batches have them, is said by the kind of data.
   *
   * @throws ConfigError where the item is something else.
   */
  itemInputs(item: readonly unknown[]): readonly Tensor[] | Promise<readonly Tensor[]> {
    if (item.length > 0 && item.every((part) => part instanceof Tensor)) return item;
    throw new ConfigError(
      `Cannot predict: an item of this data is given as ${this.itemForm}, got ${
        item.length === 0 ? "nothing" : item.map(kindOf).join(", ")
      }`,
    );
  }

  /**
   * Validation items as their data has them, for people: a row by column name, an image's path; by default its number.
   *
   * @param at Which items, counted from 0 in the set's order.
   */
  validItems(at: readonly number[]): Promise<readonly unknown[]> {
    return Promise.resolve(at);
  }

  /** What was found out, since the last look, about items to predict for; a learner tells it when it predicts. */
  takeNews(): readonly string[] {
    return [];
  }

  /** In words, how an item to predict for is given. */
  protected get itemForm(): string {
    return "tensors, one an input and without the batch axis";
  }

  /** The first training batch, without moving the loader on. */
  async oneBatch(): Promise<{ xb: Tensor; yb: Tensor; batch: B }> {
    const batch = await this.train.peek();
    if (batch === null) throw new DataError("Cannot take a batch: the training loader has none");
    return { xb: batch[0], yb: batch[batch.length - 1], batch };
  }
}

/** How the items of arrays become inputs. */
export interface ArrayInputs {
  /** Shape of an item. */
  readonly shape: readonly number[];
  /** Type of the array; u8 becomes f32 in batches. */
  readonly dtype: Dtype;
  /** Subtracted, then divided out. */
  readonly normalize?: { readonly mean: number; readonly std: number };
}

/** What {@link ArrayDataLoaders} are made of. */
export interface ArraySetup {
  /** How items become inputs. */
  readonly inputs: ArrayInputs;
  /** Names of the classes, in the order of their numbers. */
  readonly vocab?: readonly string[];
  /** Folder for the learner's files. */
  readonly path?: string;
}

/** Options of {@link ArrayDataLoaders.testDl}. */
export interface TestArraysOptions {
  /** Items a batch; that of validation by default. */
  readonly bs?: number;
}

/** Loaders over arrays: what `DataLoaders.fromArrays` gives. */
export class ArrayDataLoaders extends DataLoaders {
  /** How items become inputs. */
  readonly inputs: ArrayInputs;
  /** Names of the classes; none where they were not given. */
  readonly vocab: readonly string[];

  /**
   * Puts two loaders together.
   *
   * @param train Batches to learn from.
   * @param valid Batches to measure on.
   */
  constructor(train: DataLoader, valid: DataLoader, { inputs, vocab = [], path }: ArraySetup) {
    super(train, valid, path === undefined ? {} : { path });
    this.inputs = inputs;
    this.vocab = [...vocab];
  }

  /**
   * A loader of other inputs, in order, scaled as those of training; its batches have no targets.
   *
   * @param x Inputs, `[items, ...]`, as the arrays of training had them.
   */
  testDl(x: ArrayData, options: TestArraysOptions = {}): DataLoader<Batch> {
    checkOptions("make a loader", options, { bs: num });
    const { bs = this.valid.bs } = options;
    const t = toTensor(x, "x"), { shape, normalize } = this.inputs;
    if (!sameShape(t.shape.slice(1), shape)) {
      throw new DataError(
        `Cannot predict for x: its items have shape ${fmtShape(t.shape.slice(1))}, those of training ${
          fmtShape(shape)
        }`,
      );
    }
    const column = { tensor: t, float: this.inputs.dtype === "u8", ...(normalize === undefined ? {} : { normalize }) };
    return new DataLoader<Batch>({ columns: [column], bs, seed: 0 });
  }

  /** See {@link DataLoaders.itemForm}. */
  protected override get itemForm(): string {
    return `${fmtShape(this.inputs.shape)} numbers: nested, as { data, shape }, or a tensor`;
  }

  /** See {@link DataLoaders.inputsJson}. */
  override inputsJson(): InputsJson {
    return { kind: "arrays", ...this.inputs };
  }

  /** One item as its array had it, `{ data, shape }` or nested numbers, is scaled as in training; a tensor is taken as it is. */
  override async itemInputs(item: readonly unknown[]): Promise<readonly Tensor[]> {
    const [x] = item;
    if (item.length !== 1 || x instanceof Tensor || typeof x !== "object" || x === null) return super.itemInputs(item);
    const one = "data" in x ? { ...x, shape: [1, ...(x as unknown as { shape: number[] }).shape] } : [x];
    const batch = await this.testDl(one as ArrayData).peek();
    return [batch![0].reshape(batch![0].shape.slice(1))];
  }
}

/** A value in a message. */
function kindOf(value: unknown): string {
  if (value instanceof Tensor) return "a tensor";
  return typeof value === "object" && value !== null ? value.constructor?.name ?? "an object" : typeof value;
}

function pair(
  xs: ArrayData,
  ys: ArrayData,
  xName: string,
  yName: string,
  checkFinite: boolean,
): { x: Tensor; y: Tensor } {
  const x = toTensor(xs, xName), y = toTensor(ys, yName);
  if (x.shape[0] !== y.shape[0]) {
    throw new DataError(`Cannot pair ${xName} with ${yName}: they have ${x.shape[0]} and ${y.shape[0]} items`);
  }
  if (checkFinite) {
    refuseNonFinite(x, xName);
    refuseNonFinite(y, yName);
  }
  return { x, y };
}

/** Refuses classes that have no name. */
function checkVocab(t: Tensor, name: string, vocab: readonly string[]): void {
  const host = t.node.storage?.host;
  if (!(host instanceof Int32Array || host instanceof Uint8Array)) return;
  const bad = host.findIndex((label) => label >= vocab.length);
  if (bad < 0) return;
  throw new DataError(
    `Cannot name class ${host[bad]} of ${name}: vocab names ${vocab.length} classes, 0 to ${vocab.length - 1}`,
  );
}

function refuseNonFinite(t: Tensor, name: string): void {
  const host = t.node.storage?.host;
  if (!(host instanceof Float32Array)) return;
  const bad = host.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0) {
    const item = Math.floor(bad / Math.max(1, t.size / t.shape[0]));
    throw new DataError(`Cannot use ${name}: item ${item} holds ${host[bad]}`);
  }
}

function empty(t: Tensor): Tensor {
  return toTensor({ data: new Float32Array(0), shape: [0, ...t.shape.slice(1)] }, "an empty set");
}

/** Mean and standard deviation of all numbers, in f64. */
function statistics(x: Tensor, given: ArrayData): { mean: number; std: number } {
  const data = x.node.storage?.host ?? (given instanceof Tensor || !("data" in given) ? null : given.data);
  if (data === null) {
    throw new ConfigError("Cannot normalize by the data's own numbers: x is on the device, pass { mean, std }");
  }
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += Number(data[i]);
  const mean = sum / data.length;
  let squares = 0;
  for (let i = 0; i < data.length; i++) squares += (Number(data[i]) - mean) ** 2;
  return { mean, std: Math.sqrt(squares / data.length) };
}
