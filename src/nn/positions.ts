/**
 * Positions in a sequence.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ConfigError, ShapeError } from "../base/errors.ts";
import { checkArgument, checkOptions, num, oneOf, type OptionTable, whole } from "../base/options.ts";
import { fmtShape } from "../base/shape.ts";
import { type Tensor, tensor } from "../tensor/mod.ts";
import { checkSizes } from "./linear.ts";
import { Module } from "./module.ts";

/** Options of {@link SinusoidalPositions}. */
export interface SinusoidalOptions {
  /** Base of the wave lengths; 10,000 by default. */
  readonly base?: number;
  /** Sines and cosines in turn, as in the paper, by default; `"halves"`: first all sines, then all cosines. */
  readonly layout?: "interleaved" | "halves";
}

const OPTIONS: OptionTable<SinusoidalOptions> = { base: num, layout: oneOf("interleaved", "halves") };

/**
 * Adds sines and cosines of the position to vectors `[..., n, dim]`: features `2 i` and `2 i + 1` of position `p` are the sine
 * and the cosine of `p base^(-2 i / dim)`. There is nothing to train, and sequences may be of any length.
 *
 * @see Vaswani et al. 2017, arXiv:1706.03762, 3.5
 */
export class SinusoidalPositions extends Module<[x: Tensor, offset?: number], Tensor> {
  /** Base of the wave lengths. */
  readonly base: number;
  /** Whether sines and cosines stand in turn. */
  readonly layout: "interleaved" | "halves";
  /** The last table, and what it is for. */
  #table: { readonly key: string; readonly table: Tensor } | null = null;

  /**
   * Takes the size of the vectors.
   *
   * @param dim Size of the vectors; an even number.
   */
  constructor(readonly dim: number, options: SinusoidalOptions = {}) {
    super();
    checkOptions("make SinusoidalPositions", options, OPTIONS);
    checkSizes("SinusoidalPositions", { dim });
    const { base = 10_000, layout = "interleaved" } = options;
    if (dim % 2 !== 0) throw new ConfigError(`Cannot make SinusoidalPositions: dim is an even number, got ${dim}`);
    if (!(base > 0 && base < Infinity)) {
      throw new ConfigError(`Cannot make SinusoidalPositions: base is a finite number above 0, got ${base}`);
    }
    this.base = base;
    this.layout = layout;
  }

  /** `[..., n, dim]` with its positions, the first of which is `offset`, 0 by default. */
  override forward(x: Tensor, offset: number = 0): Tensor {
    const { shape } = x, { dim } = this;
    checkArgument("apply SinusoidalPositions", "offset", offset, whole(0));
    if (shape.length < 2 || shape[shape.length - 1] !== dim) {
      throw new ShapeError(`Cannot apply SinusoidalPositions(${dim}) to ${fmtShape(shape)}: it takes [..., n, ${dim}]`);
    }
    const n = shape[shape.length - 2], key = `${n} ${offset}`;
    if (this.#table?.key !== key) this.#table = { key, table: tensor(this.#numbers(n, offset), { shape: [n, dim] }) };
    return x.add(this.#table.table);
  }

  #numbers(n: number, offset: number): Float32Array {
    const { dim, base } = this, half = dim / 2, out = new Float32Array(n * dim);
    for (let p = 0; p < n; p++) {
      for (let i = 0; i < half; i++) {
        const angle = (p + offset) * base ** (-2 * i / dim);
        const [sine, cosine] = this.layout === "interleaved" ? [2 * i, 2 * i + 1] : [i, i + half];
        out[p * dim + sine] = Math.sin(angle);
        out[p * dim + cosine] = Math.cos(angle);
      }
    }
    return out;
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { dim, base, layout } = this;
    return { kind: "SinusoidalPositions", dim, base, layout };
  }
}
