/**
 * Attention without the matrix of its scores, as kernels of the contract.
 *
 * @module
 */
import type { View } from "./contract.ts";

/** The lowest f32, which hides a key where it is added to the score, as -infinity does. */
export const LOWEST = -3.4028234663852886e38;

/** What forward and backward share. All sizes are at least 1, and `heads` is a multiple of `kvHeads`: head `h` reads keys of head `h * kvHeads / heads`. */
export interface AttentionInputs {
  readonly batch: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** Rows of queries, and of keys and values. */
  readonly n: number;
  readonly m: number;
  /** Columns of queries and keys, and of values. */
  readonly d: number;
  readonly dv: number;
  /** Above 0. */
  readonly scale: number;
  /** Whether row `i` sees keys 0 to `i` only. */
  readonly causal: boolean;
  /** f32 or f16, as all that is read, but `y`: `[batch, heads, n, d]`. */
  readonly q: View;
  /** `[batch, kvHeads, m, d]` and `[batch, kvHeads, m, dv]`. */
  readonly k: View;
  readonly v: View;
  /** `[batch, heads, n, m]`: bool, whether a key is seen, or f32, added to the scores; what is not above {@link LOWEST} hides a key. */
  readonly mask?: View;
  /** Words of the parameters: the probability (f32, in [0, 1)), the key's first word, and the stream. */
  readonly dropout?: { readonly p: number; readonly seed: number; readonly stream: number };
}

/**
 * `y = drop(softmax(scale * q k^T + mask)) v`, and the logarithm of each row's sum of exponentials. A row that sees no key
 * gives zeros, and 0.
 *
 * `drop` sets weights to 0 whose number is below `p`, and multiplies the others by `1 / (1 - p)`. The number of a weight is what the instruction
 * `random` gives as `uniform` for its index, row-major in `[batch, heads, n, m]`.
 *
 * `out` has one stride, 1, and holds `y` as `[batch, n, heads, dv]`, then the logarithms as `[batch, heads, n]`.
 */
export interface AttentionKernel extends AttentionInputs {
  readonly op: "attention";
  readonly out: View;
}

/**
 * Gradients with respect to `q`, `k` and `v`, given that of `y`: `dy`, `[batch, heads, n, dv]`. The scores are computed again. `y` is the `out` of the
 * forward kernel.
 *
 * `out` has one stride, 1, and holds the gradients as `[batch, n, heads, d]`, `[batch, m, kvHeads, d]` and `[batch, m, kvHeads, dv]`.
 */
export interface AttentionGradKernel extends AttentionInputs {
  readonly op: "attentionGrad";
  readonly dy: View;
  readonly y: View;
  readonly out: View;
}

/** Elements of `out`. */
export function attentionSize(kernel: AttentionKernel | AttentionGradKernel): number {
  const { batch, heads, kvHeads, n, m, d, dv } = kernel;
  return batch * (kernel.op === "attention" ? n * heads * (dv + 1) : n * heads * d + m * kvHeads * (d + dv));
}

/** What an attention kernel reads, each with the shape that its strides are for. */
export function attentionLoads(
  kernel: AttentionKernel | AttentionGradKernel,
): { view: View; shape: number[]; what: string }[] {
  const { batch, heads, kvHeads, n, m, d, dv, q, k, v, mask } = kernel;
  return [
    { view: q, shape: [batch, heads, n, d], what: "q" },
    { view: k, shape: [batch, kvHeads, m, d], what: "k" },
    { view: v, shape: [batch, kvHeads, m, dv], what: "v" },
    ...(mask === undefined ? [] : [{ view: mask, shape: [batch, heads, n, m], what: "mask" }]),
    ...(kernel.op === "attention" ? [] : [
      { view: kernel.dy, shape: [batch, heads, n, dv], what: "dy" },
      { view: kernel.y, shape: [batch * n * heads * (dv + 1)], what: "y" },
    ]),
  ];
}
