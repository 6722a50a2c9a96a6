/**
 * What items are paired with: how labels as the data has them become numbers of a batch, and numbers names again.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, type OptionTable, other, shown } from "../base/options.ts";
import type { ItemPart } from "../data/mod.ts";
import { codesOf, type Label, vocabOf } from "../data/labels.ts";
import { BCEWithLogitsLoss, CrossEntropyLoss, type Loss, MSELoss } from "../nn/mod.ts";
import type { Dtype } from "../tensor/mod.ts";

/** Labels of one kind, as training has set them up. */
export interface Target<Y = unknown> {
  /** Which kind: "category", "mask" and so on. */
  readonly kind: string;
  /** Outputs of a model: the number of classes, or of numbers. */
  readonly c: number;
  /** The classes, in the order of their numbers; empty where there are none. */
  readonly vocab: readonly Label[];
  /** Type of a batch. */
  readonly dtype: Dtype;
  /** The loss that goes with it. */
  lossFunc(): Loss;
  /**
   * One label as numbers.
   *
   * @param of The item, for errors.
   * @throws {DataError} Where it is none that training knows.
   */
  encode(label: Y, of: string): ItemPart;
  /** A label's numbers, as {@link Target.encode} gives them or as predictions are decoded, in words. */
  caption(numbers: ArrayLike<number>): string;
}

/** How to set up a {@link Target}: the second of a data block's blocks. */
export interface TargetBlock<Y = unknown> {
  /** Its name, for people. */
  readonly name: string;
  /**
   * Looks at the labels of training.
   *
   * @param items The items, for errors.
   */
  setup(labels: readonly Y[], items: readonly string[]): Target<Y>;
}

/** The block of what has no labels. */
export const NoTargetBlock: TargetBlock<null> = {
  name: "no labels",
  setup: () => ({
    kind: "none",
    c: 0,
    vocab: [],
    dtype: "i32",
    lossFunc: () => new CrossEntropyLoss(),
    encode: (_label, of) => {
      throw new ConfigError(`Cannot label ${of}: this data has no labels`);
    },
    caption: () => "",
  }),
};

/** The classes that `known` names, or those of the labels; refuses names that come twice. */
function vocabulary(known: readonly Label[] | undefined, labels: () => readonly Label[]): readonly Label[] {
  if (known === undefined) return vocabOf(labels());
  const twice = known.find((label, i) => known.indexOf(label) !== i);
  if (twice !== undefined) throw new ConfigError(`Cannot number classes: ${shown(twice)} is in vocab twice`);
  return known;
}

/** One class an item: i32. The loss is cross-entropy. */
export class CategoryTarget implements Target<Label> {
  /** See {@link Target.kind}. */
  readonly kind = "category";
  /** See {@link Target.dtype}. */
  readonly dtype = "i32";
  /** See {@link Target.vocab}. */
  readonly vocab: readonly Label[];
  readonly #codes: ReadonlyMap<Label, number>;

  /**
   * Labels that are among these classes.
   *
   * @param vocab The classes, in the order of their numbers.
   */
  constructor(vocab: readonly Label[]) {
    this.vocab = vocab;
    this.#codes = new Map(vocab.map((label, code) => [label, code]));
  }

  /** Number of classes. */
  get c(): number {
    return this.vocab.length;
  }

  /** See {@link Target.lossFunc}. */
  lossFunc(): Loss {
    return new CrossEntropyLoss();
  }

  /** See {@link Target.encode}. */
  encode(label: Label, of: string): number {
    return this.#codes.get(label) ?? codesOf([label], this.vocab, [of])[0];
  }

  /** See {@link Target.caption}. */
  caption(numbers: ArrayLike<number>): string {
    return String(this.vocab[numbers[0]]);
  }
}

/** Any number of classes an item: f32 `[c]`, 1 for those that it has. The loss is binary cross-entropy. */
export class MultiCategoryTarget implements Target<readonly Label[]> {
  /** See {@link Target.kind}. */
  readonly kind = "multiCategory";
  /** See {@link Target.dtype}. */
  readonly dtype = "f32";
  /** See {@link Target.vocab}. */
  readonly vocab: readonly Label[];
  readonly #codes: ReadonlyMap<Label, number>;

  /**
   * Labels that are among these classes.
   *
   * @param vocab The classes, in the order of their numbers.
   */
  constructor(vocab: readonly Label[]) {
    this.vocab = vocab;
    this.#codes = new Map(vocab.map((label, code) => [label, code]));
  }

