/**
 * The data of a recipe.
 *
 * @module
 */
import { isAbsolute, join, resolve, toFileUrl } from "../../base/path.ts";
import { ConfigError, DataError } from "../../base/errors.ts";
import {
  type ArrayData,
  type Batch,
  DataLoader,
  DataLoaders,
  TabularDataLoaders,
  type TabularSchema,
} from "../../data/mod.ts";
import { loadMnist } from "../../data/mnist.ts";
import { splitOrder } from "../../data/random_split.ts";
import type { HostTensor } from "../../io/safetensors.ts";
import { Rng } from "../../tensor/mod.ts";
import {
  getImageFiles,
  ImageDataLoaders,
  type ImageDataLoadersOptions,
  imagenetStats,
  Normalize,
  Resize,
} from "../../vision/data/mod.ts";
import type { TextDataLoaders } from "../../text/data/text_loaders.ts";
import { openArrays } from "./array_file.ts";
import { isPackageFile, packageFile } from "./package_file.ts";
import type { Recipe } from "./schema.ts";

/** Loaders, and what a model for them must know. */
export interface RecipeData {
  readonly dls: DataLoaders<Batch>;
  /** Shape of an item's input, without the batch axis. */
  readonly input: readonly number[];
  /** Size of the output: the number of classes, or of values. */
  readonly outputs: number;
  /** Names of the classes; none where values are predicted. */
  readonly vocab: readonly string[];
  /** Columns, for tables. */
  readonly table?: TabularSchema;
  /** The loaders again, of texts. */
  readonly text?: TextDataLoaders;
}

type Spec = Recipe["data"];
type Of<K extends Spec["kind"]> = Extract<Spec, { kind: K }>;

/** Reads the data. Paths are relative to `folder`. */
export async function loadData(spec: Spec, folder: string, seed: number): Promise<RecipeData> {
  const path = (file: string) => isAbsolute(file) ? file : resolve(join(folder, file));
  const data = async (file: string) => isPackageFile(file) ? await packageFile(file) : path(file);
  switch (spec.kind) {
    case "mnist":
      return await mnist(spec, seed);
    case "images":
      return await images(spec, path(spec.path), seed);
    case "text":
      return await (await import("./text.ts")).loadTexts(spec, path, seed);
    case "csv":
    case "table":
      return await table(spec, await data(spec.file), seed);
    case "arrays":
      return await arrays(spec, await data(spec.file), seed);
    case "module":
      return await fromModule(spec, path(spec.file));
  }
}

const DIGITS = Array.from({ length: 10 }, (_, i) => String(i));

async function mnist({ bs = 64, items }: Of<"mnist">, seed: number): Promise<RecipeData> {
  const { x, y, xValid, yValid } = await loadMnist();
  const first = (a: typeof x, n: number) => ({
    data: a.data.subarray(0, n * a.data.length / a.shape[0]),
    shape: [n, ...a.shape.slice(1)],
  });
  const n = Math.min(items ?? 60000, 60000), m = Math.min(items ?? 10000, 10000);
  const dls = DataLoaders.fromArrays(
    { x: first(x, n), y: first(y, n), xValid: first(xValid, m), yValid: first(yValid, m) },
    { bs, seed, normalize: true, vocab: DIGITS },
  );
  return { dls: dls as DataLoaders<Batch>, input: [28, 28], outputs: 10, vocab: DIGITS };
}

async function images(spec: Of<"images">, path: string, seed: number): Promise<RecipeData> {
  const { labels = "folder", size, method = "crop", valid, normalize = "imagenet", bs = 64, validPct } = spec;
  const options = {
    bs,
    seed,
    itemTfms: [new Resize(size, { method })],
    batchTfms: normalize === "imagenet" ? [Normalize.fromStats(...imagenetStats)] : [],
  };
  const dls = labels === "folder"
    ? await fromFolders(path, { validPct, valid }, options)
    : await ImageDataLoaders.fromNameRe(path, await getImageFiles(path), pattern(labels.regex), {
      ...options,
      validPct: validPct ?? HELD_OUT,
    });
  const [h, w] = typeof size === "number" ? [size, size] : size;
  const vocab = dls.vocab.map(String);
  return { dls: dls as unknown as DataLoaders<Batch>, input: [3, h, w], outputs: vocab.length, vocab };
}

/** Share of images that are validated on where no folder says which. */
const HELD_OUT = 0.2;

/** Folders named as their class, inside train and valid where there are such, else in the folder itself. */
async function fromFolders(
  path: string,
  { valid, validPct }: { readonly valid: string | undefined; readonly validPct: number | undefined },
  options: ImageDataLoadersOptions,
): Promise<ImageDataLoaders> {
  const isFolder = async (name: string) => (await Deno.stat(join(path, name)).catch(() => null))?.isDirectory === true;
  if (valid !== undefined) return await ImageDataLoaders.fromFolder(path, { ...options, valid });
  if (!await isFolder("train")) {
    return await ImageDataLoaders.fromFolder(path, { ...options, validPct: validPct ?? HELD_OUT });
  }
  for (const name of ["valid", "val", "validation"]) {
    if (!await isFolder(name)) continue;
    if (validPct === undefined) return await ImageDataLoaders.fromFolder(path, { ...options, valid: name });
    throw new ConfigError(
      `Cannot hold out data.validPct ${validPct} of ${path}: it has the folders train and ${name}, which say what is ` +
        "validated on; leave validPct out",
    );
  }
  return await ImageDataLoaders.fromFolder(join(path, "train"), { ...options, validPct: validPct ?? HELD_OUT });
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new ConfigError(`Cannot use data.labels.regex: ${(cause as Error).message}`, { cause });
  }
}

