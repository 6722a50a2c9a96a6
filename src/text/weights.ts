/**
 * Weights and configurations as Hugging Face's libraries write them.
 *
 * @module
 */
import { fromFileUrl } from "../base/path.ts";
import { ConfigError, DataError } from "../base/errors.ts";
import { files, isMissing } from "../base/host_files.ts";

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
