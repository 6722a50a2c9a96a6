/**
 * Embeddings of sets.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { DtypeError, ShapeError } from "../base/errors.ts";
import { checkOptions, num, oneOf, type OptionTable } from "../base/options.ts";
import { fmtShape } from "../base/shape.ts";
import { aGenerator, arange, type Rng, type Tensor, where } from "../tensor/mod.ts";
import { Embedding } from "./linear.ts";
import { Module } from "./module.ts";

/** Options of {@link EmbeddingBag}. */
export interface EmbeddingBagOptions {
  /** What becomes of the rows of a bag; `"mean"` by default. */
  readonly mode?: "mean" | "sum";
  /** Row that is 0 at first, gets no gradient and does not count in bags. */
  readonly paddingIdx?: number;
  /** Where the first weights come from; the default generator. */
  readonly rng?: Rng;
}

const OPTIONS: OptionTable<EmbeddingBagOptions> = { mode: oneOf("mean", "sum"), paddingIdx: num, rng: aGenerator };

/**
 * The mean, or sum, of rows of `weight` `[count, size]`: one vector for each bag of numbers. A bag without any gives 0. Bags are
 * the rows of `[b, n]`, or parts of `[n]` that start at `offsets` `[b]`. Names and first weights are PyTorch's.
 */
export class EmbeddingBag extends Module<[index: Tensor, offsets?: Tensor], Tensor> {
  /** `[count, size]`, a row for each number. */
  readonly weight: Embedding["weight"];
  /** What becomes of the rows of a bag. */
  readonly mode: "mean" | "sum";
  /** Row that does not count, or null. */
  readonly paddingIdx: number | null;
  readonly #rows: Embedding;

  /**
   * Draws the first rows.
   *
   * @param count Number of rows.
   * @param size Size of a row; drawn from the standard normal distribution.
   */
  constructor(readonly count: number, readonly size: number, options: EmbeddingBagOptions = {}) {
    super();
    const { mode = "mean", ...own } = checkOptions("make EmbeddingBag", options, OPTIONS);
    this.#rows = new Embedding(count, size, own);
    this.weight = this.#rows.weight;
    this.mode = mode;
    this.paddingIdx = this.#rows.paddingIdx;
  }

  /** `[b, n]`, or `[n]` with `offsets` `[b]` that ascend from 0, gives `[b, size]`. */
  override forward(index: Tensor, offsets?: Tensor): Tensor {
    const bags = offsets === undefined ? this.#check(index, 2) : null;
    const rows = this.#rows.forward(index);
    const counts = this.paddingIdx === null ? null : index.ne(this.paddingIdx).cast("f32");
    if (bags !== null) {
      const sum = (counts === null ? rows : where(counts.unsqueeze(2).ne(0), rows, 0)).sum({ axis: 1 });
      const n = counts === null ? index.shape[1] : counts.sum({ axis: 1, keepdim: true });
      return this.mode === "sum" ? sum : typeof n === "number" ? sum.div(Math.max(1, n)) : sum.div(n.maximum(1));
    }
    const own = this.#membership(index, offsets!);
    const used = counts === null ? own : own.mul(counts.unsqueeze(0));
    const sum = used.matmul(rows);
    return this.mode === "sum" ? sum : sum.div(used.sum({ axis: 1, keepdim: true }).maximum(1));
  }

  /** 1 where a number belongs to a bag, `[b, n]`. */
  #membership(index: Tensor, offsets: Tensor): Tensor {
    this.#check(index, 1);
    if (offsets.shape.length !== 1 || offsets.shape[0] === 0) {
      throw new ShapeError(`Cannot apply EmbeddingBag with offsets of shape ${fmtShape(offsets.shape)}: they are [b]`);
    }
    if (offsets.dtype === "f32" || offsets.dtype === "bool") {
      throw new DtypeError(`Cannot apply EmbeddingBag with offsets of type ${offsets.dtype}: they are whole numbers`);
    }
    const [b] = offsets.shape, [n] = index.shape;
    const bag = arange(n, { dtype: "i32" }).reshape([1, n]).ge(offsets.cast("i32").reshape([b, 1])).cast("i32")
      .sum({ axis: 0 }).sub(1);
    return arange(b, { dtype: "i32" }).reshape([b, 1]).eq(bag.reshape([1, n])).cast("f32");
  }

  #check(index: Tensor, rank: number): true {
    if (index.shape.length === rank) return true;
    throw new ShapeError(
      `Cannot apply EmbeddingBag to ${fmtShape(index.shape)}: it takes [b, n], or [n] and the offsets of the bags`,
    );
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { count, size, mode, paddingIdx } = this;
    return { kind: "EmbeddingBag", count, size, mode, paddingIdx };
  }
}
