/**
 * What can be done with a recipe without training, and with a run after it.
 *
 * @module
 */
import { dirname, join, resolve } from "../base/path.ts";
import { ConfigError, DataError } from "../base/errors.ts";
import { ArrayDataLoaders, type Batch, type DataLoader, TabularDataLoaders } from "../data/mod.ts";
import { writtenFormat } from "../data/table_text.ts";
import { minimum, type PredictInput, slide, steep, valley } from "../fit/mod.ts";
import type { Learner } from "../learner/mod.ts";
import { refuseEnding } from "../fit/model_path.ts";
import { classesOf } from "../fit/predict.ts";
import { type Tensor, zeros } from "../tensor/mod.ts";
import { LmLearner } from "../text/learner.ts";
import type { GenerateOptions } from "../text/generate_options.ts";
import { readText } from "../text/data/text_files.ts";
import { TextDataLoaders } from "../text/data/text_loaders.ts";
import type { Logger } from "../train/mod.ts";
import { loadLearner } from "../load/load_learner.ts";
import { openDevice } from "./environment.ts";
import { figureOfRecord } from "./record.ts";
import { ARRAY_FILE, openArrays } from "./recipe/array_file.ts";
import { ownModel } from "./recipe/model.ts";
import type { Recipe } from "./recipe/schema.ts";
import { exists, makeFolder, MODEL, openRun, readRecipe, type RunFolder } from "./run_folder.ts";
import { dataFacts, prepare } from "./train.ts";

/** What the finder suggests. */
export interface Suggested {
  readonly suggestions: Readonly<Record<string, number | null>>;
  readonly reasons: Readonly<Record<string, string>>;
}

/** Runs the learning-rate finder on a recipe and draws its curve. */
export async function lrFindRecipe(
  file: string,
  set: readonly string[],
  out: string,
  logger: Logger,
): Promise<Suggested> {
  const recipe = await readRecipe(file, set);
  const { learn } = await prepare(recipe, join(file, ".."), ".", logger);
  const funcs = { valley, slide, minimum, steep };
  const found = await learn.lrFind({ suggestFuncs: funcs });
  await learn.recorder.plotLrFind().save(out);
  return {
    suggestions: Object.fromEntries(Object.keys(funcs).map((name) => [name, found[name]])),
    reasons: { ...found.reasons },
  };
}

/** The model that a run left, with all that predictions need: no data is read. */
async function trained(out: string, logger: Logger): Promise<{ learn: Learner; run: RunFolder }> {
  const run = await openRun(out);
  const { recipe, facts } = run;
  await openDevice(recipe.device);
  const file = join(out, MODEL);
  if (!await exists(file)) {
    throw new ConfigError(`Cannot use the run ${out}: it has not finished; go on with it by "anneal resume ${out}"`);
  }
  const model = recipe.model.kind === "module" ? { model: await ownModel(recipe.model, facts.data, facts.folder) } : {};
  return { learn: await loadLearner(file, { ...model, logger }), run };
}

/** The model that a run left, with the data that it was trained on; refused where they are not the same any more. */
async function withData({ out, recipe, facts }: RunFolder, logger: Logger): Promise<Learner> {
  const { data, learn } = await prepare(recipe, facts.folder, out, logger);
  const now = (await dataFacts(data)).fingerprint, then = facts.data.fingerprint;
  const differ = [...new Set([...Object.keys(then), ...Object.keys(now)])].filter((name) => then[name] !== now[name]);
  if (differ.length > 0) {
    const told = differ.slice(0, 3).map((n) => `${n} was ${then[n] ?? "absent"} and is ${now[n] ?? "absent"}`).join(
      "; ",
    );
    throw new DataError(
      `Cannot measure the run ${out} on its validation set: the data have changed since training, so that items trained ` +
        `on may be among those measured: ${told}. Put them back as they were, or predict for files with "anneal predict"`,
    );
  }
  await learn.load(resolve(out, MODEL), { withOpt: false });
  return learn;
}

