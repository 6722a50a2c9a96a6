/**
 * Attention as one kernel forward and one backward: scores are formed block by block and never stored.
 *
 * @module
 * @see Dao et al. 2022, "FlashAttention: fast and memory-efficient exact attention with IO-awareness", arXiv:2205.14135
 */
import { type Shape, sizeOf } from "../base/shape.ts";
import { LOWEST } from "../device/attention_kernel.ts";
import { gradients } from "./autodiff.ts";
import { add, and, div, exp, ge, gt, mul, sub, where } from "./elementwise.ts";
import { constant, coord, random } from "./leaves.ts";
import { Node } from "./node.ts";
import { matmul } from "./products.ts";
import { reduce } from "./reduce.ts";
import { defineOp } from "./registry.ts";
import { detach, expand, keepAxes, permute, RESHAPE, reshape, slice, transposeLast } from "./views.ts";

/** Sizes of attention. */
export interface AttentionSizes {
  readonly batch: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly n: number;
  readonly m: number;
  readonly d: number;
  readonly dv: number;
}

/** Sizes from the operands of {@link attention}. */
export function attentionSizes(q: { shape: Shape }, k: { shape: Shape }, v: { shape: Shape }): AttentionSizes {
  const [batch, heads, n, d] = q.shape, [, kvHeads, m] = k.shape;
  return { batch, heads, kvHeads, n, m, d, dv: v.shape[3] };
}

/**
 * Inputs: q, k, v, the scale (a constant), the mask if `attr[1]`, and if `attr[2]` probability, key and stream of dropout; `attr[0]` is 1 if
 * it is causal. The result is `out` of the kernel, see `src/device/attention_kernel.ts`.
 */
export const ATTENTION = defineOp({
  name: "attention",
  kind: "opaque",
  cost: 1000,
  vjp: (dy, node) => {
    const [q, k, v, scale, ...rest] = node.inputs;
    const s = attentionSizes(q, k, v);
    const upper = permute(part(dy, 0, [s.batch, s.n, s.heads, s.dv]), HEADS_FIRST);
    const sizes: Shape[] = [[s.batch, s.n, s.heads, s.d], [s.batch, s.m, s.kvHeads, s.d], [
      s.batch,
      s.m,
      s.kvHeads,
      s.dv,
    ]];
    const total = sizes.reduce((sum, shape) => sum + sizeOf(shape), 0);
    const all = new Node(ATTENTION_GRAD, [q, k, v, scale, ...rest, upper, node], [total], "f32", node.attr);
    let start = 0;
    const parts = sizes.map((shape) => {
      const at = start;
      start += sizeOf(shape);
      return permute(part(all, at, shape), HEADS_FIRST);
    });
    const [, masked] = node.attr;
    return [...parts, null, ...rest.map((x, i) => i < masked && x.dtype === "f32" ? maskGradient(upper, node) : null)];
  },
});

/** All three gradients, one after the other: inputs are those of {@link ATTENTION}, then the gradient of its result and the result. */
export const ATTENTION_GRAD = defineOp({
  name: "attentionGrad",
  kind: "opaque",
  cost: 1000,
  // second derivatives are rare: they are those of the expression that stores the scores
  vjp: (dg, node) => {
    const { inputs, attr } = node;
    const dy = again(inputs[inputs.length - 2]), rest = inputs.slice(4, -2);
    const operands = inputs.slice(0, 3).map(again); // one tensor may be several of them
    const added = attr[1] === 1 && rest[0].dtype === "f32" ? [again(rest[0])] : [];
    const y = expression(operands, inputs[3], [...added, ...rest.slice(added.length)], attr);
    let start = 0;
    const products = gradients(y, operands, dy).map((g, i) => {
      const { shape } = operands[i], [b, h, n, d] = shape, upper = permute(part(dg, start, [b, n, h, d]), HEADS_FIRST);
      start += sizeOf(shape);
      return reduce("sum", mul(g!, upper), [0, 1, 2, 3]);
    });
    const second = gradients(products.reduce((a, b) => add(a, b)), [...operands, dy, ...added]);
    return [...second.slice(0, 3), null, ...rest.map((_, i) => i < added.length ? second[4] : null), second[3], null];
  },
});

/** The same value under another node. */
function again(x: Node): Node {
  return new Node(RESHAPE, [x], x.shape, x.dtype);
}

/** What {@link attention} gives, made of other operations: `given` and `attr` are those of its node. */
function expression(operands: readonly Node[], scale: Node, given: readonly Node[], attr: readonly number[]): Node {
  const [q, k, v] = operands, { batch, heads, n, dv } = attentionSizes(q, k, v);
  const { p, kept } = weights(operands, scale, given, attr);
  return reshape(matmul(kept === null ? p : mul(p, kept), shared(v)), [batch, heads, n, dv]);
}

