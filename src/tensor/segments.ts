/**
 * Vectors that are made of segments, as an arena is of its parameters: numbers of segments and of their elements.
 *
 * @module
 */
import { segmentOf } from "../graph/leaves.ts";
import { gather, segmentSum } from "../graph/products.ts";
import { Tensor } from "./tensor.ts";

/** Segments of a vector of `n` elements. */
export class Segments {
  readonly #n: number;
  readonly #starts: readonly number[];
  #number: Tensor | null = null;

  /** @param starts Where each segment starts; ascending from 0. */
  constructor(n: number, starts: readonly number[]) {
    this.#n = n;
    this.#starts = starts;
  }

  /** Numbers of the segments, `[segments]`, for every element, `[n]`. */
  spread(x: Tensor): Tensor {
    this.#number ??= new Tensor(segmentOf(this.#n, this.#starts));
    return new Tensor(gather(x.node, this.#number.node, 0, [this.#n]));
  }

  /** The sum of each segment of `[n]` elements, `[segments]`. */
  sums(x: Tensor): Tensor {
    return new Tensor(segmentSum(x.node, this.#starts));
  }
}
