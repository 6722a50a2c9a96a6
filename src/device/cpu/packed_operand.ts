/**
 * Right operands of several products, such as the weights of a recurrent layer, which every step multiplies by: they are packed into the
 * panels of register tiles once a run.
 *
 * @module
 */
import type { MatmulKernel, Program, View } from "../contract.ts";
import { storesOf } from "../last_access.ts";
import { Fn, T } from "./encoder/code.ts";
import type { Context } from "./encoder/context.ts";
import { bodyCost, productCost, pushBase, type Stage } from "./stage.ts";
import { thinProduct } from "./thin_product.ts";

/** Rows of a product from which on packing is a small part of it. */
const MANY_ROWS = 256;

/** A right operand that is packed once for several products. */
export interface PackedOperand {
  /** Elements from the start of the memory for packed operands. */
  readonly offset: number;
  /** The first kernel that takes it. */
  readonly first: number;
}

/** Which kernels of `program` share a packed right operand, by their number; and the bytes of all of them. */
export function packedOperands(
  { kernels }: Program,
  panel: number,
): { readonly of: ReadonlyMap<number, PackedOperand>; readonly bytes: number } {
  const open = new Map<string, { readonly slot: number; readonly users: number[] }>(), groups: number[][] = [];
  kernels.forEach((kernel, i) => {
    if (kernel.op === "matmul" && takesPacked(kernel)) {
      const key = keyOf(kernel), known = open.get(key);
      if (known === undefined) {
        const users = [i];
        groups.push(users);
        open.set(key, { slot: kernel.b.slot, users });
      } else known.users.push(i);
    }
    // what is written is another matrix from here on
    const written = new Set(storesOf(kernel).map(({ slot }) => slot));
    for (const [key, { slot }] of open) if (written.has(slot)) open.delete(key);
  });
  const of = new Map<number, PackedOperand>();
  let offset = 0;
  for (const users of groups) {
    if (users.length < 2) continue;
    const { n, k } = kernels[users[0]] as MatmulKernel, shared = { offset, first: users[0] };
    users.forEach((i) => of.set(i, shared));
    offset += Math.ceil(n / panel) * panel * k;
  }
  return { of, bytes: offset * 4 };
}

/** Threads share the columns of such products, see `productLoop`. Operands of f16 are copied first, for each product anew. */
function takesPacked(kernel: MatmulKernel): boolean {
  return kernel.b.dtype === "f32" && kernel.batch.length === 0 && kernel.m < MANY_ROWS && kernel.n >= kernel.m &&
    thinProduct(kernel) === null;
}

function keyOf({ n, k, b: { slot, offset, strides, dyn } }: MatmulKernel): string {
  return [n, k, slot, offset, dyn, ...strides].join();
}

/** Packs the right operand of `kernel` to `to`; work items are panels. */
export function packStage(context: Context, { n, k, b }: MatmulKernel, to: View): Stage {
  const f = new Fn([T.i32, T.i32, T.i32, T.i32]);
  f.i32(n).i32(k);
  pushBase(f, b);
  f.i32(b.strides[0]).i32(b.strides[1]);
  pushBase(f, to);
  f.get(1).get(2).get(3).call(context.imports.packRight);
  const items = Math.ceil(n / context.tile.panel);
  return { index: context.module.add(f), items, wide: true, cost: bodyCost(n * k, 1) };
}

/** The product `c` of `kernel`, whose right operand lies packed at `b`; work items are panels. */
export function packedProduct(context: Context, { m, n, k, a }: MatmulKernel, b: View, c: View): Stage {
  const f = new Fn([T.i32, T.i32, T.i32, T.i32]);
  f.i32(m).i32(n).i32(k);
  pushBase(f, a);
  f.i32(a.strides[0]).i32(a.strides[1]);
  pushBase(f, b);
  pushBase(f, c);
  f.i32(c.strides[0]).get(1).get(2).get(3).call(context.imports.matmulPacked);
  const items = Math.ceil(n / context.tile.panel);
  return { index: context.module.add(f), items, wide: true, cost: productCost(m, n, k) };
}
