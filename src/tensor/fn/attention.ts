/**
 * Attention: weighted means of values, weights by how well queries and keys go together.
 *
 * @module
 * @see Vaswani et al. 2017, arXiv:1706.03762
 */
import { DtypeError, ShapeError } from "../../base/errors.ts";
import { broadcastShapes, fmtShape, sameShape, sizeOf } from "../../base/shape.ts";
import { attention as attentionNode } from "../../graph/attention.ts";
import { add, and, cast, div, exp, ge, gt, mul, sub, where } from "../../graph/elementwise.ts";
import { array, constant, coord, random, scalar } from "../../graph/leaves.ts";
import type { Node } from "../../graph/node.ts";
import { matmul } from "../../graph/products.ts";
import { reduce } from "../../graph/reduce.ts";
import { detach, expand, keepAxes, reshape, transposeLast } from "../../graph/views.ts";
import type { Rng } from "../rng.ts";
import { composite, composites } from "./composite.ts";
import { halfProduct } from "./half_product.ts";

/** What attention takes beside queries, keys and values. */
export interface AttentionSpec {
  /** Broadcasts to the scores: bool, whether a key is seen, or f32, added to the scores; null where all are seen. */
  readonly mask: Node | null;
  /** Whether query `i` sees the keys up to `i` only. */
  readonly causal: boolean;
  /** What the scores are multiplied by; `1 / sqrt(d)` by default. */
  readonly scale?: number;
  /** What drops weights, and scales the others; null where nothing does. */
  readonly dropout: { readonly p: number; readonly rng: Rng } | null;
}

/** The lowest f32: what is added to scores and is not above it hides a key. */
const LOWEST = -3.4028234663852886e38;

/**
 * `softmax(scale q k^T + mask) v` of `q` `[..., h, n, d]`, `k` `[..., g, m, d]` and `v` `[..., g, m, e]`, `g` a divisor of `h`:
 * `[..., h, n, e]`. A query that sees no key gets 0.
 */
export function attention(q: Node, k: Node, v: Node, spec: AttentionSpec): Node {
  checkOperands(q, k, v);
  if (spec.mask !== null) checkMask(spec.mask, [...q.shape.slice(0, -1), k.shape.at(-2)!]);
  return halfProduct([q, k, v], (...wide) => attend(wide[0], wide[1], wide[2], spec));
}

function attend(q: Node, k: Node, v: Node, spec: AttentionSpec): Node {
  if (isFused(q, k, spec)) return fused(q, k, v, spec);
  const grouped = groupedOperands(q, k, spec.mask);
  const { dropout } = spec;
  let p = weights(grouped.q, grouped.k, { ...spec, mask: grouped.mask });
  if (dropout !== null) p = dropped(p, dropout.p, dropout.rng);
  const y = matmul(p, cast(grouped.split(v), "f32"));
  return reshape(y, [
    ...q.shape.slice(0, -3),
    ...(q.shape.length > 2 ? [q.shape.at(-3)!] : []),
    q.shape.at(-2)!,
    v.shape.at(-1)!,
  ]);
}

/** Scores of fewer elements than this are stored. */
const FEW_SCORES = 16;

/**
 * Whether the kernel that never stores the scores serves: the gradient of a mask would store them, and who traces knows its
 * parts only.
 */
function isFused(q: Node, k: Node, { mask, dropout }: AttentionSpec): boolean {
  const scores = q.shape.at(-2)! * k.shape.at(-2)!;
  return composites.found === null && scores >= FEW_SCORES && q.size > 0 && k.size > 0 && !(mask?.tracked ?? false) &&
    dropout?.p !== 1;
}

function fused(q: Node, k: Node, v: Node, { mask, causal, scale, dropout }: AttentionSpec): Node {
  const rank = q.shape.length, lead = q.shape.slice(0, -3), batch = sizeOf(lead);
  const four = (x: Node) => reshape(cast(x, "f32"), [batch, rank > 2 ? x.shape[rank - 3] : 1, ...x.shape.slice(-2)]);
  // a number of the user's travels with the run: it is no part of the kernel
  const queries = scale === undefined ? four(q) : mul(four(q), scalar(scale));
  const y = attentionNode(queries, four(k), four(v), {
    causal,
    scale: scale === undefined ? 1 / Math.sqrt(q.shape[rank - 1]) : 1,
    ...(mask === null ? {} : { mask: fourMask(mask, lead) }),
    ...(dropout === null ? {} : { dropout: randomOf(dropout) }),
  });
  return reshape(y, [...q.shape.slice(0, -1), v.shape[rank - 1]]);
}

/** A mask as `[batch, heads, n, m]`, each of them 1 where it is repeated, if it can be. */
function fourMask(mask: Node, lead: readonly number[]): Node {
  const own = [
    ...new Array<number>(lead.length + 3 - Math.min(mask.shape.length, lead.length + 3)).fill(1),
    ...mask.shape,
  ];
  const front = own.slice(0, lead.length), ends = own.slice(lead.length);
  if (front.every((n) => n === 1)) return reshape(mask, [1, ...ends]);
  return reshape(expand(reshape(mask, own), [...lead, ...ends]), [sizeOf(lead), ...ends]);
}

/** The weights of {@link attention} before dropout, `[..., h, n, m]`. */
export function attentionWeights(q: Node, k: Node, spec: Omit<AttentionSpec, "dropout">): Node {
  checkOperands(q, k, k);
  const grouped = groupedOperands(q, k, spec.mask);
  const p = weights(grouped.q, grouped.k, { ...spec, mask: grouped.mask });
  return reshape(p, [...q.shape.slice(0, -1), k.shape.at(-2)!]);
}

