/**
 * Weights and configurations as Hugging Face's libraries write them.
 *
 * @module
 */
import { fromFileUrl } from "../base/path.ts";
import { CheckpointError, ConfigError, DataError } from "../base/errors.ts";
import { files, isMissing } from "../base/host_files.ts";
import { fmtShape, sameShape } from "../base/shape.ts";
import { openSafetensors, type SafetensorsFile } from "../io/safetensors.ts";
import { readTensors } from "../io/tensors.ts";
import type { AnyModule } from "../nn/mod.ts";

/** A path, or a `file:` address. */
export type FileSource = string | URL;

/** A `config.json`: its path, or what is in it. */
export type ConfigSource = FileSource | Readonly<Record<string, unknown>>;

/** The path of a file. */
export function pathOf(source: FileSource): string {
  const address = String(source);
  if (address.startsWith("file:")) return fromFileUrl(address);
  if (/^\w\w+:/.test(address)) {
    throw new ConfigError(`Cannot read ${address}: weights are a file on this machine, fetchCached() gets it there`);
  }
  return address;
}

/** A configuration, each value checked where it is taken out. */
export class HubConfig {
  constructor(readonly values: Readonly<Record<string, unknown>>, readonly where: string) {}

  /** Reads a configuration; that beside the weights where only they are given. Null where there is neither. */
  static async read(config: ConfigSource | undefined, weights: FileSource | undefined): Promise<HubConfig | null> {
    if (typeof config === "object" && !(config instanceof URL)) return new HubConfig(config, "the configuration");
    if (config === undefined && weights === undefined) return null;
    const path = config === undefined ? pathOf(weights!).replace(/[^/\\]*$/, "config.json") : pathOf(config);
    let text: string;
    try {
      text = await files.readTextFile(path);
    } catch (cause) {
      if (!isMissing(cause)) throw cause;
      const beside = config === undefined ? " beside the weights; give it as { config }" : "";
      throw new ConfigError(`Cannot read the configuration ${path}: there is no such file${beside}`, { cause });
    }
    try {
      const values: unknown = JSON.parse(text);
      if (typeof values === "object" && values !== null) return new HubConfig(values as Record<string, unknown>, path);
    } catch (cause) {
      throw new DataError(`Cannot read the configuration ${path}: it is no JSON`, { cause });
    }
    throw new DataError(`Cannot read the configuration ${path}: it is no JSON object`);
  }

  /** Refuses a configuration of another kind of model. */
  checkType(type: string, maker: string): void {
    const own = this.values.model_type;
    if (own === undefined || own === type) return;
    throw new ConfigError(`Cannot make ${maker} of ${this.where}: it is for model_type "${own}", this takes "${type}"`);
  }

  #bad(name: string, takes: string): never {
    throw new ConfigError(
      `Cannot use ${this.where}: ${name} is ${JSON.stringify(this.values[name]) ?? "missing"}, it takes ${takes}`,
    );
  }

  /** A whole number from 0. */
  count(name: string): number {
    const v = this.values[name];
    return Number.isSafeInteger(v) && (v as number) >= 0 ? v as number : this.#bad(name, "a whole number from 0");
  }

  /** A number, or `missing` where there is none. */
  number(name: string, missing: number): number {
    const v = this.values[name] ?? missing;
    return typeof v === "number" ? v : this.#bad(name, "a number");
  }

  /** One of some words, `missing` where there is none. */
  word<T extends string>(name: string, words: readonly T[], missing: T): T {
    const v = this.values[name] ?? missing;
    return words.find((w) => w === v) ?? this.#bad(name, `one of ${words.join(", ")}`);
  }

  /** Refuses what the model here does not do. */
  refuse(name: string, value: unknown): void {
    const v = this.values[name];
    if (v !== undefined && v !== null && v !== value) this.#bad(name, JSON.stringify(value));
  }
}

/**
 * Refuses a vocabulary that does not fit the vectors of tokens that weights have: as many, or fewer where they were filled up
 * to a multiple of 8, as is often done.
 */
export function checkVocab(what: string, vocabSize: number, rows: number): void {
  const filledUp = [8, 16, 32, 64, 128].some((n) => Math.ceil(vocabSize / n) * n === rows);
  if (vocabSize === rows || filledUp) return;
  throw new ConfigError(
    `Cannot load ${what} for a vocabulary of ${vocabSize} tokens: they have vectors of ${rows}; use the tokenizer that belongs to them`,
  );
}

/** How a file's names become a model's. */
export interface HubNames {
  /** Prefixes that the names may have, of models that have this one inside. */
  readonly prefixes: readonly string[];
  /** Names, without prefix, that the model has no use for. */
  readonly unused: readonly RegExp[];
}

/**
 * Loads a safetensors file into a model by its own names. All that does not fit is told at once, before anything is loaded.
 *
 * @throws CheckpointError If there is no such file, or it is for another model.
 */
export async function loadHubWeights(
  model: AnyModule,
  source: FileSource,
  what: string,
  names: HubNames,
): Promise<void> {
  const path = pathOf(source);
  let file: SafetensorsFile;
  try {
    file = await openSafetensors(path);
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new CheckpointError(`Cannot load ${what} from ${path}: there is no such file`, { cause });
  }
  const own = new Map([...model.namedParameters(), ...model.namedBuffers()]);
  const taken = new Map<string, string>(); // ours by theirs
  const problems: string[] = [];
  for (const name of file.names) {
    const plain = [...names.prefixes, ""].map((p) => name.startsWith(p) ? name.slice(p.length) : null)
      .find((n) => n !== null && own.has(n));
    if (plain !== undefined && plain !== null) taken.set(name, plain);
    else {
      const bare = names.prefixes.reduce((n, p) => n.startsWith(p) ? n.slice(p.length) : n, name);
      if (!names.unused.some((r) => r.test(bare))) problems.push(`${name} is not in the model`);
    }
  }
  const found = new Map([...taken].map(([theirs, ours]) => [ours, theirs]));
  for (const [name, { shape }] of own) {
    const theirs = found.get(name);
    if (theirs === undefined) problems.push(`${name} is missing`);
    else if (!sameShape(file.info(theirs).shape, shape)) {
      problems.push(`${theirs} is ${fmtShape(file.info(theirs).shape)}, not ${fmtShape(shape)}`);
    }
  }
  if (problems.length > 0) {
    const more = problems.length > 4 ? ` and ${problems.length - 4} more` : "";
    throw new CheckpointError(`Cannot load ${what} from ${path}: ${problems.slice(0, 4).join(", ")}${more}`);
  }
  const state = await readTensors(file, [...taken.keys()]);
  model.loadStateDict(new Map([...state].map(([name, t]) => [taken.get(name)!, t])));
}
