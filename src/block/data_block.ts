/**
 * Data described in parts: how items are found, labelled, divided and changed. What fastai calls the data block API.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, func, other, shown } from "../base/options.ts";
import { type DataSplitter, RandomSplitter, splitOf } from "../data/splitters.ts";
import { type DataLoaders, type ItemPart, partialDataloaders, weightedDataloaders } from "../data/mod.ts";
import { NoTargetBlock, type Target, type TargetBlock } from "./target.ts";

/** Items that were found, labelled and divided. */
export interface BlockSet<X, Y = unknown> {
  /** Folder for the learner's files. */
  readonly path: string;
  /** What inputs are read from. */
  readonly x: readonly X[];
  /** The label of each. */
  readonly y: readonly Y[];
  /** Positions of the items to train on, and of those to validate on. */
  readonly split: readonly [train: readonly number[], valid: readonly number[]];
  /** What is odd about the split, for people. */
  readonly notes: readonly string[];
  /** What labels are. */
  readonly target: TargetBlock<Y>;
  /** Transforms of single items. */
  readonly itemTfms: readonly unknown[];
  /** Transforms of batches. */
  readonly batchTfms: readonly unknown[];
}

/** The first of a data block's blocks: how inputs are read, and what loaders are made of them. */
export interface InputBlock<X, Loaders, Options extends object> {
  /** Its name, for people. */
  readonly name: string;
  /** Whether inputs are all there is, as in a language model: then it is the only block. */
  readonly alone?: boolean;
  /** Loaders of a set. */
  loaders(set: BlockSet<X>, options: Options): Promise<Loaders>;
  /** One input, before its transforms. */
  read(x: X): Promise<unknown>;
  /** What happens to the first training item, step by step; throws where it breaks. */
  walk(set: BlockSet<X>, options: Options): AsyncIterable<string>;
}

/** A block, or the function that makes it: `ImageBlock` is short for `ImageBlock()`. */
export type BlockOrMaker<B> = B | (() => B);

/** Options of {@link DataBlock}. */
export interface DataBlockOptions<Source, Item, X, Y, Loaders, Options extends object> {
  /** How inputs are read, and what labels are: `[ImageBlock, CategoryBlock]`; without labels `[TextBlock({ isLm: true })]`. */
  readonly blocks:
    | readonly [input: BlockOrMaker<InputBlock<X, Loaders, Options>>, target: BlockOrMaker<TargetBlock<Y>>]
    | readonly [input: BlockOrMaker<InputBlock<X, Loaders, Options>>];
  /** The items of a source, such as `getImageFiles` of a folder; by default the source is the list of them. */
  readonly getItems?: (source: Source) => readonly Item[] | Promise<readonly Item[]>;
  /** What the input of an item is read from; by default the item itself. */
  readonly getX?: (item: Item) => X;
  /** The label of an item; needed where there is a block of labels. */
  readonly getY?: (item: Item) => Y;
  /** Divides the items; by default a random fifth is validated on. */
  readonly splitter?: DataSplitter<Item>;
  /** Transforms of single items, such as `new Resize(224)`. */
  readonly itemTfms?: unknown;
  /** Transforms of batches, such as `augTransforms()`. */
  readonly batchTfms?: unknown;
}

/** Items of one part of a {@link DataBlock.datasets}. */
export class BlockItems<X, Y> {
  readonly #set: BlockSet<X, Y>;
  readonly #at: readonly number[];
  readonly #target: Target<Y>;
  readonly #read: (x: X) => Promise<unknown>;

  /** Items of `set` at some positions. */
  constructor(set: BlockSet<X, Y>, at: readonly number[], target: Target<Y>, read: (x: X) => Promise<unknown>) {
    this.#set = set;
    this.#at = at;
    this.#target = target;
    this.#read = read;
  }

  /** Number of items. */
  get length(): number {
    return this.#at.length;
  }