async function table(spec: Of<"csv"> | Of<"table">, file: string, seed: number): Promise<RecipeData> {
  const { kind, file: _, ...options } = spec, all = { ...options, seed };
  return fromTable(await (kind === "csv" ? DataLoaders.fromCsv(file, all) : DataLoaders.fromTable(file, all)));
}

function fromTable(dls: TabularDataLoaders): RecipeData {
  const { schema, vocab } = dls;
  return {
    dls: dls as unknown as DataLoaders<Batch>,
    input: [schema.categorical.length + schema.numeric.length],
    outputs: vocab.length === 0 ? 1 : vocab.length,
    vocab,
    table: schema,
  };
}

async function arrays(spec: Of<"arrays">, path: string, seed: number): Promise<RecipeData> {
  const { x: xName = "x", y: yName = "y", xValid, yValid, validPct = 0.2, normalize = false, bs = 64 } = spec;
  const file = await openArrays(path);
  const read = async (name: string): Promise<HostTensor> => {
    if (!file.names.includes(name)) {
      throw new DataError(`Cannot read ${name} of ${path}: it holds ${file.names.join(", ")}`);
    }
    return await file.tensor(name);
  };
  const pairOf = async (xName: string, yName: string) => {
    const [x, y] = [await read(xName), await read(yName)];
    if (x.shape[0] === y.shape[0]) return { x, y };
    throw new DataError(
      `Cannot pair ${xName} with ${yName} of ${path}: they have ${x.shape[0] ?? "no axis of"} and ${
        y.shape[0] ?? "no axis of"
      } items`,
    );
  };
  const { x, y } = await pairOf(xName, yName);
  if ((xValid === undefined) !== (yValid === undefined)) {
    throw new ConfigError("Cannot validate: give both data.xValid and data.yValid, or neither");
  }
  const given = xValid === undefined || yValid === undefined ? null : await pairOf(xValid, yValid);
  const held = given === null ? split(x, y, validPct, seed) : { x, y, xValid: given.x, yValid: given.y };
  let classes = 0;
  if (y.dtype !== "f32") { for (const v of y.data) classes = Math.max(classes, v + 1); }
  const vocab = Array.from({ length: classes }, (_, i) => String(i));
  const dls = DataLoaders.fromArrays(
    { x: plain(held.x), y: plain(held.y), xValid: plain(held.xValid), yValid: plain(held.yValid) },
    { bs, seed, normalize, vocab, dropLast: "single" }, // batch norm cannot train on one item
  );
  const values = y.shape.length > 1 ? y.shape[1] : 1;
  return { dls: dls as DataLoaders<Batch>, input: x.shape.slice(1), outputs: classes > 0 ? classes : values, vocab };
}

function plain({ data, shape, dtype }: HostTensor): ArrayData {
  return { data, shape, dtype };
}

function split(x: HostTensor, y: HostTensor, validPct: number, seed: number) {
  const { train, valid } = splitOrder(new Rng(seed).permutation(x.shape[0]), validPct);
  const rows = (t: HostTensor, list: Int32Array): HostTensor => {
    const width = t.data.length / t.shape[0];
    const data = t.data.slice(0, list.length * width);
    list.forEach((r, i) => data.set(t.data.subarray(r * width, (r + 1) * width) as Float32Array, i * width));
    return { dtype: t.dtype, shape: [list.length, ...t.shape.slice(1)], data };
  };
  return { x: rows(x, train), y: rows(y, train), xValid: rows(x, valid), yValid: rows(y, valid) };
}

/** What a module exports, called. */
export async function callExport(file: string, name: string, ...args: unknown[]): Promise<unknown> {
  let module: Record<string, unknown>;
  try {
    module = await import(toFileUrl(file).href);
  } catch (cause) {
    throw new ConfigError(`Cannot load ${file}: ${(cause as Error).message}`, { cause });
  }
  const made = module[name];
  if (typeof made !== "function") {
    throw new ConfigError(
      `Cannot use ${file}: it exports no function "${name}", got ${Object.keys(module).join(", ")}`,
    );
  }
  return await made(...args);
}

async function fromModule(spec: Of<"module">, file: string): Promise<RecipeData> {
  const dls = await callExport(file, spec.export ?? "default");
  if (dls instanceof TabularDataLoaders) return fromTable(dls);
  if (!(dls instanceof DataLoaders) || !(dls.train instanceof DataLoader)) {
    throw new ConfigError(`Cannot use ${file} as data: its function must give DataLoaders`);
  }
  const { xb, yb } = await dls.oneBatch();
  const own = (dls as { vocab?: readonly unknown[] }).vocab;
  const vocab = own === undefined ? [] : own.map(String);
  const values = yb.dtype === "f32" ? yb.shape[1] ?? 1 : undefined;
  const outputs = spec.outputs ?? (vocab.length > 0 ? vocab.length : values);
  if (outputs === undefined) {
    throw new ConfigError(`Cannot tell the number of classes of ${file}: give data.outputs`);
  }
  const numbered = vocab.length === 0 && yb.dtype !== "f32"; // classes without names
  const classes = numbered ? Array.from({ length: outputs }, (_, i) => String(i)) : vocab;
  return { dls, input: xb.shape.slice(1), outputs, vocab: classes };
}
