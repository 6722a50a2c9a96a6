/**
 * Options of loaders of texts.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { either, flag, func, num, oneOf, type OptionTable, other, pathText, texts, whole } from "../../base/options.ts";
import type { Label } from "../../data/labels.ts";
import type { DataSplitter } from "../../data/splitters.ts";
import { Tokenizer } from "../tokenizer.ts";

/** Options of `TextDataLoaders`. */
export interface TextDataLoadersOptions {
  /** Cuts texts into tokens; `Tokenizer.words()` by default. It learns its vocabulary from the training texts. */
  readonly tokenizer?: Tokenizer;
  /** The tokens by their numbers, instead of learnt ones: for a classifier those of its language model, `lmDls.textVocab`. */
  readonly textVocab?: readonly string[];
  /** How often a token occurs at least to get a number; 3 by default, of characters 1. */
  readonly minFreq?: number;
  /** Most tokens with a number; 60,000 by default. */
  readonly maxVocab?: number;
  /** The classes in order; by default those of the training texts, sorted. A list with "xxpad" is taken as `textVocab`. */
  readonly vocab?: readonly Label[];
  /** Whether texts are one stream to learn the next token of; false by default: then they have classes. */
  readonly isLm?: boolean;
  /** Of a stream the steps of a batch, 72 by default; otherwise most tokens of a text, 256 by default: longer ones are cut. */
  readonly seqLen?: number;
  /** Texts a batch, or rows of the stream; 64 by default. */
  readonly bs?: number;
  /** The same in validation; `bs` by default. */
  readonly valBs?: number;
  /** Share of texts to validate on, 0.2 by default; of a single text's stream its end. */
  readonly validPct?: number;
  /** Seed of the split and of the order of training; by default the default generator is drawn from, see `setSeed`. */
  readonly seed?: number;
  /** Divides the texts, instead of `validPct`. */
  readonly splitter?: DataSplitter;
  /** Whether training epochs are shuffled; true by default. */
  readonly shuffle?: boolean;
  /** Whether a last, shorter training batch is left out; by default where there is a full one. */
  readonly dropLast?: boolean | "single";
  /** How many widths batches of texts with classes are filled up to, at most; 4 by default. Each is compiled once. */
  readonly buckets?: number;
  /** Folder for the learner's files. */
  readonly path?: string;
}

/** What the options of `TextDataLoaders` may be. */
export const TEXT_LOADERS: OptionTable<TextDataLoadersOptions> = {
  tokenizer: other<Tokenizer>(
    "a Tokenizer, such as Tokenizer.words() or await Tokenizer.fromFile(…)",
    (v) => v instanceof Tokenizer,
  ),
  textVocab: texts,
  minFreq: whole(1),
  maxVocab: whole(1),
  vocab: other("classes", Array.isArray),
  isLm: flag,
  seqLen: whole(1),
  bs: whole(1),
  valBs: whole(1),
  validPct: num,
  seed: num,
  splitter: func(),
  shuffle: flag,
  dropLast: either(flag, oneOf("single")),
  buckets: whole(1),
  path: pathText,
};

/** The vocabularies of tokens and of classes that were given, whatever they were called. */
export function givenVocabs(
  { vocab, textVocab }: TextDataLoadersOptions,
): { readonly classes: readonly Label[] | undefined; readonly tokens: readonly string[] | undefined } {
  if (vocab === undefined || !vocab.includes("xxpad")) return { classes: vocab, tokens: textVocab };
  if (textVocab !== undefined) {
    throw new ConfigError("Cannot load texts with two vocabularies of tokens: give textVocab alone");
  }
  return { classes: undefined, tokens: vocab.map(String) };
}

/** The tokenizer with what was said about its vocabulary. */
export function tokenizerOf(options: TextDataLoadersOptions): Tokenizer {
  const { tokenizer = Tokenizer.words(), minFreq, maxVocab } = options;
  const { tokens } = givenVocabs(options);
  if (tokens === undefined && minFreq === undefined && maxVocab === undefined) return tokenizer;
  const name = tokens !== undefined ? "textVocab" : minFreq !== undefined ? "minFreq" : "maxVocab";
  if (tokenizer.size > 0) {
    if (tokens?.length === tokenizer.size && tokens.every((t, i) => t === tokenizer.vocab[i])) return tokenizer;
    throw new ConfigError(`Cannot load texts with ${name}: the tokenizer has a vocabulary of its own`);
  }
  return tokenizer.withVocab({
    ...(tokens === undefined ? {} : { vocab: tokens }),
    ...(minFreq === undefined ? {} : { minFreq }),
    ...(maxVocab === undefined ? {} : { maxVocab }),
  });
}
