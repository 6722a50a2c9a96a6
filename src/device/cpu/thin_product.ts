/**
 * Matrix products with few rows or columns: they read a whole matrix for little arithmetic, so nothing of it is packed.
 *
 * @module
 */
import type { ConvKernel, Guard, Inst, MatmulKernel, View } from "../contract.ts";
import { THIN } from "./conv_plan.ts";

/**
 * A product of few rows, or, turned, of few columns, as the convolution that forms it in place; null if it is larger, or has
 * several axes of matrices.
 */
export function thinProduct({ batch, m, n, k, a, b, body, outs }: MatmulKernel): ConvKernel | null {
  if (batch.length > 1 || Math.min(m, n) > THIN) return null;
  const turned = n < m;
  /** Strides `[...batch, x, y]` as `[group, x, y]` or `[group, y, x]`. */
  const arrange = (strides: readonly number[], turn: boolean) => {
    const [x, y] = strides.slice(-2);
    return [batch.length === 0 ? 0 : strides[0], ...(turn ? [y, x] : [x, y])];
  };
  const view = (v: View): View => ({ ...v, strides: arrange(v.strides, turned) });
  const guard = (g: Guard): Guard => ({ ...g, strides: arrange(g.strides, turned) });
  const instruction = (inst: Inst): Inst => {
    if (inst.k === "coord") return { ...inst, strides: arrange(inst.strides, turned) };
    if (inst.k !== "load") return inst;
    return { ...inst, view: view(inst.view), ...(inst.guards ? { guards: inst.guards.map(guard) } : {}) };
  };
  const [left, right] = turned ? [b, a] : [a, b];
  return {
    op: "conv",
    groups: batch[0] ?? 1,
    m: turned ? n : m,
    k: [k],
    n: [turned ? m : n],
    a: { ...left, strides: arrange(left.strides, turned) },
    b: { ...right, strides: arrange(right.strides, turned) },
    guards: [],
    body: body.map(instruction),
    outs: outs.map(({ view: out, value }) => ({ view: view(out), value })),
  };
}