/** The gradient of an added mask, `[batch, heads, n, m]`, given that of the result: `P (dP - sum(P dP))`. */
function maskGradient(upper: Node, { inputs: [q, k, v, scale, ...given], attr }: Node): Node {
  const { batch, heads, kvHeads, n, m, dv } = attentionSizes(q, k, v);
  const { p, kept } = weights([q, k, v], scale, given, attr);
  let dp = matmul(reshape(upper, [batch, kvHeads, heads / kvHeads, n, dv]), transposeLast(shared(v)));
  if (kept !== null) dp = mul(dp, kept);
  const delta = keepAxes(reduce("sum", mul(p, dp), [4]), p.shape, [4]);
  return reshape(mul(p, sub(dp, delta)), [batch, heads, n, m]);
}

/** Keys or values for the heads that share them: `[batch, kvHeads, 1, m, columns]`. */
function shared(x: Node): Node {
  const [batch, heads, m, columns] = x.shape;
  return reshape(x, [batch, heads, 1, m, columns]);
}

/** The weights, `[batch, kvHeads, group, n, m]`, and what dropout multiplies them by. */
function weights([q, k, v]: readonly Node[], scale: Node, given: readonly Node[], attr: readonly number[]) {
  const { batch, heads, kvHeads, n, m, d } = attentionSizes(q, k, v), group = heads / kvHeads;
  const [causal, masked, drops] = attr, shape = [batch, kvHeads, group, n, m];
  let scores = mul(matmul(reshape(q, [batch, kvHeads, group, n, d]), transposeLast(shared(k))), scale);
  const lowest = constant(LOWEST);
  let seen = causal ? ge(coord([n, 1], 0), coord([1, m], 1)) : null;
  if (masked) {
    const mask = reshape(given[0], shape), visible = mask.dtype === "bool" ? mask : gt(mask, lowest);
    seen = seen === null ? visible : and(seen, visible);
    if (mask.dtype !== "bool") scores = add(scores, mask);
  }
  if (seen !== null) scores = where(seen, scores, lowest);
  const over = (x: Node) => keepAxes(x, shape, [4]), most = detach(over(reduce("max", scores, [4])));
  const e = exp(sub(scores, most));
  let p = div(e, over(reduce("sum", e, [4])));
  if (seen !== null) p = where(gt(most, lowest), p, constant(0));
  if (!drops) return { p, kept: null };
  const [chance, key, stream] = given.slice(masked);
  const drawn = reshape(random([batch, heads, n, m], "uniform", key, stream), shape);
  return { p, kept: where(ge(drawn, chance), div(constant(1), sub(constant(1), chance)), constant(0)) };
}

const HEADS_FIRST = [0, 2, 1, 3];

/** Elements of a row of numbers under a shape. */
function part(x: Node, start: number, shape: Shape): Node {
  return reshape(slice(x, [start], [sizeOf(shape)]), shape);
}

/** What attention takes beside its operands. */
export interface AttentionNodes {
  /** Broadcast to `[batch, heads, n, m]`: bool, whether a key is seen, or f32, added to the scores, whose gradient stores them. */
  readonly mask?: Node;
  readonly causal: boolean;
  readonly scale: number;
  /** Probability (a scalar leaf), and a key and a stream as random numbers have them. */
  readonly dropout?: { readonly p: Node; readonly key: Node; readonly stream: Node };
}

/**
 * `softmax(scale q k^T + mask) v` of f32 `q` `[batch, heads, n, d]`, `k` and `v` `[batch, kvHeads, m, d or dv]`; the scores are never stored. Rows
 * that see no key are 0.
 */
export function attention(q: Node, k: Node, v: Node, { mask, causal, scale, dropout }: AttentionNodes): Node {
  const { batch, heads, n, m, d, dv } = attentionSizes(q, k, v);
  const shape = [batch, heads, n, dv];
  if (sizeOf(shape) === 0 || m === 0 || d === 0) return expand(constant(0), shape);
  const inputs = [q, k, v, constant(scale)];
  if (mask !== undefined) inputs.push(expand(mask, [batch, heads, n, m]));
  if (dropout !== undefined) inputs.push(dropout.p, dropout.key, dropout.stream);
  const attr = [causal ? 1 : 0, mask === undefined ? 0 : 1, dropout === undefined ? 0 : 1];
  const all = new Node(ATTENTION, inputs, [batch * n * heads * (dv + 1)], "f32", attr);
  return permute(part(all, 0, [batch, n, heads, dv]), HEADS_FIRST);
}
