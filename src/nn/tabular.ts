/**
 * Tables: words as vectors, next to numbers, through layers.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ConfigError } from "../base/errors.ts";
import { checkArgument, checkOptions, num, nums, objectWith } from "../base/options.ts";
import { cat, type Tensor } from "../tensor/mod.ts";
import { Dropout, ReLU } from "./activations.ts";
import { Sequential } from "./containers.ts";
import { Embedding, Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { BatchNorm1d } from "./norm.ts";

/** Options of {@link TabularModel}. */
export interface TabularModelOptions {
  /** Sizes of the layers between inputs and outputs; `[200, 100]` by default. */
  readonly layers?: readonly number[];
  /** Probability of dropout after each of them, in [0, 1); 0 by default. */
  readonly dropout?: number;
  /** Probability of dropout on the vectors of words, in [0, 1); 0 by default. */
  readonly embedDropout?: number;
}

/** Columns as a table's schema has them. */
export interface TabularInputs {
  /** Columns of numbers. */
  readonly numeric: readonly unknown[];
  /** Columns of words. */
  readonly categorical: readonly { readonly words: readonly string[] }[];
}

/** Size of the vector of a word among `count`, fastai's rule of thumb. */
export function embeddingSize(count: number): number {
  return Math.min(600, Math.round(1.6 * count ** 0.56));
}

/**
 * A vector for each word, batch norm on the numbers, then linear layers, each followed by ReLU, batch norm and dropout.
 * Inputs are numbers of words, i32 `[n, words]`, and numbers, f32 `[n, numbers]`; the output is `[n, outputs]`.
 */
export class TabularModel extends Module<[Tensor, Tensor]> {
  /** One for each column of words. */
  readonly embeds: readonly Embedding[];
  /** Dropout on the vectors. */
  readonly embDrop: Dropout;
  /** Scales the numbers; null where there are none. */
  readonly bnCont: BatchNorm1d | null;
  /** The layers. */
  readonly layers: Sequential;
  readonly #facts: Omit<LayerJson, "kind">;

  /**
   * Makes the model.
   *
   * @param inputs What the columns are: the `schema` of `DataLoaders.fromCsv`.
   * @param outputs Size of the output: the number of classes, or 1 for a number.
   */
  constructor(inputs: TabularInputs, outputs: number, options: TabularModelOptions = {}) {
    super();
    checkOptions("make TabularModel", options, { layers: nums, dropout: num, embedDropout: num });
    checkArgument(
      "make TabularModel",
      "inputs",
      inputs,
      objectWith("the schema of a table, as dls.schema", "categorical", "numeric"),
    );
    const { layers = [200, 100], dropout = 0, embedDropout = 0 } = options;
    const sizes = inputs.categorical.map(({ words }) => [words.length + 1, embeddingSize(words.length + 1)]);
    this.embeds = sizes.map(([count, size]) => new Embedding(count, size));
    this.embDrop = new Dropout(embedDropout);
    const numbers = inputs.numeric.length;
    this.bnCont = numbers > 0 ? new BatchNorm1d(numbers) : null;
    let width = numbers + sizes.reduce((sum, [, size]) => sum + size, 0);
    if (width === 0) throw new ConfigError("Cannot make a TabularModel: the table has no columns to learn from");
    const all: Module[] = [];
    for (const size of layers) {
      all.push(new Linear(width, size, { bias: false }), new ReLU(), new BatchNorm1d(size));
      if (dropout > 0) all.push(new Dropout(dropout));
      width = size;
    }
    this.layers = new Sequential(...all, new Linear(width, outputs));
    this.#facts = { words: sizes.map(([count]) => count - 1), numbers, outputs, layers, dropout, embedDropout };
  }

  /** `[n, words]` and `[n, numbers]` give `[n, outputs]`. */
  override forward(words: Tensor, numbers: Tensor): Tensor {
    const n = numbers.shape[0];
    const vectors = this.embeds.map((embed, i) => embed.forward(words.slice([null, [i, i + 1]]).reshape([n])));
    const parts = vectors.length === 0 ? [] : [this.embDrop.forward(cat(vectors, { axis: 1 }))];
    if (this.bnCont !== null) parts.push(this.bnCont.forward(numbers));
    return this.layers.forward(parts.length === 1 ? parts[0] : cat(parts, { axis: 1 }));
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { ...this.#facts, kind: "TabularModel" };
  }
}
