/**
 * Tokenizers: texts to whole numbers, and back.
 *
 * @module
 */
import { files, isMissing } from "../base/host_files.ts";
import type { Json } from "../base/json.ts";
import { textHash } from "../base/checksum.ts";
import { ConfigError, DataError } from "../base/errors.ts";
import {
  checkArgument,
  checkOptions,
  flag,
  func,
  listOf,
  oneOf,
  text as aText,
  texts,
  whole,
} from "../base/options.ts";
import { nestedDeeper } from "../io/json_depth.ts";
import { charCutter, joinWords, ownCutter, OwnTokens, wordCutter } from "./own_tokens.ts";
import { TEXT_RULES, type TextRule } from "./rules.ts";
import type { TokenSource } from "./token_source.ts";
import type { VocabOptions } from "./vocab.ts";

/** Options of {@link Tokenizer.chars}. */
export interface CharsOptions extends VocabOptions {
  /** The tokens by their numbers; by default they are learnt from texts. */
  readonly vocab?: readonly string[];
}

/** Options of {@link Tokenizer.words}. */
export interface WordsOptions extends CharsOptions {
  /** What becomes of texts before they are cut into words; all of fastai's rules by default. */
  readonly rules?: readonly TextRule[];
}

/** Options of {@link Tokenizer.own}. */
export interface OwnTokenizerOptions extends CharsOptions {
  /** Puts tokens together again; by default as words are written. */
  readonly join?: (tokens: readonly string[]) => string;
}

/** Options of {@link Tokenizer.encode}. */
export interface EncodeOptions {
  /** Whether the tokens that a text begins and ends with are added, such as `xxbos` and `[CLS]`; true by default. */
  readonly special?: boolean;
  /** Most tokens, with those at the ends; what is longer loses its end. */
  readonly maxTokens?: number;
}

/** Options of {@link Tokenizer.fromFile}. */
export interface TokenizerFileOptions {
  /** Path of the `tokenizer_config.json`; by default the one beside the file, if there is one. */
  readonly config?: string;
}

const VOCAB = { minFreq: whole(1), maxVocab: whole(1), vocab: texts };

/** Characters that may be read to find a number of tokens, at first: so many for each. */
const PER_TOKEN = 12;
/** Tokens that are read beyond those that are wanted: repeated words become one. */
const MARGIN = 32;

/** Texts to whole numbers, and back. */
export class Tokenizer {
  readonly #source: TokenSource;
  #hash: string | null = null;

  private constructor(source: TokenSource) {
    this.#source = source;
  }

  // --- making one

  /**
   * Words, as fastai has them: its rules, which say capitals and repetitions with tokens such as `xxmaj`, then words cut at
   * spaces and marks as spaCy cuts English. The vocabulary is learnt by loaders, or by {@link Tokenizer.learn}.
   *
   * @example
   * ```ts
   * import { Tokenizer } from "@anneal/anneal";
   * console.log(Tokenizer.words().tokenize("Don't STOP!").join(" ")); // xxbos xxmaj do n't xxup stop !
   * ```
   */
  static words(options: WordsOptions = {}): Tokenizer {
    checkOptions("make a tokenizer of words", options, {
      ...VOCAB,
      rules: listOf(oneOf(...TEXT_RULES), `the rules ${TEXT_RULES.join(", ")}`),
    });
    const { rules = TEXT_RULES, vocab = [], ...rest } = options;
    return new Tokenizer(new OwnTokens(wordCutter(rules), vocab, rest));
  }

  /** Characters: Unicode's code points, after an `xxbos`. The vocabulary is learnt by loaders, or by {@link Tokenizer.learn}. */
  static chars(options: CharsOptions = {}): Tokenizer {
    const { vocab = [], ...rest } = checkOptions("make a tokenizer of characters", options, VOCAB);
    return new Tokenizer(new OwnTokens(charCutter(), vocab, rest));
  }

  /**
   * What a function of your own gives. It is code, so that an exported learner needs the tokenizer again.
   *
   * @param split Gives the tokens of a text.
   */
  static own(split: (text: string) => readonly string[], options: OwnTokenizerOptions = {}): Tokenizer {
    const { vocab = [], join = joinWords, ...rest } = checkOptions("make a tokenizer", options, {
      ...VOCAB,
      join: func(),
    });
    checkArgument("make a tokenizer", "split", split, func<typeof split>());
    return new Tokenizer(new OwnTokens(ownCutter(split, join), vocab, rest));
  }