  /** Number of classes. */
  get c(): number {
    return this.vocab.length;
  }

  /** See {@link Target.lossFunc}. */
  lossFunc(): Loss {
    return new BCEWithLogitsLoss();
  }

  /** See {@link Target.encode}. */
  encode(labels: readonly Label[], of: string): Float32Array {
    if (!Array.isArray(labels)) {
      throw new DataError(`Cannot label ${of}: it takes a list of classes, which may be empty, got ${shown(labels)}`);
    }
    const out = new Float32Array(this.c);
    for (const label of labels) out[this.#codes.get(label) ?? codesOf([label], this.vocab, [of])[0]] = 1;
    return out;
  }

  /** Names of the classes that it has, as fastai writes them: with `;` between. */
  caption(numbers: ArrayLike<number>): string {
    return this.names(numbers).join(";");
  }

  /** The classes whose number is not 0. */
  names(numbers: ArrayLike<number>): readonly Label[] {
    return this.vocab.filter((_, i) => numbers[i] !== 0);
  }
}

/** Numbers: f32, `[]` or `[c]`. The loss is the squared difference. */
export class RegressionTarget implements Target<number | readonly number[]> {
  /** See {@link Target.kind}. */
  readonly kind = "regression";
  /** See {@link Target.dtype}. */
  readonly dtype = "f32";
  /** See {@link Target.vocab}. */
  readonly vocab: readonly Label[] = [];
  /** How many numbers an item has. */
  readonly c: number;
  readonly #list: boolean;

  /**
   * Labels of numbers.
   *
   * @param c How many numbers an item has.
   * @param list Whether labels are lists, also of a single number.
   */
  constructor(c: number, list: boolean) {
    this.c = c;
    this.#list = list;
  }

  /** See {@link Target.lossFunc}. */
  lossFunc(): Loss {
    return new MSELoss();
  }

  /** See {@link Target.encode}. */
  encode(label: number | readonly number[], of: string): ItemPart {
    const all = Array.isArray(label) ? label as readonly number[] : [label as number];
    if (Array.isArray(label) !== this.#list || all.length !== this.c) {
      const takes = this.#list ? `${this.c} numbers, as the first item has` : "a number, as the first item has";
      throw new DataError(`Cannot label ${of}: it takes ${takes}, got ${shown(label)}`);
    }
    const bad = all.find((v) => typeof v !== "number" || !Number.isFinite(v));
    if (bad !== undefined) throw new DataError(`Cannot label ${of}: a label is a finite number, got ${shown(bad)}`);
    return this.#list ? Float32Array.from(all) : all[0];
  }

  /** See {@link Target.caption}. */
  caption(numbers: ArrayLike<number>): string {
    return Array.from(numbers, (v) => String(Number(v.toPrecision(4)))).join(", ");
  }
}

/** Options of {@link CategoryBlock} and {@link MultiCategoryBlock}. */
export interface CategoryBlockOptions {
  /** The classes in order; by default those of the training items, sorted. */
  readonly vocab?: readonly Label[];
}

const CLASSES: OptionTable<CategoryBlockOptions> = { vocab: other("classes", Array.isArray) };

/** The block of one class an item; its labels are names. */
export function CategoryBlock(options: CategoryBlockOptions = {}): TargetBlock<Label> {
  const { vocab } = checkOptions("make CategoryBlock", options, CLASSES);
  return { name: "CategoryBlock", setup: (labels) => new CategoryTarget(vocabulary(vocab, () => labels)) };
}

/** The block of any number of classes an item; its labels are lists of names. */
export function MultiCategoryBlock(options: CategoryBlockOptions = {}): TargetBlock<readonly Label[]> {
  const { vocab } = checkOptions("make MultiCategoryBlock", options, CLASSES);
  return {
    name: "MultiCategoryBlock",
    setup: (labels, items) => {
      labels.forEach((all, i) => {
        if (!Array.isArray(all)) {
          throw new DataError(`Cannot label ${items[i]}: it takes a list of classes, got ${shown(all)}`);
        }
      });
      return new MultiCategoryTarget(vocabulary(vocab, () => labels.flat()));
    },
  };
}

/** The block of numbers: a number an item, or a list of as many as the first item has. */
export function RegressionBlock(): TargetBlock<number | readonly number[]> {
  return {
    name: "RegressionBlock",
    setup: ([first]) => {
      const list = Array.isArray(first);
      return new RegressionTarget(list ? (first as readonly number[]).length : 1, list);
    },
  };
}
