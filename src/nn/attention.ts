/**
 * Attention with several heads.
 *
 * @module
 */
import type { LayerJson } from "../base/json.ts";
import { ConfigError, DtypeError, ShapeError } from "../base/errors.ts";
import { checkOptions, flag, num, type OptionTable } from "../base/options.ts";
import { fmtShape, sameShape } from "../base/shape.ts";
import {
  aGenerator,
  aTensor,
  attentionWeights,
  defaultRng,
  ops,
  Parameter,
  type Rng,
  type Tensor,
  tensor,
  where,
  zeros,
} from "../tensor/mod.ts";
import { checkSizes, Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { xavierUniform } from "./weight_init.ts";

/** Options of {@link MultiheadAttention}. */
export interface MultiheadAttentionOptions {
  /** Probability that a weight is dropped, in training; 0 by default. */
  readonly dropout?: number;
  /** Whether the projections have biases; true by default. */
  readonly bias?: boolean;
  /** Size of the keys; that of the queries by default. */
  readonly kdim?: number;
  /** Size of the values; that of the queries by default. */
  readonly vdim?: number;
  /** Where the first weights, and what is dropped, come from; the default generator. */
  readonly rng?: Rng;
}

const OPTIONS: OptionTable<MultiheadAttentionOptions> = {
  dropout: num,
  bias: flag,
  kdim: num,
  vdim: num,
  rng: aGenerator,
};

/** What attention layers are told of each batch. Masks are PyTorch's: bool ones are true where nothing is seen. */
export interface AttendOptions {
  /**
   * `[n, m]`, `[b heads, n, m]` or what broadcasts to `[b, heads, n, m]`: bool, true where a query does not see a key (the other
   * way round than `ops.scaledDotProductAttention`, as in PyTorch), or f32, added to the scores.
   */
  readonly mask?: Tensor;
  /** `[b, m]`: bool, true where a key is padding that nobody sees, or f32, added to the scores. */
  readonly keyPaddingMask?: Tensor;
  /** Whether query `i` sees the keys up to `i` only; false by default. */
  readonly causal?: boolean;
}

/** Options of the `forward` of {@link MultiheadAttention}. */
export interface AttentionForwardOptions extends AttendOptions {
  /** Whether the weights are wanted, too; false by default (in PyTorch true), as they may be large. */
  readonly needWeights?: boolean;
  /** Whether the weights are the means over the heads; true by default. */
  readonly averageWeights?: boolean;
}

/** What the options of attention layers may be. */
export const ATTEND: OptionTable<AttendOptions> = { mask: aTensor, keyPaddingMask: aTensor, causal: flag };
const FORWARD: OptionTable<AttentionForwardOptions> = { ...ATTEND, needWeights: flag, averageWeights: flag };

/** Which keys queries see, in the form of `ops.scaledDotProductAttention`; null where all do. */
export function seenBy(
  what: string,
  { mask, keyPaddingMask }: AttendOptions,
  { b, heads, n, m }: { readonly b: number; readonly heads: number; readonly n: number; readonly m: number },
): Tensor | null {
  const parts: Tensor[] = [];
  if (mask !== undefined) parts.push(wide(what, mask, [b, heads, n, m]));
  if (keyPaddingMask !== undefined) {
    if (!sameShape(keyPaddingMask.shape, [b, m])) {
      throw new ShapeError(
        `Cannot apply ${what} with a keyPaddingMask of shape ${
          fmtShape(keyPaddingMask.shape)
        }: there is one value for each key, [${b}, ${m}]`,
      );
    }
    parts.push(keyPaddingMask.reshape([b, 1, 1, m]));
  }
  for (const { dtype } of parts) {
    if (dtype !== "bool" && dtype !== "f32") {
      throw new DtypeError(
        `Cannot apply ${what} with a mask of type ${dtype}: it is bool, true where nothing is seen, or f32; cast it`,
      );
    }
  }
  if (parts.length === 0) return null;
  if (parts.every(({ dtype }) => dtype === "bool")) return parts.reduce((a, c) => a.or(c)).not();
  return parts.map((p) => p.dtype === "bool" ? where(p, LOWEST, 0) : p).reduce((a, c) => a.add(c));
}

/** The lowest f32: added to scores, it hides a key. */
const LOWEST = -3.4028234663852886e38;

function wide(what: string, mask: Tensor, [b, heads, n, m]: readonly number[]): Tensor {
  const { shape } = mask;
  if (sameShape(shape, [b * heads, n, m]) && !(heads === 1 && b === 1)) return mask.reshape([b, heads, n, m]);
  const full = [b, heads, n, m], lead = 4 - shape.length;
  const fits = lead >= 0 && lead !== 1 && shape.every((s, i) => s === full[lead + i] || s === 1);
  if (fits) return mask;
  if (sameShape(shape, [1, n, m])) return mask;
  throw new ShapeError(
    `Cannot apply ${what} with a mask of shape ${
      fmtShape(shape)
    }: it is [n, m] or [b heads, n, m], here [${n}, ${m}] or ` +
      `[${b * heads}, ${n}, ${m}], or broadcasts to [${full.join(", ")}]`,
  );
}

/**
 * Attention with several heads: queries `[b, n, dim]`, keys `[b, m, kdim]` and values `[b, m, vdim]` are projected, each of
 * `heads` parts attends by itself, and what comes out is projected again, `[b, n, dim]`. Batch first; names, first weights
 * and masks are PyTorch's. A query that sees no key gets the bias of the last projection, not NaN.
 *
 * @see Vaswani et al. 2017, arXiv:1706.03762
 */
export class MultiheadAttention extends Module<
  [query: Tensor, key?: Tensor, value?: Tensor, options?: AttentionForwardOptions],
  [y: Tensor, weights: Tensor | null]
> {
  /** `[3 dim, dim]`: the projections of queries, keys and values; null where their sizes differ. */
  readonly inProjWeight: Parameter | null;
  /** `[dim, dim]`, where the sizes differ. */
  readonly qProjWeight: Parameter | null;
  /** `[dim, kdim]`, where the sizes differ. */
  readonly kProjWeight: Parameter | null;
  /** `[dim, vdim]`, where the sizes differ. */
  readonly vProjWeight: Parameter | null;
  /** `[3 dim]`, or null. */
  readonly inProjBias: Parameter | null;
  /** The last projection. */
  readonly outProj: Linear;
  /** Probability that a weight is dropped, in training. */
  readonly dropout: number;
  /** Size of the keys. */
  readonly kdim: number;
  /** Size of the values. */
  readonly vdim: number;
  /** Where the numbers that drop weights come from; null for the default generator. */
  readonly rng: Rng | null;

  /**
   * Draws the first weights.
   *
   * @param dim Size of queries and outputs; the number of heads divides it.
   * @param heads Number of heads.
   */
  constructor(readonly dim: number, readonly heads: number, options: MultiheadAttentionOptions = {}) {
    super();
    checkOptions("make MultiheadAttention", options, OPTIONS);
    const { dropout = 0, bias = true, kdim = dim, vdim = dim, rng } = options;
    checkSizes("MultiheadAttention", { dim, heads, kdim, vdim });
    if (dim % heads !== 0) {
      throw new ConfigError(`Cannot make MultiheadAttention: ${dim} features do not divide into ${heads} heads`);
    }
    if (!(dropout >= 0 && dropout <= 1)) {
      throw new ConfigError(`Cannot make MultiheadAttention: dropout is a probability from 0 to 1, got ${dropout}`);
    }
    this.dropout = dropout;
    this.kdim = kdim;
    this.vdim = vdim;
    this.rng = rng ?? null;
    const init = xavierUniform(), one = kdim === dim && vdim === dim;
    const drawn = (name: string, shape: number[], wanted: boolean) =>
      wanted ? this.named(name, new Parameter(tensor(init(shape, rng ?? defaultRng()), { shape }))) : null;
    this.inProjWeight = drawn("in_proj_weight", [3 * dim, dim], one);
    this.qProjWeight = drawn("q_proj_weight", [dim, dim], !one);
    this.kProjWeight = drawn("k_proj_weight", [dim, kdim], !one);
    this.vProjWeight = drawn("v_proj_weight", [dim, vdim], !one);
    this.inProjBias = bias ? this.named("in_proj_bias", new Parameter(zeros([3 * dim]))) : null;
    this.outProj = this.named("out_proj", new Linear(dim, dim, { bias, ...(rng === undefined ? {} : { rng }) }));
    if (bias) Object.assign(this.outProj, { bias: new Parameter(zeros([dim])) });
  }

  /** The output, and the weights where they are wanted: means over the heads, `[b, n, m]`, or `[b, heads, n, m]`. */
  override forward(
    query: Tensor,
    key: Tensor = query,
    value: Tensor = key,
    options: AttentionForwardOptions = {},
  ): [y: Tensor, weights: Tensor | null] {
    checkOptions("apply MultiheadAttention", options, FORWARD);
    const { causal = false, needWeights = false, averageWeights = true } = options;
    this.#check(query, key, value);
    const { dim, heads, rng } = this;
    const [b, n] = query.shape, m = key.shape[1];
    const [q, k, v] = this.#projected(query, key, value).map((x) => {
      return x.reshape([b, x.shape[1], heads, dim / heads]).permute([0, 2, 1, 3]);
    });
    const mask = seenBy("MultiheadAttention", options, { b, heads, n, m });
    const dropout = this.training ? this.dropout : 0;
    const own = { causal, dropout, ...(mask === null ? {} : { mask }), ...(rng === null ? {} : { rng }) };
    const y = ops.scaledDotProductAttention(q, k, v, own).permute([0, 2, 1, 3]).reshape([b, n, dim]);
    const weights = needWeights ? attentionWeights(q, k, { mask, causal }) : null;
    return [this.outProj.forward(y), weights !== null && averageWeights ? weights.mean({ axis: 1 }) : weights];
  }

  /** Projections; those of one tensor in one product. */
  #projected(query: Tensor, key: Tensor, value: Tensor): readonly Tensor[] {
    const { dim, inProjWeight: weight, inProjBias: bias } = this;
    const product = (x: Tensor, w: Tensor, from: number, to: number) => {
      const y = x.matmul(w.transpose(0, 1));
      return bias === null ? y : y.add(to - from === 3 ? bias : bias.slice([[from * dim, to * dim]]));
    };
    if (weight === null) {
      const own = [this.qProjWeight!, this.kProjWeight!, this.vProjWeight!];
      return [query, key, value].map((x, i) => product(x, own[i], i, i + 1));
    }
    const some = (x: Tensor, from: number, to: number) =>
      product(x, to - from === 3 ? weight : weight.slice([[from * dim, to * dim]]), from, to)
        .split(dim, { axis: 2 });
    if (query === key && key === value) return some(query, 0, 3);
    if (key === value) return [...some(query, 0, 1), ...some(key, 1, 3)];
    return [query, key, value].flatMap((x, i) => some(x, i, i + 1));
  }

  #check(query: Tensor, key: Tensor, value: Tensor): void {
    const { dim, kdim, vdim } = this, [b, , size] = query.shape;
    const fits = query.shape.length === 3 && size === dim && key.shape.length === 3 && value.shape.length === 3 &&
      sameShape(key.shape, [b, key.shape[1], kdim]) && sameShape(value.shape, [b, key.shape[1], vdim]);
    if (fits) return;
    throw new ShapeError(
      `Cannot apply MultiheadAttention(${dim}, ${this.heads}) to queries ${fmtShape(query.shape)}, keys ${
        fmtShape(key.shape)
      }, values ${fmtShape(value.shape)}: they are [b, n, ${dim}], [b, m, ${kdim}] and [b, m, ${vdim}], batch first`,
    );
  }

  /** See `Module.toJSON`. */
  override toJSON(): LayerJson | null {
    const { dim, heads, dropout, kdim, vdim, inProjBias } = this;
    return { kind: "MultiheadAttention", dim, heads, dropout, kdim, vdim, bias: inProjBias !== null };
  }
}
