/**
 * Attention: hand-written loops over blocks of scores, `wasm/attention.as.ts`, that call the product of matrices.
 *
 * @module
 */
import type { AttentionGradKernel, AttentionKernel } from "../attention_kernel.ts";
import { Fn, OP, T } from "./encoder/code.ts";
import type { Context } from "./encoder/context.ts";
import { bodyCost, productCost, pushBase, type Stage } from "./stage.ts";

/** Rows of a block of the forward pass, `ROWS_FORWARD` there. */
const ROWS = 64;
/** Bytes of a thread's memory for blocks of scores, after what products take: two of 128 x 256, and three lines. */
export const SCORE_BYTES = 2 * 128 * 256 * 4 + 3 * 1024;

const MASK_KINDS = { bool: 1, f32: 2 } as const;

/** The stage of an attention kernel. */
export function attentionStage(context: Context, kernel: AttentionKernel | AttentionGradKernel): Stage {
  const { batch, heads, kvHeads, n, m, d, dv, scale, causal, q, k, v, mask, dropout, out } = kernel;
  const gradient = kernel.op === "attentionGrad";
  const [scaleBits] = new Int32Array(Float32Array.of(scale).buffer);
  const kind = mask === undefined ? 0 : MASK_KINDS[mask.dtype as "bool" | "f32"];
  const plan = context.place([
    ...[n, m, d, dv, heads, kvHeads, causal ? 1 : 0, kind, scaleBits],
    ...q.strides,
    ...k.strides,
    ...v.strides,
    ...(mask?.strides ?? [0, 0, 0, 0]),
    ...(gradient ? kernel.dy.strides : [0, 0, 0, 0]),
    ...(dropout === undefined ? [-1, 0, 0] : [dropout.p, dropout.seed, dropout.stream]),
    batch,
  ]);
  const f = new Fn([T.i32, T.i32, T.i32, T.i32]);
  f.i32(plan);
  for (const view of [q, k, v]) pushBase(f, view);
  if (mask) pushBase(f, mask);
  else f.i32(0);
  if (gradient) {
    pushBase(f, kernel.dy);
    pushBase(f, kernel.y);
  }
  pushBase(f, out);
  pushBase(f, { slot: 0, dtype: "f32", offset: 0, strides: [] });
  f.get(1).get(2).get(3).get(3).i32(context.tile.workBytes).op(OP.i32Add);
  f.call(context.imports[kernel.op]);
  const seen = batch * heads * n * m * (causal ? 0.5 : 1);
  const products = productCost(seen, 1, gradient ? 3 * d + 2 * dv : d + dv);
  return {
    index: context.module.add(f),
    items: gradient ? batch * kvHeads : batch * heads * Math.ceil(n / ROWS),
    wide: true,
    cost: products + bodyCost(seen, dropout === undefined ? 15 : 25),
  };
}
