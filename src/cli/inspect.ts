/**
 * What can be done with a recipe without training, and with a run after it.
 *
 * @module
 */
import { join } from "@std/path";
import { ConfigError, DataError } from "../base/errors.ts";
import { type Batch, DataLoader, encodeRow, encodeRows, readCsv, type TabularSchema } from "../data/mod.ts";
import { type Learner, minimum, slide, steep, valley } from "../fit/mod.ts";
import { figureOfRecord } from "./record.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { Logger } from "../train/mod.ts";
import type { RecipeData } from "./recipe/data.ts";
import { openRun, readRecipe } from "./run_folder.ts";
import { prepare } from "./train.ts";

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

async function trained(out: string, logger: Logger): Promise<{ data: RecipeData; learn: Learner; kind: string }> {
  const { recipe, facts } = await openRun(out);
  const { data, learn } = await prepare(recipe, facts.folder, out, logger);
  await learn.load("model", { withOpt: false });
  return { data, learn, kind: recipe.data.kind };
}

/** Loss and metrics of a run's model on its validation set. */
export async function validateRun(out: string, logger: Logger): Promise<Record<string, number | string | null>> {
  const { learn } = await trained(out, logger);
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

/** Predicts for image files, for the rows of a table's `.csv`, for the row that `column=value` pairs give, or for items of the validation set. */
export async function predictRun(
  out: string,
  inputs: readonly string[],
  items: readonly string[],
  logger: Logger,
): Promise<PredictionLine[]> {
  if (inputs.length + items.length === 0) {
    throw new ConfigError("Cannot predict: give image files, column=value pairs, or --item with a number");
  }
  const { data, learn, kind } = await trained(out, logger);
  const lines: PredictionLine[] = [];
  for (const item of items) lines.push(await line(learn, data, `item ${item}`, await validItem(learn, item)));
  if (inputs.length === 0) return lines;
  if (data.table !== undefined && inputs.every((input) => input.endsWith(".csv"))) {
    for (const file of inputs) lines.push(...await tableLines(learn, data, data.table, file));
  } else if (data.table !== undefined) {
    const row = Object.fromEntries(inputs.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new ConfigError(`Cannot predict for ${pair}: a table's row is given as column=value pairs`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }));
    lines.push(await line(learn, data, inputs.join(" "), encodeRow(data.table, row)));
  } else if (kind === "images") {
    for (const file of inputs) lines.push(await line(learn, data, file, await imageItem(learn, file)));
  } else throw new ConfigError(`Cannot predict for ${inputs[0]}: data of kind ${kind} takes --item with a number`);
  return lines;
}

/** Predictions for all rows of a file, which has the columns that the model was trained on, in any order. */
async function tableLines(
  learn: Learner,
  data: RecipeData,
  schema: TabularSchema,
  file: string,
): Promise<PredictionLine[]> {
  const { columns, rows: n } = await readCsv(file);
  const lacking = [...schema.numeric.map(({ name }) => name), ...schema.categorical.map(({ name }) => name)]
    .filter((name) => !columns.has(name) && !(name.endsWith("_na") && columns.has(name.slice(0, -3))));
  if (lacking.length > 0) throw new DataError(`Cannot predict for ${file}: it has no column ${lacking.join(", ")}`);
  const rows = Array.from(
    { length: n },
    (_, r) => Object.fromEntries([...columns].map(([name, { texts, codes }]) => [name, texts[codes[r]]])),
  );
  const [words, numbers] = inFile(file, () => encodeRows(schema, rows));
  const dl = new DataLoader<Batch>({ columns: [{ tensor: words }, { tensor: numbers }], bs: 256 });
  const { preds, decoded } = await learn.getPreds({ dl, withDecoded: true });
  const values = await preds.data(), best = await decoded!.data(), width = values.length / n;
  return rows.map((_, r): PredictionLine => {
    const input = `${file} row ${r + 1}`, own = values.subarray(r * width, (r + 1) * width);
    if (data.vocab.length === 0) return { input, prediction: width === 1 ? own[0] : [...own] };
    return { input, prediction: data.vocab[best[r]] ?? String(best[r]), probability: own[best[r]] };
  });
}

/** Lets errors about rows name the file. */
function inFile<T>(file: string, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    if (cause instanceof DataError) throw new DataError(`Cannot predict for ${file}: ${cause.message}`, { cause });
    throw cause;
  }
}

/** The inputs of one item of the validation set, without the batch axis. */
async function validItem(learn: Learner, text: string): Promise<Tensor[]> {
  const wanted = Number(text);
  let at = 0;
  for await (const batch of learn.dls.valid) {
    const rows = batch[0].shape[0];
    if (Number.isInteger(wanted) && wanted >= at && wanted < at + rows) {
      const nInp = learn.dls.nInp ?? batch.length - 1;
      const first = wanted - at;
      return batch.slice(0, nInp).map((t) => t.slice([[first, first + 1]]).reshape(t.shape.slice(1)));
    }
    at += rows;
  }
  throw new DataError(`Cannot predict for item ${text}: the validation set has items 0 to ${at - 1}`);
}

async function imageItem(learn: Learner, file: string): Promise<Tensor[]> {
  const { ImageDataLoaders } = await import("../vision/data/mod.ts");
  const dls: unknown = learn.dls;
  if (!(dls instanceof ImageDataLoaders)) throw new ConfigError(`Cannot predict for ${file}: the data has no images`);
  const batch = await dls.testDl([file]).peek();
  if (batch === null) throw new DataError(`Cannot predict for ${file}: it gives no image`);
  return [batch[0].reshape(batch[0].shape.slice(1))];
}

async function line(learn: Learner, data: RecipeData, input: string, item: Tensor[]): Promise<PredictionLine> {
  const { decoded, pred } = await learn.predict(...item);
  const values = await pred.data();
  if (data.vocab.length === 0) return { input, prediction: values.length === 1 ? values[0] : [...values] };
  const best = await decoded.item();
  return { input, prediction: data.vocab[best] ?? String(best), probability: values[best] };
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

/** Writes weights as safetensors, and as JSON what the model is and how inputs and classes are to be read. */
export async function exportRun(out: string, folder: string, logger: Logger): Promise<string[]> {
  const { recipe } = await openRun(out);
  const { data, learn } = await trained(out, logger);
  const { resolve } = await import("@std/path");
  learn.path = resolve(folder);
  await Deno.mkdir(folder, { recursive: true });
  const weights = await learn.save("model", { withOpt: false });
  const json = join(folder, "model.json");
  const { input, outputs, vocab, table } = data;
  const text = {
    format: 1,
    model: recipe.model,
    data: recipe.data,
    input,
    outputs,
    vocab,
    ...(table ? { table } : {}),
  };
  await Deno.writeTextFile(json, JSON.stringify(text, null, 2) + "\n");
  return [weights, json];
}