  /**
   * Item `i`: its input as it is read, its label as the data has it, and as numbers; null where those need the image, or there
   * are none.
   */
  async get(i: number): Promise<{ readonly x: unknown; readonly label: Y; readonly y: ItemPart | null }> {
    const at = this.#at[i];
    if (at === undefined) throw new DataError(`Cannot get item ${i}: there are ${this.length}, counted from 0`);
    const label = this.#set.y[at], of = nameOf(this.#set.x[at]);
    const x = await this.#read(this.#set.x[at]);
    const apart = "place" in this.#target || this.#target.kind === "none";
    return { x, label, y: apart ? null : this.#target.encode(label, of) };
  }
}

/** What {@link DataBlock.datasets} gives. */
export interface BlockDatasets<X, Y> {
  /** Items to train on. */
  readonly train: BlockItems<X, Y>;
  /** Items to validate on. */
  readonly valid: BlockItems<X, Y>;
  /** What labels are. */
  readonly target: Target<Y>;
}

/**
 * A description of data, from which loaders are made.
 *
 * @example
 * ```ts ignore
 * const pets = new DataBlock({
 *   blocks: [ImageBlock, CategoryBlock],
 *   getItems: getImageFiles,
 *   getY: RegexLabeller(/^(.*)_\d+\.jpg$/),
 *   splitter: RandomSplitter(0.2, { seed: 42 }),
 *   itemTfms: new Resize(460),
 *   batchTfms: augTransforms({ size: 224, minScale: 0.75 }),
 * });
 * console.log(await pets.summary("images"));
 * const dls = await pets.dataloaders("images", { bs: 64 });
 * ```
 */
export class DataBlock<Source, Item, X, Y, Loaders, Options extends object> {
  readonly #options: DataBlockOptions<Source, Item, X, Y, Loaders, Options>;
  readonly #input: InputBlock<X, Loaders, Options>;
  readonly #target: TargetBlock<Y>;

  /** Takes the parts; see {@link DataBlockOptions}. */
  constructor(options: DataBlockOptions<Source, Item, X, Y, Loaders, Options>) {
    checkOptions("make a DataBlock", options, {
      blocks: other("two blocks, as in [ImageBlock, CategoryBlock]", Array.isArray),
      getItems: func(),
      getX: func(),
      getY: func(),
      splitter: func(),
      itemTfms: other("transforms"),
      batchTfms: other("transforms"),
    });
    const { blocks, getY } = options;
    const [input, target] = (blocks ?? []).map((b) => typeof b === "function" ? b() : b);
    const alone = (input as InputBlock<X, Loaders, Options> | undefined)?.alone === true;
    if (blocks?.length !== (alone ? 1 : 2)) {
      throw new ConfigError(
        `Cannot make a DataBlock: ${
          alone
            ? `${input.name} is the only block, since it needs no labels`
            : "it takes two blocks, how inputs are read and what labels are"
        }, got ${blocks?.length}`,
      );
    }
    if (!alone && getY === undefined) {
      throw new ConfigError("Cannot make a DataBlock: it needs { getY }, the label of an item");
    }
    if (alone && getY !== undefined) {
      throw new ConfigError(`Cannot make a DataBlock with { getY }: ${input.name} needs no labels`);
    }
    if (typeof (input as InputBlock<X, Loaders, Options>)?.loaders !== "function") {
      throw new ConfigError(
        `Cannot make a DataBlock: the first block reads inputs, such as ImageBlock, got ${shown(input)}`,
      );
    }
    if (!alone && typeof (target as TargetBlock<Y>)?.setup !== "function") {
      const name = (target as { name?: string })?.name;
      throw new ConfigError(
        `Cannot make a DataBlock: the second block is of labels, such as CategoryBlock, got ${name ?? shown(target)}`,
      );
    }
    this.#options = options;
    this.#input = input as InputBlock<X, Loaders, Options>;
    this.#target = alone ? NoTargetBlock as unknown as TargetBlock<Y> : target as TargetBlock<Y>;
  }

  async #items(source: Source): Promise<readonly Item[]> {
    const { getItems } = this.#options;
    const items: unknown = getItems === undefined ? source : await getItems(source);
    if (!Array.isArray(items)) {
      throw new DataError(`Cannot find items: getItems gives a list of them, got ${shown(items)}`);
    }
    if (items.length === 0) throw new DataError("Cannot find items: there are none");
    return items;
  }

