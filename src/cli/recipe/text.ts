/**
 * Texts of a recipe: their data, and learners for them.
 *
 * @module
 */
import { isAbsolute, join, resolve } from "../../base/path.ts";
import { ConfigError } from "../../base/errors.ts";
import type { Batch, DataLoaders } from "../../data/mod.ts";
import type { Learner } from "../../learner/mod.ts";
import type { TextArch } from "../../text/architecture.ts";
import { TextDataLoaders } from "../../text/data/text_loaders.ts";
import { languageModelLearner, textClassifierLearner } from "../../text/learner.ts";
import { awdLstm } from "../../text/models/awd_lstm.ts";
import { bertModel } from "../../text/models/bert.ts";
import { gptModel } from "../../text/models/gpt.ts";
import { Tokenizer } from "../../text/tokenizer.ts";
import type { TrainLoopOptions } from "../../train/mod.ts";
import type { RecipeData } from "./data.ts";
import type { Recipe } from "./schema.ts";

type Data = Extract<Recipe["data"], { kind: "text" }>;
type Spec = Recipe["model"];

/** Models for texts, by name. */
const TEXT_MODELS = ["awdLstm", "gpt", "bert"] as const;

/** Whether a model is for texts. */
export function isTextModel(spec: Spec): spec is Extract<Spec, { kind: typeof TEXT_MODELS[number] }> {
  return (TEXT_MODELS as readonly string[]).includes(spec.kind);
}

async function tokenizerOf(name: string, path: (file: string) => string): Promise<Tokenizer> {
  return name === "words"
    ? Tokenizer.words()
    : name === "chars"
    ? Tokenizer.chars()
    : await Tokenizer.fromFile(path(name));
}

/** Reads texts: a table's column, or files of a folder. */
export async function loadTexts(spec: Data, path: (file: string) => string, seed: number): Promise<RecipeData> {
  const { kind: _, file, path: folder, text, label, tokenizer = "words", validPct, encoding, ...rest } = spec;
  if ((file === undefined) === (folder === undefined)) {
    throw new ConfigError("Cannot load texts: give either data.file, a table, or data.path, a folder of .txt files");
  }
  const options = {
    ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)),
    ...(validPct === undefined ? {} : { validPct }),
    ...(encoding === undefined ? {} : { encoding }),
    tokenizer: await tokenizerOf(tokenizer, path),
    seed,
  };
  const dls = file !== undefined
    ? await TextDataLoaders.fromCsv(path(file), {
      ...options,
      ...(text === undefined ? {} : { text }),
      ...(label === undefined ? {} : { label }),
    })
    : await TextDataLoaders.fromFolder(path(folder!), options);
  return {
    dls: dls as unknown as DataLoaders<Batch>,
    input: [dls.seqLen],
    outputs: dls.c,
    vocab: dls.vocab.map(String),
    text: dls,
  };
}

/** The learner of a recipe of texts. */
export async function textLearner(
  spec: Spec,
  data: RecipeData,
  { folder, ...options }: Omit<TrainLoopOptions<never>, "splitter"> & { readonly folder: string },
): Promise<Learner> {
  const { text: dls } = data;
  if (dls === undefined || !isTextModel(spec)) {
    throw new ConfigError(
      dls === undefined
        ? `Cannot train a model of kind ${spec.kind}: it takes data of kind text`
        : `Cannot train a model of kind ${spec.kind} on texts: take ${TEXT_MODELS.join(", ")}`,
    );
  }
  const path = (file: string) => isAbsolute(file) ? file : resolve(join(folder, file));
  const { kind, dropMult, ...given } = spec;
  const sizes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const paths = Object.fromEntries(
    Object.entries(sizes).map(([name, value]) => [name, typeof value === "string" ? path(value) : value]),
  );
  const arch: TextArch = kind === "awdLstm" ? awdLstm.with(sizes) : kind === "gpt" ? gptModel(sizes) : bertModel(paths);
  const all = { ...options, ...(dropMult === undefined ? {} : { dropMult }) };
  const learn: unknown = dls.isLm
    ? await languageModelLearner(dls, arch, all)
    : await textClassifierLearner(dls, arch, all);
  return learn as Learner;
}