/** Softmax of the scores over the keys that each query sees. */
function weights(q: Node, k: Node, { mask, causal, scale }: Omit<AttentionSpec, "dropout">): Node {
  const d = q.shape.at(-1)!;
  const factor = scale === undefined ? constant(1 / Math.sqrt(Math.max(1, d))) : scalar(scale);
  let scores = mul(matmul(q, transposeLast(k)), factor);
  const { shape } = scores, rank = shape.length, [n, m] = shape.slice(-2);
  let seen = causal ? ge(coord([n, 1], 0), coord([1, m], 1)) : null;
  if (mask !== null) {
    const kept = mask.dtype === "bool" ? mask : gt(mask, constant(LOWEST));
    seen = seen === null ? kept : and(seen, kept);
    if (mask.dtype !== "bool") scores = add(scores, mask);
  }
  if (scores.size === 0) return scores;
  const z = seen === null ? scores : where(seen, scores, constant(LOWEST));
  // the result does not depend on the shift, so no gradient flows through it
  const most = detach(keepAxes(reduce("max", z, [rank - 1]), shape, [rank - 1]));
  const e = exp(sub(z, most));
  const sums = keepAxes(reduce("sum", e, [rank - 1]), shape, [rank - 1]);
  const p = composite(div(e, sums), "softmax", [z], { axis: rank - 1 });
  return seen === null ? p : where(gt(most, constant(LOWEST)), p, constant(0));
}

function dropped(p: Node, probability: number, rng: Rng): Node {
  if (probability === 1) return mul(p, constant(0));
  const { p: chance, key, stream } = randomOf({ p: probability, rng });
  return where(ge(random(p.shape, "uniform", key, stream), chance), mul(p, scalar(1 / (1 - probability))), constant(0));
}

/** A probability, and the numbers that are compared with it. */
function randomOf({ p, rng }: { readonly p: number; readonly rng: Rng }): { p: Node; key: Node; stream: Node } {
  return { p: scalar(p), key: array(rng.key, [2], "u32"), stream: scalar(rng.nextStream(), "u32") };
}

interface Grouped {
  readonly q: Node;
  readonly k: Node;
  readonly mask: Node | null;
  /** Brings values into the shape of the keys. */
  readonly split: (x: Node) => Node;
}

/** Where several heads of queries share one of keys: queries `[..., g, h / g, n, d]` against keys `[..., g, 1, m, d]`. */
function groupedOperands(q: Node, k: Node, mask: Node | null): Grouped {
  const rank = q.shape.length, h = rank > 2 ? q.shape[rank - 3] : 1, g = rank > 2 ? k.shape[rank - 3] : 1;
  const scores = [...q.shape.slice(0, -1), k.shape[rank - 2]];
  if (mask !== null) checkMask(mask, scores);
  if (h === g) return { q: cast(q, "f32"), k: cast(k, "f32"), mask, split: (x) => x };
  const heads = (x: Node, parts: readonly [number, number]) =>
    reshape(x, [...x.shape.slice(0, -3), ...parts, ...x.shape.slice(-2)]);
  const split = (x: Node) => heads(x, [g, 1]);
  const wide = mask !== null && mask.shape.length > 2
    ? heads(mask, mask.shape.at(-3) === 1 ? [1, 1] : [g, h / g])
    : mask;
  return { q: cast(heads(q, [g, h / g]), "f32"), k: cast(split(k), "f32"), mask: wide, split };
}

function checkMask(mask: Node, scores: readonly number[]): void {
  if (mask.dtype !== "bool" && mask.dtype !== "f32") {
    throw new DtypeError(
      `Cannot attend with a mask of type ${mask.dtype}: it is bool, true where a key is seen, or f32, added to the scores; cast it`,
    );
  }
  const fits = mask.shape.length <= scores.length &&
    sameShape(broadcastOrNull(mask.shape, scores) ?? [], scores);
  if (!fits) {
    throw new ShapeError(
      `Cannot attend with a mask of shape ${fmtShape(mask.shape)}: it must broadcast to the scores, ${
        fmtShape(scores)
      }`,
    );
  }
}

function broadcastOrNull(a: readonly number[], b: readonly number[]): readonly number[] | null {
  try {
    return broadcastShapes(a, b, "attend");
  } catch {
    return null;
  }
}

function checkOperands(q: Node, k: Node, v: Node): void {
  const shapes = `queries ${fmtShape(q.shape)}, keys ${fmtShape(k.shape)}, values ${fmtShape(v.shape)}`;
  const rank = q.shape.length;
  const refuse = (rule: string): never => {
    throw new ShapeError(`Cannot attend by ${shapes}: ${rule}`);
  };
  if (rank < 2 || k.shape.length !== rank || v.shape.length !== rank) refuse("all have the same axes, [..., h, n, d]");
  if (q.shape[rank - 1] !== k.shape[rank - 1]) refuse("queries and keys have vectors of one size");
  if (k.shape[rank - 2] !== v.shape[rank - 2]) refuse("there is a value for each key");
  for (let i = 0; i < rank - 2; i++) {
    if (k.shape[i] !== v.shape[i]) refuse("keys and values have as many heads and items");
    const shared = i === rank - 3 && k.shape[i] > 0 && q.shape[i] % k.shape[i] === 0;
    if (q.shape[i] !== k.shape[i] && !shared) {
      refuse("the sizes in front are equal, but that the heads of keys may be a divisor of those of queries");
    }
  }
}