/** Loss and metrics of a run's model on its validation set. */
export async function validateRun(out: string, logger: Logger): Promise<Record<string, number | string | null>> {
  const { run } = await trained(out, logger);
  const learn = await withData(run, logger);
  const values = await learn.validate();
  const names = ["valid_loss", ...learn.metrics.map((metric) => metric.name)];
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? null]));
}

/** What a model makes of one input. */
export interface PredictionLine {
  readonly input: string;
  readonly prediction: string | number | readonly number[];
  /** Of the class, where there are classes. */
  readonly probability?: number;
}

/** An input that cannot be predicted for, and why. */
export interface FailedLine {
  readonly input: string;
  readonly error: string;
}

/**
 * Predicts for image files, for the rows of a table's file, for the items of a file of arrays, for the row that
 * `column=value` pairs give, or for items of the validation set. Data are read for the last of these alone. An input that
 * cannot be read does not stop the others.
 */
export async function predictRun(
  out: string,
  inputs: readonly string[],
  items: readonly string[],
  logger: Logger,
  form: Readonly<Record<string, unknown>> = {},
  target?: string,
): Promise<readonly (PredictionLine | FailedLine)[]> {
  if (target !== undefined) writtenFormat(target); // refused before the work
  if (inputs.length + items.length === 0) {
    throw new ConfigError(
      "Cannot predict: give image files, a table's file, a file of arrays, column=value pairs, or --item with a number",
    );
  }
  const { learn, run } = await trained(out, logger);
  if (Object.keys(form).length > 0 && !((learn.dls as unknown) instanceof TabularDataLoaders)) {
    throw new ConfigError(
      `Cannot predict with --form: it says how tables are written, the data is of kind ${run.recipe.data.kind}`,
    );
  }
  const lines: (PredictionLine | FailedLine)[] = [];
  if (items.length > 0) {
    const { dls } = await withData(run, logger);
    for (const item of items) lines.push(await line(learn, `item ${item}`, await validItem(dls, item)));
  }
  if (inputs.length === 0) return lines;
  const dls: unknown = learn.dls;
  const pairs = dls instanceof TabularDataLoaders && inputs.some((input) => input.includes("="));
  if (pairs) return [...lines, await line(learn, inputs.join(" "), [rowOf(inputs)])];
  if ((dls as object) instanceof TextDataLoaders) {
    if ((dls as TextDataLoaders).isLm) {
      throw new ConfigError(
        `Cannot predict with a language model: it writes on, as in anneal generate ${out} "Call me"`,
      );
    }
    for (const given of inputs) {
      const source = await exists(given) && !await isFolder(given) ? await readText(given) : given;
      lines.push(await line(learn, given, [source]));
    }
    return lines;
  }
  for (const file of inputs) {
    try {
      lines.push(...await fileLines(learn, run, file, form));
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      lines.push({ input: file, error: error.message });
    }
  }
  return lines;
}

/** What a language model writes after a text. */
export async function generateText(
  out: string,
  start: string,
  { n, ...options }: GenerateOptions & { readonly n: number },
  logger: Logger,
): Promise<string> {
  const { learn, run } = await trained(out, logger), model: unknown = learn;
  if (model instanceof LmLearner) return await model.predict(start, n, options);
  throw new ConfigError(
    `Cannot write on with the run ${out}: it has no language model, data of kind ${run.recipe.data.kind} need isLm: true`,
  );
}

function rowOf(pairs: readonly string[]): Record<string, string> {
  const names = pairs.map((pair) => pair.split("=")[0]), twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) {
    throw new ConfigError(
      `Cannot predict for ${pairs.join(" ")}: column ${twice} is given twice; one command is one row`,
    );
  }
  return Object.fromEntries(pairs.map((pair) => {
    const at = pair.indexOf("=");
    if (at < 1) throw new ConfigError(`Cannot predict for ${pair}: a table's row is given as column=value pairs`);
    return [pair.slice(0, at), pair.slice(at + 1)];
  }));
}

