/**
 * Loaders of texts.
 *
 * @module
 */
import { basename, dirname } from "../../base/path.ts";
import { ConfigError, DataError } from "../../base/errors.ts";
import { checkOptions, type OptionTable, other, text, texts as aTexts, whole } from "../../base/options.ts";
import { drawnFromBoth, folderLabels, withWayToSplit } from "../../data/class_folders.ts";
import { folderPath } from "../../data/walk.ts";
import { CSV_OPTIONS, type CsvOptions } from "../../data/csv_form.ts";
import { codesOf, type Label } from "../../data/labels.ts";
import {
  type Batch,
  DataLoader,
  DataLoaders,
  type InputsJson,
  type TableFormat,
  type TableSource,
} from "../../data/mod.ts";
import { TABLE_FORMAT } from "../../data/read_table.ts";
import { type DataSplitter, GrandparentSplitter } from "../../data/splitters.ts";
import { CrossEntropyLoss } from "../../nn/mod.ts";
import type { Tensor } from "../../tensor/mod.ts";
import type { Tokenizer } from "../tokenizer.ts";
import type { LabelledTexts, TextInputs, TextParts } from "./load_texts.ts";
import { padded, PaddedSource } from "./padded_source.ts";
import type { ShowTextOptions } from "./show_text.ts";
import { getTextFiles } from "./text_files.ts";
import { TEXT_LOADERS, type TextDataLoadersOptions } from "./text_options.ts";

export type { LabelledTexts, TextInputs };

/** Options of {@link TextDataLoaders.fromCsv}. */
export interface TextCsvOptions extends TextDataLoadersOptions, CsvOptions {
  /** Name of the column of texts; "text" by default. */
  readonly text?: string;
  /** Name of the column of classes, "label" by default; a stream has none. */
  readonly label?: string;
  /** Name of a column that says which rows are validated on, with `true` or `1`, instead of `validPct`. */
  readonly validColumn?: string;
}

/** Options of {@link TextDataLoaders.fromTable}. */
export interface TextTableOptions extends TextCsvOptions {
  /** What kind of file it is; by default the file itself tells. */
  readonly format?: TableFormat;
}

/** Options of {@link TextDataLoaders.fromFolder}. */
export interface TextFolderOptions extends TextDataLoadersOptions {
  /** Folder of training texts; `"train"` by default. Not used with `validPct`. */
  readonly train?: string;
  /** Folder of validation texts; `"valid"` by default. */
  readonly valid?: string;
  /** Endings of files of text; `[".txt"]` by default. */
  readonly extensions?: readonly string[];
  /** Their encoding, a label of `TextDecoder`; UTF-8 by default. */
  readonly encoding?: string;
}

/** Options of {@link TextDataLoaders.testDl}. */
export interface TextTestOptions {
  /** Texts a batch; that of validation by default. */
  readonly bs?: number;
  /** Classes of the texts; without them batches have inputs only. */
  readonly labels?: readonly Label[];
}

const CSV: OptionTable<TextCsvOptions> = { ...CSV_OPTIONS, ...TEXT_LOADERS, text, label: text, validColumn: text };
const TABLE: OptionTable<TextTableOptions> = { ...CSV, format: TABLE_FORMAT };
const FOLDER: OptionTable<TextFolderOptions> = {
  ...TEXT_LOADERS,
  train: text,
  valid: text,
  extensions: aTexts,
  encoding: text,
};

/**
 * Loaders of texts. With classes batches are `[ids, mask, y]`: numbers of tokens i32 `[b, n]`, which of them are tokens and
 * not padding, bool `[b, n]`, and classes i32 `[b]`; texts of about the same length come together. Of a stream (`isLm`) they
 * are `[x, y]`, i32 `[bs, seqLen]`, in which y is x shifted by one and each row goes on where the batch before ended.
 *
 * @example
 * ```ts ignore
 * const dls = await TextDataLoaders.fromTexts(mails, labels, { seqLen: 128, bs: 32, validPct: 0.1, seed: 42 });
 * ```
 */
export class TextDataLoaders extends DataLoaders<Batch> {
  /** Cuts texts into tokens, and has their vocabulary. */
  readonly tokenizer: Tokenizer;
  /** The classes, the number of a class is its place here; of a stream the tokens. */
  readonly vocab: readonly Label[];
  /** Texts to train on. */
  readonly trainSet: LabelledTexts;
  /** Texts to validate on. */
  readonly validSet: LabelledTexts;
  /** Whether the texts are a stream to learn the next token of. */
  readonly isLm: boolean;
  /** Of a stream the steps of a batch; otherwise most tokens of a text. */
  readonly seqLen: number;
  readonly #buckets: readonly number[];