  /**
   * Reads a tokenizer: Hugging Face's `tokenizer.json`, or what `JSON.stringify` made of a tokenizer of this library.
   *
   * @throws DataError If there is no such file, or it is none.
   */
  static async fromFile(file: string | URL, options: TokenizerFileOptions = {}): Promise<Tokenizer> {
    const { config } = checkOptions("read a tokenizer", options, { config: aText });
    const read = async (path: string | URL): Promise<string> => {
      try {
        return await files.readTextFile(path);
      } catch (cause) {
        if (!isMissing(cause)) throw cause;
        throw new DataError(`Cannot read a tokenizer from ${path}: there is no such file`, { cause });
      }
    };
    const json = await read(file);
    if (config !== undefined) return await Tokenizer.fromJson(json, await read(config), String(file));
    const beside = file instanceof URL
      ? new URL("tokenizer_config.json", file)
      : file.replace(/[^/\\]*$/, "tokenizer_config.json");
    const found = await files.readTextFile(beside).catch(() => "{}");
    return await Tokenizer.fromJson(json, found, String(file));
  }

  /**
   * The same, of a JSON text or what it holds.
   *
   * @param config What the `tokenizer_config.json` holds, of one of Hugging Face's.
   * @param where Where it comes from, for errors.
   */
  static async fromJson(json: unknown, config: unknown = {}, where: string = "JSON"): Promise<Tokenizer> {
    const value = parsed(json, where), settings = parsed(config, where);
    const kind = typeof value === "object" && value !== null && "kind" in value ? value.kind : undefined;
    const given = value as Readonly<Record<string, unknown>>;
    if (kind === undefined || kind === "huggingface") {
      const { HubTokens } = await import("./hub_tokens.ts");
      const [tokenizer, itsConfig] = kind === undefined ? [value, settings] : [given.tokenizer, given.config];
      return new Tokenizer(await HubTokens.of(tokenizer, itsConfig, where));
    }
    if (!texts.holds(given.vocab)) {
      throw new DataError(`Cannot read a tokenizer from ${where}: its vocab is no list of texts`);
    }
    const vocab = given.vocab as readonly string[];
    if (kind === "chars") return Tokenizer.chars({ vocab });
    if (kind === "words") {
      const { rules } = given;
      if (Array.isArray(rules) && rules.every((r) => (TEXT_RULES as readonly unknown[]).includes(r))) {
        return Tokenizer.words({ vocab, rules });
      }
      throw new DataError(`Cannot read a tokenizer from ${where}: its rules are not known`);
    }
    if (kind === "own") {
      throw new DataError(
        `Cannot read a tokenizer from ${where}: it is code of your own, make it as for training, with its vocab`,
      );
    }
    throw new DataError(`Cannot read a tokenizer from ${where}: its kind ${JSON.stringify(kind)} is not known`);
  }

  /**
   * The tokenizer with tokens for what occurs in `texts`; itself where it has a vocabulary.
   *
   * @throws DataError Where a text is none.
   */
  async learn(given: Iterable<string>): Promise<Tokenizer> {
    const source = await this.#source.learn(checked(given));
    return source === this.#source ? this : new Tokenizer(source);
  }