async function isFolder(path: string): Promise<boolean> {
  return await exists(path) && (await Deno.stat(path)).isDirectory;
}

/** Predictions for what is in a file. */
async function fileLines(
  learn: Learner,
  { recipe }: RunFolder,
  file: string,
  form: Readonly<Record<string, unknown>>,
): Promise<PredictionLine[]> {
  const { ImageDataLoaders } = await import("../vision/data/mod.ts");
  const dls: unknown = learn.dls;
  if (dls instanceof ImageDataLoaders) {
    if (await isFolder(file)) {
      throw new DataError(`Cannot predict for ${file}: it is a folder; give its images, as in ${join(file, "*")}`);
    }
    return [await line(learn, file, [file])];
  }
  if (dls instanceof TabularDataLoaders) {
    return await manyLines(learn, await tableRows(dls, recipe, file, form), (r) => `${file} row ${r + 1}`);
  }
  if (dls instanceof ArrayDataLoaders && ARRAY_FILE.test(file)) {
    return await arrayLines(learn, dls, file, recipe);
  }
  throw new ConfigError(
    `Cannot predict for ${file}: data of kind ${recipe.data.kind} takes ${
      dls instanceof ArrayDataLoaders ? "a .safetensors, .npz or .npy file, or " : ""
    }--item with a number`,
  );
}

/** Rows of a file; what is wrong with how it is written is told with the option of the command line that settles it. */
async function tableRows(
  dls: TabularDataLoaders,
  { data }: Recipe,
  file: string,
  form: Readonly<Record<string, unknown>>,
): Promise<DataLoader<Batch>> {
  const kind = data.kind === "csv" ? { format: "csv" as const } : {};
  try {
    return await dls.testTable(file, { ...kind, ...form });
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    throw new DataError(
      `${cause.message}; here options are given as in --form decimal=, --form delimiter=";"`,
      { cause },
    );
  }
}

/** Predictions for the items of an array, which is named as that of training, or is the only one. */
async function arrayLines(
  learn: Learner,
  dls: ArrayDataLoaders,
  path: string,
  { data }: Recipe,
): Promise<PredictionLine[]> {
  const file = await openArrays(path);
  const wanted = data.kind === "arrays" ? data.x ?? "x" : "x";
  const name = file.names.includes(wanted) || file.names.length !== 1 ? wanted : file.names[0];
  if (!file.names.includes(name)) {
    throw new DataError(`Cannot read ${name} of ${path}: it holds ${file.names.join(", ") || "nothing"}`);
  }
  const x = await file.tensor(name);
  return await manyLines(learn, inFile(path, () => dls.testDl(x, { bs: 256 })), (r) => `${path} item ${r}`);
}

/** One line for each item of a loader. */
async function manyLines(
  learn: Learner,
  dl: DataLoader<Batch>,
  nameOf: (item: number) => string,
): Promise<PredictionLine[]> {
  const { preds, decoded } = await learn.getPreds({ dl, withDecoded: true });
  const values = await preds.data(), best = await decoded!.data(), n = preds.shape[0];
  const width = values.length / n, decided = best.length / n;
  return Array.from({ length: n }, (_, r) => {
    const own = [...values.subarray(r * width, (r + 1) * width)];
    return told(learn, nameOf(r), own, decided === 1 && decoded!.dtype === "i32" ? best[r] : null);
  });
}

/** Lets errors about what is in a file name the file. */
function inFile<T>(file: string, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    if (cause instanceof DataError) throw new DataError(`Cannot predict for ${file}: ${cause.message}`, { cause });
    throw cause;
  }
}