  #set(source: Source, items: readonly Item[]): BlockSet<X, Y> {
    const { splitter = RandomSplitter(), itemTfms, batchTfms } = this.#options;
    const x = items.map((item, i) => this.#one("input", item, i)),
      y = items.map((item, i) => this.#one("label", item, i));
    const { train, valid, notes } = splitOf(splitter, items);
    return {
      path: typeof source === "string" ? source : ".",
      x: x as X[],
      y: y as Y[],
      split: [train, valid],
      notes,
      target: this.#target,
      itemTfms: [itemTfms ?? []].flat(),
      batchTfms: [batchTfms ?? []].flat(),
    };
  }

  /** The input or the label of an item; what fails says which item it was. */
  #one(what: "input" | "label", item: Item, i: number): unknown {
    const { getX, getY } = this.#options, of = what === "input" ? getX : getY;
    if (of === undefined) return what === "input" ? item : null;
    const where = `Cannot get the ${what} of item ${i}, ${shortened(item)}: ${what === "input" ? "getX" : "getY"}`;
    let value: unknown;
    try {
      value = of(item);
    } catch (cause) {
      throw new DataError(`${where} fails: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
    if (value !== undefined && value !== null) return value;
    throw new DataError(`${where} gives ${value === null ? "null" : "nothing"}; leave such items out in getItems`);
  }

  /**
   * Loaders of a source.
   *
   * @param options Those of the first block's loaders, such as `{ bs: 64 }`.
   */
  async dataloaders(source: Source, options: Options = {} as Options): Promise<Loaders> {
    return await this.#input.loaders(this.#set(source, await this.#items(source)) as BlockSet<X>, options);
  }

  /**
   * Loaders whose training items are drawn by weights: see `WeightedSampler`.
   *
   * @param wgts The weight of each item of the source, those to validate on included; or a function of items.
   * @param options Those of {@link DataBlock.dataloaders}.
   */
  async weightedDataloaders(
    source: Source,
    wgts: ArrayLike<number> | ((item: Item) => number),
    options: Options = {} as Options,
  ): Promise<Loaders> {
    const items = await this.#items(source), set = this.#set(source, items);
    const all = typeof wgts === "function" ? items.map((item) => wgts(item)) : wgts;
    if (all?.length !== items.length) {
      throw new DataError(`Cannot weigh ${items.length} items: there are ${all?.length ?? "no"} weights`);
    }
    const dls = await this.#input.loaders(set as BlockSet<X>, options);
    weightedDataloaders(dls as unknown as DataLoaders, set.split[0].map((i) => all[i]));
    return dls;
  }

  /**
   * Loaders of which every epoch has `partialN` training items: see `PartialSampler`.
   *
   * @param options Those of {@link DataBlock.dataloaders}.
   */
  async partialDataloaders(source: Source, partialN: number, options: Options = {} as Options): Promise<Loaders> {
    const dls = await this.dataloaders(source, options);
    partialDataloaders(dls as unknown as DataLoaders, partialN);
    return dls;
  }

  /** Items of a source without transforms, divided; and what their labels are. */
  async datasets(source: Source): Promise<BlockDatasets<X, Y>> {
    const set = this.#set(source, await this.#items(source));
    const [train, valid] = set.split;
    const target = set.target.setup(train.map((i) => set.y[i]), train.map((i) => nameOf(set.x[i])));
    const read = (x: X) => this.#input.read(x);
    return { train: new BlockItems(set, train, target, read), valid: new BlockItems(set, valid, target, read), target };
  }

  /**
   * Walks one item through: what is found, how it is divided and labelled, and what transforms make of it. Where something
   * breaks, the last line says what and where.
   *
   * @param options Those of {@link DataBlock.dataloaders}.
   */
  async summary(source: Source, options: Options = {} as Options): Promise<string> {
    const { summaryOf } = await import("./summary.ts"); // code that training does without
    const parts = {
      input: this.#input,
      target: this.#target,
      items: () => this.#items(source),
      one: (what: "input" | "label", item: Item) => this.#one(what, item, 0),
      set: (items: readonly Item[]) => this.#set(source, items),
      labelled: this.#options.getY !== undefined,
      nameOf,
      shortened,
    };
    return await summaryOf(parts, options);
  }
}

function nameOf(x: unknown): string {
  return typeof x === "string" ? x : shortened(x);
}

function shortened(value: unknown): string {
  const text = value instanceof Uint8Array ? `${value.length} bytes` : shown(value);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
