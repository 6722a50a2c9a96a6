/**
 * Texts become numbers, and are divided.
 *
 * @module
 */
import { ConfigError, DataError } from "../../base/errors.ts";
import { shortText } from "../../base/facts.ts";
import { codesOf, type Label, vocabOf } from "../../data/labels.ts";
import { type Batch, type BatchSource, DataLoader } from "../../data/mod.ts";
import { type DataSplitter, IndexSplitter, RandomSplitter, splitOf } from "../../data/splitters.ts";
import type { Tokenizer } from "../tokenizer.ts";
import { bucketsOf, PaddedSource } from "./padded_source.ts";
import { StreamSource } from "./stream_source.ts";
import { givenVocabs, type TextDataLoadersOptions, tokenizerOf } from "./text_options.ts";
import { encodeAll } from "./token_lists.ts";

/** Texts with their classes. */
export interface LabelledTexts {
  /** The texts. */
  readonly texts: readonly string[];
  /** The class of each; none in a stream. */
  readonly codes: Int32Array;
}

/** How texts become inputs: what an exported learner keeps. */
export interface TextInputs {
  /** Cuts texts into tokens. */
  readonly tokenizer: Tokenizer;
  /** Whether they are a stream. */
  readonly isLm: boolean;
  /** Steps, or most tokens of a text. */
  readonly seqLen: number;
  /** Widths that texts with classes are filled up to. */
  readonly buckets: readonly number[];
}

/** What `TextDataLoaders` are made of. */
export interface TextParts extends TextInputs {
  readonly train: DataLoader<Batch>;
  readonly valid: DataLoader<Batch>;
  readonly trainSet: LabelledTexts;
  readonly validSet: LabelledTexts;
  readonly vocab: readonly Label[];
  readonly path?: string | undefined;
  readonly notes: readonly string[];
}

/** Texts in messages, by their places. */
export function names(texts: readonly string[]): string[] {
  return texts.map((t, i) => `text ${i} (${JSON.stringify(shortText(t.slice(0, 40)))})`);
}

/** Files in a folder of a name for validation. */
export function partSplitter(files: readonly string[], valid: string): DataSplitter {
  return IndexSplitter(files.flatMap((file, i) => file.split(/[\\/]/).includes(valid) ? [i] : []));
}

/** A single text in two, at white space, for a stream. */
function inTwo(text: string, validPct: number): string[] {
  const at = Math.round(text.length * (1 - validPct)), space = text.slice(at).search(/\s/u);
  const end = space < 0 ? at : at + space;
  return [text.slice(0, end), text.slice(end)];
}

/**
 * Cuts, numbers and divides texts.
 *
 * @param found What was found out or left out before.
 * @param byNumber Whether labels are texts of numbers, whose classes are in the order of the numbers.
 */