/** The inputs of one item of the validation set, without the batch axis. */
async function validItem({ valid, nInp }: Learner["dls"], text: string): Promise<Tensor[]> {
  const wanted = Number(text);
  let at = 0;
  for await (const batch of valid) {
    const rows = batch[0].shape[0];
    if (Number.isInteger(wanted) && wanted >= at && wanted < at + rows) {
      const first = wanted - at;
      return batch.slice(0, nInp ?? batch.length - 1).map((t) =>
        t.slice([[first, first + 1]]).reshape(t.shape.slice(1))
      );
    }
    at += rows;
  }
  throw new DataError(`Cannot predict for item ${text}: the validation set has items 0 to ${at - 1}`);
}

async function line(learn: Learner, input: string, item: readonly PredictInput[]): Promise<PredictionLine> {
  const { decoded, pred } = await learn.predict(...item);
  const decided = decoded.size === 1 && decoded.dtype === "i32" ? await decoded.item() : null;
  return told(learn, input, [...await pred.data()], decided);
}

/** A prediction in words: a class with its probability, or values. */
function told(learn: Learner, input: string, values: readonly number[], decided: number | null): PredictionLine {
  if (decided === null) return { input, prediction: values.length === 1 ? values[0] : values };
  const label = classesOf(learn.dls)?.[decided] ?? decided;
  return { input, prediction: String(label), probability: values[decided] };
}

/** Draws losses or schedule of a run again: into a file, or as text. */
export async function plotRun(out: string, what: string, picture: string | undefined): Promise<string> {
  if (what !== "losses" && what !== "schedule") {
    throw new ConfigError(`Cannot plot ${what}: --what is losses or schedule`);
  }
  const figure = await figureOfRecord(join(out, "recorder.json"), what);
  if (picture === undefined) return figure.text();
  await figure.save(picture);
  return `Written to ${picture}`;
}

/** How {@link exportRun} writes a model. */
export interface ExportRunOptions {
  /** As ONNX; by default where the target ends in `.onnx`. */
  readonly onnx?: boolean;
  /** As a repository of Hugging Face's hub. */
  readonly hub?: boolean;
  /** Version of ONNX's operators. */
  readonly opset?: string;
  readonly normalize?: boolean;
  readonly activation?: boolean;
}

/**
 * Writes the trained model with all that predictions need, as `loadLearner` reads it: a folder's `model.safetensors`, or a
 * file of that ending; or as ONNX: a folder's `model.onnx`, or a file of that ending; or as a repository of Hugging Face's
 * hub.
 */
export async function exportRun(
  out: string,
  target: string,
  options: ExportRunOptions,
  logger: Logger,
): Promise<string[]> {
  const { opset, normalize, activation } = options;
  const ending = target.endsWith(".onnx"), onnx = options.onnx ?? ending;
  const given = Object.entries({ opset, normalize, activation }).find(([, value]) => value !== undefined);
  if (!onnx && given !== undefined) {
    throw new ConfigError(`Cannot export ${out} with --${given[0]}: it is an option of --onnx`);
  }
  if (options.hub === true && (onnx || target.endsWith(".safetensors"))) {
    throw new ConfigError(
      `Cannot export ${out} to ${target} with --hub: it writes a folder of weights and config.json`,
    );
  }
  if (!onnx) refuseEnding("export a model as", target);
  const { learn, run } = await trained(out, logger); // refuses what cannot be read
  if (options.hub === true) {
    await makeFolder(target);
    return [...await learn.exportHub(resolve(target))];
  }
  if (onnx) {
    const file = resolve(ending ? target : join(target, "model.onnx"));
    await makeFolder(dirname(file));
    const { input } = run.facts.data;
    const example = learn.dls.inputsJson().kind === "tensors" ? { example: zeros([1, ...input]) } : {};
    return [
      await learn.export(file, {
        ...example,
        ...(opset === undefined ? {} : { opset: Number(opset) }),
        ...(normalize === undefined ? {} : { normalize }),
        ...(activation === undefined ? {} : { activation }),
      }),
    ];
  }
  const file = target.endsWith(".safetensors") ? target : join(target, MODEL);
  await makeFolder(dirname(file));
  await Deno.copyFile(join(out, MODEL), file);
  return [file];
}
