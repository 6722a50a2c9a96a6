/**
 * Models of ratings: who likes what, from vectors of users and items.
 *
 * @see Koren et al. 2009, doi:10.1109/MC.2009.263
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ConfigError, DataError } from "../base/errors.ts";
import {
  checkArgument,
  checkOptions,
  nums,
  objectWith,
  oneOf,
  type OptionTable,
  other,
  texts,
} from "../base/options.ts";
import { sizeOf } from "../base/shape.ts";
import { aGenerator, type Rng, type Tensor, tensor } from "../tensor/mod.ts";
import { checkSizes, Embedding } from "./linear.ts";
import { Module } from "./module.ts";
import { TabularModel } from "./tabular.ts";
import type { WeightInit } from "./weight_init.ts";

/** What a model of ratings must know of its table: two columns of words, users and items. */
export interface CollabInputs {
  /** Users and items: number 0 stands for all that training has not seen. */
  readonly categorical: readonly { readonly name: string; readonly words: readonly string[] }[];
}

/** Options of {@link EmbeddingDotBias}. */
export interface EmbeddingDotBiasOptions {
  /** Range of the ratings, through a sigmoid: a little more than the ratings' own, such as [0, 5.5]; free by default. */
  readonly yRange?: readonly [low: number, high: number];
  /** Where the first vectors come from; the default generator. */
  readonly rng?: Rng;
}

const aRange = other<readonly [number, number]>(
  "two rising numbers",
  (v) =>
    nums.holds(v) && (v as readonly number[]).length === 2 && (v as readonly number[])[0] < (v as readonly number[])[1],
);
const DOT_BIAS: OptionTable<EmbeddingDotBiasOptions> = { yRange: aRange, rng: aGenerator };

/** Which vectors {@link EmbeddingDotBias.bias} and {@link EmbeddingDotBias.factors} are asked for. */
export interface WhoseOptions {
  /** Users or items; items by default. */
  readonly of?: "user" | "item";
}

/** Normal numbers of deviation 0.01, none beyond twice that: how fastai draws embeddings. */
const SMALL: WeightInit = (shape, rng) => {
  const size = sizeOf(shape), out = rng.normalArray(size);
  for (let i = 0; i < size; i++) {
    while (Math.abs(out[i]) > 2) out[i] = rng.normalArray(1)[0];
    out[i] *= 0.01;
  }
  return out;
};

/**
 * The product of a user's and an item's vector, and a bias of each: fastai's `EmbeddingDotBias`, with its names. Inputs are
 * users and items, i32 `[n, 2]`, and what else batches of tables have; the output is `[n]`.
 *
 * @example
 * ```ts ignore
 * const dls = await CollabDataLoaders.fromTable("ratings.csv", { user: "user", item: "movie", rating: "rating" });
 * const model = nn.EmbeddingDotBias.fromSchema(50, dls.schema, { yRange: [0, 5.5] });
 * ```
 */
export class EmbeddingDotBias extends Module<[words: Tensor, numbers?: Tensor]> {
  /** Vectors of users. */
  readonly u_weight: Embedding;
  /** Vectors of items. */
  readonly i_weight: Embedding;
  /** Biases of users. */
  readonly u_bias: Embedding;
  /** Biases of items. */
  readonly i_bias: Embedding;
  readonly #range: readonly [number, number] | null;
  #words: { readonly user: readonly string[]; readonly item: readonly string[] } | null = null;

  /**
   * Draws the first vectors.
   *
   * @param nFactors Numbers in a vector.
   * @param nUsers Users, the unknown one included.
   * @param nItems Items, the unknown one included.
   */
  constructor(
    readonly nFactors: number,
    readonly nUsers: number,
    readonly nItems: number,
    options: EmbeddingDotBiasOptions = {},
  ) {
    super();
    const { yRange, rng } = checkOptions("make EmbeddingDotBias", options, DOT_BIAS);
    checkSizes("EmbeddingDotBias", { nFactors, nUsers, nItems });
    const drawn = { init: SMALL, ...(rng === undefined ? {} : { rng }) };
    this.u_weight = new Embedding(nUsers, nFactors, drawn);
    this.i_weight = new Embedding(nItems, nFactors, drawn);
    this.u_bias = new Embedding(nUsers, 1, drawn);
    this.i_bias = new Embedding(nItems, 1, drawn);
    this.#range = yRange ?? null;
  }

