/**
 * Attention, and positions that it sees, as free functions.
 *
 * @module
 */
import { ConfigError } from "../../base/errors.ts";
import { checkOptions, flag, num, type OptionTable } from "../../base/options.ts";
import { attention } from "../fn/attention.ts";
import { aTensor, nodeOf } from "../operand.ts";
import { aGenerator, defaultRng, type Rng } from "../rng.ts";
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