export async function loadTexts(
  texts: readonly string[],
  labels: readonly Label[] | null,
  options: TextDataLoadersOptions,
  found: readonly string[] = [],
  byNumber: boolean = false,
): Promise<TextParts> {
  const { isLm = false, bs = 64, valBs = bs, shuffle = true, seed, validPct = 0.2, path } = options;
  const { seqLen = isLm ? 72 : 256, buckets = 4 } = options, notes = [...found];
  if (!Array.isArray(texts)) {
    throw new ConfigError(`Cannot load texts: they are an array of strings, got ${typeof texts}`);
  }
  if (texts.length === 0) throw new DataError("Cannot load texts: there are none");
  const odd = texts.findIndex((one: unknown) => typeof one !== "string"); // before they are in another order
  if (odd >= 0) {
    const got: unknown = texts[odd];
    throw new DataError(
      `Cannot use text ${odd}, counted from 0: it is no string, got ${got === null ? "null" : typeof got}`,
    );
  }
  if (options.splitter !== undefined && options.validPct !== undefined) {
    throw new ConfigError(
      "Cannot divide texts by splitter and validPct: the splitter says which are validated on, leave validPct out",
    );
  }
  if (!isLm && labels === null) {
    throw new ConfigError(
      "Cannot load texts without labels: give the class of each, or { isLm: true } for a language model",
    );
  }
  if (labels !== null && labels.length !== texts.length) {
    throw new DataError(`Cannot label ${texts.length} texts: there are ${labels.length} labels`);
  }
  let splitter = options.splitter ?? RandomSplitter(validPct, seed === undefined ? {} : { seed });
  if (isLm && texts.length === 1 && options.splitter === undefined && typeof texts[0] === "string" && validPct > 0) {
    texts = inTwo(texts[0], validPct);
    splitter = IndexSplitter([1]);
  }
  const { train: trainIdx, valid: validIdx, notes: odds } = splitOf(splitter, texts);
  notes.push(...odds);
  const take = (idx: readonly number[]): string[] => idx.map((i) => texts[i]);
  const trainTexts = take(trainIdx), validTexts = take(validIdx);
  const tokenizer = await tokenizerOf(options).learn(trainTexts);
  const set = (list: string[], codes: Int32Array): LabelledTexts => ({ texts: list, codes });
  const loader = (source: BatchSource, training: boolean, dropLast: boolean | "single"): DataLoader<Batch> =>
    new DataLoader<Batch>({
      source,
      bs: training ? bs : valBs,
      shuffle: training && shuffle,
      dropLast: training ? dropLast : false,
      fingerprint: () => ({ tokenizer: `${tokenizer.kind} #${tokenizer.hash}`, classes: shortText(vocab.join(", ")) }),
      ...(!training ? { seed: 0 } : seed === undefined ? {} : { seed }),
    });
  const { unkId } = tokenizer;
  const noteUnknown = (lists: readonly Int32Array[]): void => {
    const all = lists.reduce((n, list) => n + list.length, 0);
    const unknown = lists.reduce((n, list) => n + list.reduce((m, id) => id === unkId ? m + 1 : m, 0), 0);
    if (unknown <= all / 2) return;
    notes.push(
      `${unknown} of ${all} tokens to train on are in no vocabulary and read as ${tokenizer.vocab[unkId!]}: it has ` +
        `${tokenizer.size} tokens; give that of these texts, or a smaller minFreq`,
    );
  };
  let vocab: readonly Label[] = [];
  if (isLm) {
    const ending = tokenizer.kind === "huggingface" && tokenizer.encode("").length === 0 ? tokenizer.eosId : null;
    const stream = async (list: string[]): Promise<StreamSource> => {
      const lists = list.length === 0 ? [] : await encodeAll(tokenizer, list);
      if (list === trainTexts) noteUnknown(lists);
      return new StreamSource({
        lists: ending === null ? lists : lists.map((l) => Int32Array.of(...l, ending)),
        seqLen,
      });
    };
    const train = await stream(trainTexts), valid = await stream(validTexts);
    if (train.size(bs) === 0) {
      throw new DataError(
        `Cannot cut a stream of ${train.tokens} tokens into ${bs} rows: each has at least one and one that follows; ` +
          "give more text, or a smaller bs",
      );
    }
    if (valid.size(valBs) === 0) {
      notes.push(
        `Nothing is measured: the texts for validation have ${valid.tokens} tokens, too few for ${valBs} rows`,
      );
    }
    return {
      train: loader(train, true, options.dropLast ?? false),
      valid: loader(valid, false, false),
      trainSet: set(trainTexts, new Int32Array(0)),
      validSet: set(validTexts, new Int32Array(0)),
      tokenizer,
      isLm,
      seqLen,
      buckets: [],
      vocab,
      path,
      notes,
    };
  }
  const given = (idx: readonly number[]): Label[] => idx.map((i) => labels![i]);
  vocab = givenVocabs(options).classes ??
    vocabOf(given(trainIdx), "texts").toSorted((a, b) => byNumber ? Number(a) - Number(b) : 0);
  const part = async (list: string[], idx: readonly number[]) => {
    const lists = await encodeAll(tokenizer, list, { maxTokens: seqLen });
    return { lists, codes: codesOf(given(idx), vocab, names(list)) };
  };
  const train = await part(trainTexts, trainIdx), valid = await part(validTexts, validIdx);
  if (validTexts.length === 0 && options.splitter === undefined && validPct > 0) {
    notes.push(`No text is validated on: ${validPct} of ${texts.length} is none; validPct takes more`);
  }
  noteUnknown(train.lists);
  const cut = [...train.lists, ...valid.lists].filter(({ length }) => length === seqLen).length;
  if (cut > 0) {
    notes.push(
      `${cut} of ${texts.length} texts are cut after ${seqLen} tokens, or have just as many; seqLen takes more`,
    );
  }
  const widths = bucketsOf(train.lists.map(({ length }) => length), buckets, seqLen);
  const shape = { padId: tokenizer.padId, buckets: widths, most: seqLen };
  return {
    train: loader(
      new PaddedSource({ ...shape, ...train }),
      true,
      options.dropLast ?? (shuffle && trainTexts.length >= bs),
    ),
    valid: loader(new PaddedSource({ ...shape, ...valid }), false, false),
    trainSet: set(trainTexts, train.codes),
    validSet: set(validTexts, valid.codes),
    tokenizer,
    isLm,
    seqLen,
    buckets: widths,
    vocab,
    path,
    notes,
  };
}
