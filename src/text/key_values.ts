/**
 * Keys and values that attention has made of a text's positions: a token more need not go through all of them again.
 *
 * @module
 */
import { arange, assign, type Memory, memory, type Tensor, viewOf } from "../tensor/mod.ts";

/**
 * What an encoder keeps of one text. Sizes are fixed, and places travel with the launch, so that texts of any length up to
 * {@link TextCache.positions} run one program.
 */
export interface TextCache {
  /** Most positions of the text. */
  readonly positions: number;
  /**
   * Features of a text from its start on, and keeps what later tokens need of it.
   *
   * @param ids i32 `[1, n]`, `n` up to {@link TextCache.positions}; what lies behind the text's end is any token.
   * @returns `[1, n, hiddenSize]`
   */
  start(ids: Tensor): Tensor;
  /**
   * Features of one token more, whose predecessors have all been given.
   *
   * @param id i32 `[1, 1]`.
   * @param at Its position, from 0, below {@link TextCache.positions}.
   * @returns `[1, 1, hiddenSize]`
   */
  next(id: Tensor, at: number): Tensor;
  /** Gives the memory back. */
  dispose(): void;
}

/** Where a token stands that is given alone. */
export interface Place {
  readonly at: number;
  /** bool `[1, 1, 1, positions]`: which positions it sees. */
  readonly seen: Tensor;
}

/** The place `at` among so many positions. */
export function placeOf(at: number, positions: number, here: Tensor): Place {
  return { at, seen: arange(positions).le(here).reshape([1, 1, 1, positions]) };
}

/** Keys and values of one layer, `[positions, features]` each. */
export class KeyValues {
  readonly #keys: Memory;
  readonly #values: Memory;

  /** Makes room. */
  constructor(readonly positions: number, readonly features: number) {
    this.#keys = memory(positions * features);
    this.#values = memory(positions * features);
  }

  /** Keeps those of a text from its start on, `[1, positions, features]`. */
  fill(k: Tensor, v: Tensor): void {
    this.#write(k, v, 0);
  }

  /** Keeps those of one position, `[1, 1, features]`; gives those of all, `[1, positions, features]`. */
  put(k: Tensor, v: Tensor, at: number): readonly [k: Tensor, v: Tensor] {
    const after = this.#write(k, v, at), shape = [1, this.positions, this.features];
    return [viewOf(this.#keys, shape, { after: [after[0]] }), viewOf(this.#values, shape, { after: [after[1]] })];
  }

  #write(k: Tensor, v: Tensor, position: number) {
    const at = position * this.features, [keys, values] = [k, v].map((x) => x.detach().cast("f32"));
    return assign([{ memory: this.#keys, value: keys, at }, { memory: this.#values, value: values, at }]);
  }

  /** Gives the memory back. */
  dispose(): void {
    this.#keys.dispose();
    this.#values.dispose();
  }
}