  /** A model for the users and items of a table: the `schema` of its loaders. Their names are known then. */
  static fromSchema(nFactors: number, schema: CollabInputs, options: EmbeddingDotBiasOptions = {}): EmbeddingDotBias {
    checkOptions("make EmbeddingDotBias", options, DOT_BIAS);
    checkArgument("make EmbeddingDotBias", "schema", schema, objectWith<CollabInputs>("dls.schema", "categorical"));
    if (schema.categorical.length !== 2) {
      const names = schema.categorical.map(({ name }) => name).join(", ");
      throw new ConfigError(
        `Cannot make EmbeddingDotBias: the table has two columns of words, users and items, got ${names}`,
      );
    }
    const [user, item] = schema.categorical.map(({ words }) => words);
    const model = new EmbeddingDotBias(nFactors, user.length + 1, item.length + 1, options);
    model.#words = { user, item };
    return model;
  }

  /** `[n, 2]` gives `[n]`. */
  override forward(words: Tensor): Tensor {
    const n = words.shape[0], at = (k: number) => words.slice([null, [k, k + 1]]).reshape([n]);
    const users = at(0), items = at(1);
    const dot = this.u_weight.forward(users).mul(this.i_weight.forward(items)).sum({ axis: 1 });
    const y = dot.add(this.u_bias.forward(users).reshape([n])).add(this.i_bias.forward(items).reshape([n]));
    if (this.#range === null) return y;
    const [low, high] = this.#range;
    return y.sigmoid().mul(high - low).add(low);
  }

  #rows(names: readonly string[], of: "user" | "item"): Tensor {
    if (this.#words === null) {
      throw new ConfigError(
        "Cannot look up names: this model does not know them, make it by EmbeddingDotBias.fromSchema",
      );
    }
    const known = new Map(this.#words[of].map((word, i) => [word, i + 1]));
    return tensor(Int32Array.from(names, (name) => {
      const row = known.get(name);
      if (row !== undefined) return row;
      throw new DataError(`Cannot look up the ${of} ${JSON.stringify(name)}: training has not seen it`);
    }));
  }

  /** Biases of users or items by name, `[names]`: how much more an item is liked than its vector says. */
  bias(names: readonly string[], options: WhoseOptions = {}): Tensor {
    const { of = "item" } = checkOptions("look up biases", options, { of: oneOf("user", "item") });
    checkArgument("look up biases", "names", names, texts);
    return (of === "item" ? this.i_bias : this.u_bias).forward(this.#rows(names, of)).reshape([names.length]);
  }

  /** Vectors of users or items by name, `[names, factors]`; fastai's `weight`. */
  factors(names: readonly string[], options: WhoseOptions = {}): Tensor {
    const { of = "item" } = checkOptions("look up vectors", options, { of: oneOf("user", "item") });
    checkArgument("look up vectors", "names", names, texts);
    return (of === "item" ? this.i_weight : this.u_weight).forward(this.#rows(names, of));
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { nFactors, nUsers, nItems } = this;
    const range = this.#range === null ? {} : { yRange: this.#range };
    return { kind: "EmbeddingDotBias", nFactors, nUsers, nItems, ...range };
  }
}

/** Options of {@link EmbeddingNN}. */
export interface EmbeddingNNOptions {
  /** Widths of the layers; [50] by default. */
  readonly layers?: readonly number[];
  /** Range of the ratings, through a sigmoid; free by default. */
  readonly yRange?: readonly [low: number, high: number];
}

/** Vectors of users and items side by side, through layers, to one number `[n, 1]`: fastai's `EmbeddingNN`. */
export class EmbeddingNN extends TabularModel {
  readonly #range: readonly [number, number] | null;
  readonly #json: { readonly words: readonly number[]; readonly layers: readonly number[] };

  /**
   * Draws the first weights.
   *
   * @param schema The `schema` of the loaders: users and items, or any columns of words.
   */
  constructor(schema: CollabInputs, options: EmbeddingNNOptions = {}) {
    const { layers = [50], yRange } = checkOptions("make EmbeddingNN", options, { layers: nums, yRange: aRange });
    checkArgument("make EmbeddingNN", "schema", schema, objectWith<CollabInputs>("dls.schema", "categorical"));
    super({ categorical: schema.categorical, numeric: [] }, 1, { layers });
    this.#range = yRange ?? null;
    this.#json = { words: schema.categorical.map(({ words }) => words.length), layers };
  }

  /** `[n, words]` gives `[n, 1]`. */
  override forward(words: Tensor, numbers: Tensor): Tensor {
    const y = super.forward(words, numbers);
    if (this.#range === null) return y;
    const [low, high] = this.#range;
    return y.sigmoid().mul(high - low).add(low);
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    return { kind: "EmbeddingNN", ...this.#json, ...(this.#range === null ? {} : { yRange: this.#range }) };
  }
}
