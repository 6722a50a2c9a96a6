/**
 * Texts in data blocks.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { checkOptions, flag, type OptionTable, text } from "../../base/options.ts";
import type { BlockSet, InputBlock } from "../../block/mod.ts";
import type { Label } from "../../data/labels.ts";
import { readText } from "./text_files.ts";
import { TextDataLoaders } from "./text_loaders.ts";
import { TEXT_LOADERS, type TextDataLoadersOptions } from "./text_options.ts";

/** Options of {@link TextBlock}: those of {@link TextDataLoaders} that say how texts become numbers. */
export interface TextBlockOptions
  extends Pick<TextDataLoadersOptions, "tokenizer" | "textVocab" | "minFreq" | "maxVocab" | "isLm" | "seqLen"> {
  /** Whether inputs are paths of files of text; false by default: they are the texts. */
  readonly files?: boolean;
  /** Of files their encoding, a label of `TextDecoder`; UTF-8 by default. */
  readonly encoding?: string;
}

/** Options of a data block's loaders of texts: those of {@link TextDataLoaders} that the blocks do not have. */
export type TextBlockLoadersOptions = Pick<
  TextDataLoadersOptions,
  "seqLen" | "bs" | "valBs" | "seed" | "shuffle" | "dropLast" | "buckets" | "path"
>;

const { tokenizer, textVocab, minFreq, maxVocab, isLm, seqLen } = TEXT_LOADERS;
const BLOCK: OptionTable<TextBlockOptions> = {
  tokenizer,
  textVocab,
  minFreq,
  maxVocab,
  isLm,
  seqLen,
  files: flag,
  encoding: text,
};

/** Options of the loaders that belong elsewhere, and where. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  splitter: "new DataBlock({ splitter })",
  validPct: "new DataBlock({ splitter: RandomSplitter(…) })",
  vocab: "CategoryBlock({ vocab })",
  ...Object.fromEntries(
    ["tokenizer", "textVocab", "minFreq", "maxVocab", "isLm"].map((name) => [name, `TextBlock({ ${name} })`]),
  ),
};

/**
 * The block of texts: beside `CategoryBlock` of texts with classes, alone, with `isLm`, of a language model's stream. Inputs
 * are texts, or with `files` the paths of their files.
 *
 * @example
 * ```ts ignore
 * const stream = new DataBlock({ blocks: [TextBlock({ isLm: true, files: true })], getItems: getTextFiles });
 * const lm = await stream.dataloaders("reviews", { bs: 64, seqLen: 72 });
 * const reviews = new DataBlock({
 *   blocks: [TextBlock({ files: true, textVocab: lm.textVocab }), CategoryBlock],
 *   getItems: getTextFiles,
 *   getY: parentLabel,
 * });
 * ```
 */
export function TextBlock(
  options: TextBlockOptions = {},
): InputBlock<string, TextDataLoaders, TextBlockLoadersOptions> {
  const { files = false, encoding, ...own } = checkOptions("make TextBlock", options, BLOCK), alone = own.isLm === true;
  if (encoding !== undefined && !files) {
    throw new ConfigError(
      "Cannot make TextBlock with { encoding }: it is of files, { files: true } says that there are some",
    );
  }
  const read = async (x: string): Promise<string> => files ? await readText(x, encoding) : x;
  const loaders = async (
    set: BlockSet<string>,
    given: TextBlockLoadersOptions,
  ): Promise<TextDataLoaders> => {
    for (const name of Object.keys(given)) {
      if (!Object.hasOwn(ELSEWHERE, name)) continue;
      throw new ConfigError(`Cannot make loaders of a data block with { ${name} }: it belongs to ${ELSEWHERE[name]}`);
    }
    for (const name of ["itemTfms", "batchTfms"] as const) {
      if (set[name].length > 0) {
        throw new ConfigError(`Cannot make loaders of texts with { ${name} }: transforms are of images`);
      }
    }
    const texts: string[] = [], { split } = set;
    for (const x of set.x) texts.push(await read(x));
    const target = set.target.setup(split[0].map((i) => set.y[i]), split[0].map((i) => `text ${i}`));
    if (!alone && target.kind !== "category") {
      throw new ConfigError(`Cannot make loaders of texts with ${set.target.name}: their labels are of CategoryBlock`);
    }
    return await TextDataLoaders.fromTexts(texts, alone ? null : set.y as readonly Label[], {
      path: set.path,
      ...own,
      ...given,
      splitter: () => split,
      ...(alone ? {} : { vocab: target.vocab }),
    });
  };
  return {
    name: "TextBlock",
    ...(alone ? { alone } : {}),
    loaders,
    read,
    async *walk(set, given) {
      const [at] = set.split[0], whole = await read(set.x[at]);
      yield `Text: ${shortened(whole)}`;
      const dls = await loaders(set, given), ids = dls.tokenizer.encode(whole);
      const tokens = Array.from(ids.subarray(0, 12), (id) => dls.textVocab[id]).join(" ");
      yield `  ${dls.tokenizer.kind}: ${ids.length} tokens, ${tokens}${ids.length > 12 ? " …" : ""}`;
      yield `Vocabulary: ${dls.textVocab.length} tokens`;
      const batch = await dls.train.peek();
      if (batch === null) {
        yield `There is no batch: ${
          set.split[0].length
        } texts are fewer than bs ${dls.train.bs}, and the last is left out`;
        return;
      }
      const parts = alone ? ["x", "y"] : ["ids", "mask", "class"];
      yield `Batch: ${batch.map((t, i) => `${parts[i]} ${t.dtype} [${t.shape.join(", ")}]`).join(", ")}`;
    },
  };
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return JSON.stringify(line.length > 80 ? `${line.slice(0, 79)}…` : line);
}