  /** Puts the parts together. */
  private constructor(parts: TextParts) {
    const { train, valid, isLm, path, notes } = parts;
    super(train, valid, {
      nInp: isLm ? 1 : 2,
      lossFunc: new CrossEntropyLoss(),
      notes,
      ...(path === undefined ? {} : { path }),
    });
    this.tokenizer = parts.tokenizer;
    this.vocab = isLm ? parts.tokenizer.vocab : parts.vocab;
    this.trainSet = parts.trainSet;
    this.validSet = parts.validSet;
    this.isLm = isLm;
    this.seqLen = parts.seqLen;
    this.#buckets = parts.buckets;
  }

  /** Number of classes; of a stream the number of tokens. */
  get c(): number {
    return this.vocab.length;
  }

  /** The tokens by their numbers. */
  get textVocab(): readonly string[] {
    return this.tokenizer.vocab;
  }

  /**
   * Loaders of texts in a list.
   *
   * @param texts The texts.
   * @param labels The class of each; null, or the options right here, for a stream.
   * @throws {DataError} If there are no texts, fewer than two classes, a label that only occurs in validation, or a text
   * that is no string.
   */
  static async fromTexts(
    texts: readonly string[],
    labels: readonly Label[] | null | TextDataLoadersOptions = null,
    options: TextDataLoadersOptions = {},
  ): Promise<TextDataLoaders> {
    const direct = labels !== null && !Array.isArray(labels);
    const given = checkOptions("load texts", direct ? labels as TextDataLoadersOptions : options, TEXT_LOADERS);
    const { loadTexts } = await import("./reading.ts");
    return new TextDataLoaders(await loadTexts(texts, direct ? null : labels as readonly Label[] | null, given));
  }

  /** Loaders of texts in a column of a file of separated values. */
  static override fromCsv(file: string, options?: TextCsvOptions): Promise<TextDataLoaders>;
  /** Never called: only for the types of what loads tables of numbers and words. */
  static override fromCsv(file: string, options: never): Promise<never>;
  static override async fromCsv(file: string, options: TextCsvOptions = {}): Promise<TextDataLoaders> {
    checkOptions("load texts", options, CSV);
    return await TextDataLoaders.fromTable(file, { ...options, format: "csv" });
  }

  /**
   * Loaders of texts in a column of a table: a file of Parquet, Arrow, JSON lines or separated values, rows as objects,
   * columns as arrays, or a table as read. Only the columns that are named are read.
   */
  static override fromTable(source: TableSource, options?: TextTableOptions): Promise<TextDataLoaders>;
  /** Never called: only for the types of what loads tables of numbers and words. */
  static override fromTable(source: TableSource, options: never): Promise<never>;
  static override async fromTable(source: TableSource, options: TextTableOptions = {}): Promise<TextDataLoaders> {
    checkOptions("load texts", options, TABLE);
    const { partsOfTable } = await import("./reading.ts");
    return new TextDataLoaders(await partsOfTable(source, options));
  }

  /**
   * Loaders of files of text: folders named as their class inside `train` and `valid`, or, with `validPct` or a `splitter`,
   * all folders named as their class; of a stream all files, whatever folder they are in.
   */
  static async fromFolder(path: string | URL, options: TextFolderOptions = {}): Promise<TextDataLoaders> {
    checkOptions("load a folder", options, FOLDER);
    const { train = "train", valid = "valid", extensions, encoding, ...others } = options;
    const root = folderPath(path);
    const mixed = options.validPct !== undefined || options.splitter !== undefined;
    const { loadTexts, partSplitter, readText } = await import("./reading.ts");
    const files = await getTextFiles(root, {
      ...(mixed ? {} : { folders: [train, valid] }),
      ...(extensions === undefined ? {} : { extensions }),
    }).catch((error) => {
      throw mixed ? error : withWayToSplit(error);
    });
    const contents: string[] = [];
    for (const file of files) contents.push(await readText(file, encoding));
    const { isLm = false } = options;
    const labels = isLm ? null : mixed ? folderLabels(root, files) : files.map((file) => basename(dirname(file)));
    const splitter = mixed
      ? options.splitter
      : isLm
      ? partSplitter(files.map((file) => file.slice(root.length)), valid)
      : GrandparentSplitter({ trainName: train, validName: valid });
    const both = options.splitter === undefined && mixed ? drawnFromBoth(root, files, train, valid) : null;
    // a splitter is shown the paths, not the texts
    const shown: DataSplitter | undefined = splitter === undefined ? undefined : () => splitter(files);
    return new TextDataLoaders(
      await loadTexts(
        contents,
        labels,
        { path: root, ...others, ...(shown === undefined ? {} : { splitter: shown }) },
        both === null ? [] : [both],
      ),
    );
  }

