/**
 * Functions of tensors that layers and losses need and users do not see.
 *
 * @module
 */
import { binaryCrossEntropy as crossEntropyNode } from "../../graph/binary_cross_entropy.ts";
import { expm1Low as expm1Node } from "../../graph/functions.ts";
import { momentsOf } from "../../graph/moments.ts";
import { Tensor } from "../tensor.ts";
import { attentionWeights as weightsOf } from "./attention.ts";

/** `e^x - 1` for x up to 1, with its digits where x is near 0. */
export function expm1Low(x: Tensor): Tensor {
  return new Tensor(expm1Node(x.node));
}

/** `-t log p - (1 - t) log(1 - p)`, logarithms not below -100; operands broadcast. */
export function binaryCrossEntropy(p: Tensor, t: Tensor): Tensor {
  return new Tensor(crossEntropyNode(p.node, t.node));
}

/** Moments over axes; all with size 1 along them. No gradient flows through them. */
export interface BatchMomentParts {
  /** A number near the mean, to f32's precision. */
  readonly near: Tensor;
  /** What the mean is above `near`: together they are the mean with digits to spare where it is large. */
  readonly above: Tensor;
  /** Biased variance. */
  readonly variance: Tensor;
}

/** Mean and biased variance of f32 `x` over `axes` (ascending, at least one element along them). */
export function batchMoments(x: Tensor, axes: readonly number[]): BatchMomentParts {
  const { near, above, variance } = momentsOf(x.node, axes);
  return { near: new Tensor(near), above: new Tensor(above), variance: new Tensor(variance) };
}

/** The weights of attention, without dropout: `[..., h, n, m]` of queries `[..., h, n, d]` and keys `[..., g, m, d]`. */
export function attentionWeights(
  q: Tensor,
  k: Tensor,
  { mask, causal }: { readonly mask: Tensor | null; readonly causal: boolean },
): Tensor {
  return new Tensor(weightsOf(q.node, k.node, { mask: mask?.node ?? null, causal }));
}