  /**
   * The tokenizer with another vocabulary, or with other options for learning one.
   *
   * @throws ConfigError Where the tokenizer's vocabulary is part of its file.
   */
  withVocab(options: CharsOptions): Tokenizer {
    const { vocab = [], ...rest } = checkOptions("give a tokenizer a vocabulary", options, VOCAB);
    if (this.#source instanceof OwnTokens) return new Tokenizer(this.#source.withVocab(vocab, rest));
    throw new ConfigError("Cannot give this tokenizer a vocabulary: it has that of its tokenizer.json");
  }

  // --- what it is

  /** Name of the kind: "words", "chars", "huggingface", "own". */
  get kind(): "words" | "chars" | "huggingface" | "own" {
    return this.#source.kind;
  }

  /** The tokens by their numbers; none before they were learnt. */
  get vocab(): readonly string[] {
    return this.#source.vocab;
  }

  /** Number of tokens. */
  get size(): number {
    return this.vocab.length;
  }

  /** Number of the token that stands for all without a number; null where there is none. */
  get unkId(): number | null {
    return this.#source.special.unk;
  }

  /** Number of the token that fills up shorter texts. */
  get padId(): number {
    return this.#source.special.pad;
  }

  /** Number of the token that texts begin with; null where there is none. */
  get bosId(): number | null {
    return this.#source.special.bos;
  }

  /** Number of the token that texts end with; null where there is none. */
  get eosId(): number | null {
    return this.#source.special.eos;
  }

  /** A checksum of the vocabulary and what else decides the numbers: 16 hexadecimal digits. */
  get hash(): string {
    return this.#hash ??= textHash(JSON.stringify(this));
  }

  // --- using it

  /** The tokens of a text, with nothing before and behind it that is not of the text. */
  tokenize(text: string): readonly string[] {
    return this.#source.tokens(aString(text));
  }

  /**
   * The numbers of a text's tokens.
   *
   * @throws ConfigError If the vocabulary was not learnt yet.
   */
  encode(text: string, options: EncodeOptions = {}): Int32Array {
    const { special = true, maxTokens } = checkOptions("encode a text", options, {
      special: flag,
      maxTokens: whole(0),
    });
    this.#needVocab();
    const { before, after } = special ? this.#source.around : { before: [], after: [] };
    const room = maxTokens === undefined ? Infinity : Math.max(0, maxTokens - before.length - after.length);
    const inside = this.#some(aString(text), room);
    return Int32Array.from([...before, ...inside, ...after].slice(0, maxTokens ?? Infinity));
  }

  /** The numbers of the first tokens of a text: not much more of it is read than they need. */
  #some(text: string, most: number): readonly number[] {
    if (most === 0) return [];
    for (let n = most * PER_TOKEN; n < text.length; n *= 4) {
      // cut at white space, and well behind the tokens that are wanted: what follows changes none of them
      const space = text.slice(n).search(/\s/u);
      if (space < 0) break;
      const ids = this.#source.ids(text.slice(0, n + space));
      if (ids.length > most + MARGIN) return ids.slice(0, most);
      n += space;
    }
    const ids = this.#source.ids(text);
    return ids.length > most ? ids.slice(0, most) : ids;
  }

  /**
   * The text that numbers stand for, without tokens such as `xxbos` and `[CLS]`; capitals and repetitions as they were.
   *
   * @throws DataError Where a number is no token's.
   */
  decode(ids: Iterable<number>): string {
    this.#needVocab();
    const all = [...ids], n = this.size;
    const bad = all.find((id) => !Number.isInteger(id) || id < 0 || id >= n);
    if (bad !== undefined) throw new DataError(`Cannot decode the token ${bad}: the vocabulary has 0 to ${n - 1}`);
    return this.#source.join(all);
  }

  /** What `JSON.stringify` keeps; {@link Tokenizer.fromJson} reads it. Of one that is code of your own, the vocabulary alone. */
  toJSON(): { readonly [name: string]: Json | undefined } {
    return this.#source.toJSON();
  }

  #needVocab(): void {
    if (this.size > 0) return;
    throw new ConfigError(
      "Cannot encode a text: the tokenizer has no vocabulary yet; loaders learn one, and so does await tokenizer.learn(texts)",
    );
  }
}

function aString(text: unknown): string {
  if (typeof text === "string") return text;
  throw new DataError(
    `Cannot use ${text === null ? "null" : `a value of type ${typeof text}`} as a text: it is no string`,
  );
}

function* checked(given: Iterable<unknown>): Generator<string> {
  let i = 0;
  for (const text of given) {
    if (typeof text !== "string") {
      throw new DataError(`Cannot use text ${i}, counted from 0: it is no string, got ${text}`);
    }
    yield text;
    i++;
  }
}

/** Longest text that is read, in UTF-16 units. */
const MAX_JSON = 1 << 27;

/** What a JSON text holds; anything else is given back. */
function parsed(json: unknown, where: string): unknown {
  if (typeof json !== "string") return json;
  if (json.length > MAX_JSON || nestedDeeper(json, 64)) {
    throw new DataError(`Cannot read a tokenizer from ${where}: the text is too long, or nested too deeply`);
  }
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new DataError(`Cannot read a tokenizer from ${where}: it is no JSON`, { cause });
  }
}