  /** Loaders without texts, whose {@link TextDataLoaders.testDl} reads texts as stored. */
  static forItems(inputs: TextInputs & { readonly vocab: readonly Label[] }): TextDataLoaders {
    const { tokenizer, seqLen, buckets } = inputs, none = { texts: [], codes: new Int32Array(0) };
    const source = new PaddedSource({ lists: [], codes: null, padId: tokenizer.padId, buckets, most: seqLen });
    const loader = () => new DataLoader<Batch>({ source, bs: 64, seed: 0 });
    return new TextDataLoaders({
      ...inputs,
      train: loader(),
      valid: loader(),
      trainSet: none,
      validSet: none,
      notes: [],
    });
  }

  /**
   * A loader of other texts, in order, for predictions. `getPreds` gives them in their own order, though batches have texts
   * of about the same length.
   */
  async testDl(texts: readonly string[], options: TextTestOptions = {}): Promise<DataLoader<Batch>> {
    checkOptions("load texts", options, { bs: whole(1), labels: other("labels", Array.isArray) });
    const { bs = this.valid.bs, labels } = options;
    if (texts.length === 0) throw new DataError("Cannot make a loader: there are no texts");
    const { tokenizer, seqLen, isLm } = this;
    const { encodeAll, names, StreamSource } = await import("./reading.ts");
    if (isLm) {
      const source = new StreamSource({ lists: await encodeAll(tokenizer, texts), seqLen });
      if (source.size(bs) > 0) return new DataLoader<Batch>({ source, bs });
      throw new DataError(
        `Cannot cut a stream of ${source.tokens} tokens into ${bs} rows: each has at least one and one that follows; give ` +
          "more text, or a smaller bs",
      );
    }
    if (labels !== undefined && labels.length !== texts.length) {
      throw new DataError(`Cannot label ${texts.length} texts: there are ${labels.length} labels`);
    }
    const lists = await encodeAll(tokenizer, texts, { maxTokens: seqLen });
    const codes = labels === undefined ? null : codesOf(labels, this.vocab, names(texts));
    return new DataLoader<Batch>({ source: new PaddedSource({ ...this.#shape(), lists, codes }), bs, seed: 0 });
  }

  #shape(): { readonly padId: number; readonly buckets: readonly number[]; readonly most: number } {
    return { padId: this.tokenizer.padId, buckets: this.#buckets, most: this.seqLen };
  }

  /** See `DataLoaders.inputsJson`. */
  override inputsJson(): InputsJson {
    const { tokenizer, isLm, seqLen } = this;
    if (tokenizer.kind === "own") {
      throw new ConfigError("Cannot export this learner: its tokenizer is code of your own, which cannot be stored");
    }
    return { kind: "text", tokenizer: tokenizer.toJSON(), isLm, seqLen, buckets: this.#buckets };
  }

  /** A text, or the tensors of its numbers and mask. */
  override async itemInputs(item: readonly unknown[]): Promise<readonly Tensor[]> {
    const [given] = item;
    if (item.length !== 1 || typeof given !== "string") return await super.itemInputs(item);
    const { encodeAll } = await import("./reading.ts");
    const lists = await encodeAll(this.tokenizer, [given], this.isLm ? {} : { maxTokens: this.seqLen });
    const { ids, mask } = padded(lists, this.#shape()), n = ids.shape[1];
    return this.isLm ? [ids.reshape([n]).slice([[0, lists[0].length]])] : [ids.reshape([n]), mask.reshape([n])];
  }

  /** These validation texts. */
  override validItems(at: readonly number[]): Promise<readonly unknown[]> {
    return Promise.resolve(at.map((i) => this.validSet.texts[i] ?? i));
  }

  /** See `DataLoaders.itemForm`. */
  protected override get itemForm(): string {
    return "a text, or tensors of the numbers of its tokens, i32 [n], and of which of them are tokens, bool [n]";
  }

  /** The name of a class. */
  label(code: number): string {
    return String(this.vocab[code]);
  }

  /** The texts of the first training batch as a table: with their classes, or with what comes next. */
  async showBatch(options: ShowTextOptions = {}): Promise<string> {
    const { showTextBatch } = await import("./reading.ts");
    return await showTextBatch(this, options);
  }
}
