/**
 * Attention, and positions that it sees, as free functions.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { checkOptions, flag, num, type OptionTable, whole } from "../../base/options.ts";
import { attention } from "../fn/attention.ts";
import { checkRotary, rotary as turn, rotaryTable } from "../fn/rotary.ts";
import { aTensor, nodeOf } from "../operand.ts";
import { aGenerator, defaultRng, type Rng } from "../rng.ts";
import { travelling } from "../step_input.ts";
import { Tensor } from "../tensor.ts";

/** Options of {@link scaledDotProductAttention}. */
export interface AttentionOptions {
  /** Broadcasts to `[b, h, n, m]`: bool, true where a query sees a key, or f32, added to the scores. */
  readonly mask?: Tensor;
  /** Whether query `i` sees the keys up to `i` only; false by default. */
  readonly causal?: boolean;
  /** What products of queries and keys are multiplied by; `1 / sqrt(d)` by default. */
  readonly scale?: number;
  /** Probability that a weight becomes 0, the others being scaled; 0 by default. Pass 0 outside of training. */
  readonly dropout?: number;
  /** Where the numbers that drop weights come from; the default generator. */
  readonly rng?: Rng;
}

const ATTENTION: OptionTable<AttentionOptions> = {
  mask: aTensor,
  causal: flag,
  scale: num,
  dropout: num,
  rng: aGenerator,
};

/**
 * `softmax(scale q k^T + mask) v` of queries `[b, h, n, d]`, keys `[b, h, m, d]` and values `[b, h, m, e]`: `[b, h, n, e]`. Keys
 * and values may have fewer heads, a divisor of h, that neighbouring heads of queries share; there may be any number of axes
 * in front, also none. A query that sees no key gets 0 (in PyTorch sometimes NaN).
 *
 * @throws {ShapeError} If sizes, or the mask's, do not fit.
 * @see Vaswani et al. 2017, arXiv:1706.03762
 */
export function scaledDotProductAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  const { mask, causal = false, scale, dropout = 0, rng } = checkOptions("attend", options, ATTENTION);
  if (!(dropout >= 0 && dropout <= 1)) {
    throw new ConfigError(`Cannot attend with dropout ${dropout}: it is a probability from 0 to 1`);
  }
  return new Tensor(
    attention(nodeOf(q), nodeOf(k), nodeOf(v), {
      mask: mask === undefined ? null : nodeOf(mask),
      causal,
      ...(scale === undefined ? {} : { scale }),
      dropout: dropout === 0 ? null : { p: dropout, rng: rng ?? defaultRng() },
    }),
  );
}

/** Options of {@link rotary}. */
export interface RotaryOptions {
  /** Base of the angles; 10,000 by default. */
  readonly base?: number;
  /** Position of the first vector, where a sequence goes on; 0 by default. */
  readonly offset?: number;
  /** Whether neighbours are turned together, as GPT-J has it, rather than the two halves, as Llama and GPT-NeoX; false by default. */
  readonly interleaved?: boolean;
  /** How many features are turned, from the first one on; all by default. */
  readonly dims?: number;
}

const ROTARY: OptionTable<RotaryOptions> = { base: num, offset: whole(0), interleaved: flag, dims: num };

/**
 * Queries or keys `[..., n, d]` with their positions: pairs of features turned by angles that grow with the position, so that
 * products depend on distances only. Pair `i` of `d / 2` turns by `p base^(-2 i / d)` at position `p`.
 *
 * @see Su et al. 2021, arXiv:2104.09864
 */
export function rotary(x: Tensor, options: RotaryOptions = {}): Tensor {
  const { base = 10_000, offset = 0, interleaved = false, dims } = checkOptions("turn by positions", options, ROTARY);
  if (!(base > 0 && base < Infinity)) {
    throw new ConfigError(`Cannot turn by positions: base is a finite number above 0, got ${base}`);
  }
  const { node } = x, spec = { base, offset, interleaved, dims: dims ?? node.shape.at(-1) ?? 0 };
  checkRotary(node.shape, spec.dims);
  const n = node.shape.at(-2)!;
  if (node.size === 0) return x.cast("f32");
  return new Tensor(turn(node, travelling(rotaryTable(n, spec), [2, n, spec.dims], "f32").node, spec));
}
