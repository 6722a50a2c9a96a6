/**
 * Operands of f16 for the kernels of the CPU that take f32 alone: copies of what they span, made before the kernel runs.
 *
 * @module
 */
import { attentionLoads } from "../attention_kernel.ts";
import type { Kernel, MapKernel, Slot, View } from "../contract.ts";

/** A kernel, and what has to run before it. */
export interface Widened<K extends Kernel> {
  readonly copies: readonly MapKernel[];
  readonly kernel: K;
}

/**
 * `kernel` with operands of f32 in place of those of f16: products, convolutions, attention, and what is scattered.
 *
 * @param slots Those of the program.
 * @param scratch A slot of so many bytes for the `i`-th operand, which kernels after this one may use again.
 */
export function widenOperands<K extends Kernel>(
  kernel: K,
  slots: readonly Slot[],
  scratch: (bytes: number, i: number) => number,
): Widened<K> {
  const copies: MapKernel[] = [];
  const of: Record<string, View> = {};
  for (const { name, view, shape } of operandsOf(kernel)) {
    if (view.dtype !== "f16") continue;
    const { first, n } = span(view, shape, slots[view.slot].bytes / 2);
    const slot = scratch(n * 4, copies.length);
    copies.push({
      op: "map",
      shape: [n],
      body: [{ k: "load", view: { ...view, offset: first, strides: [1] } }],
      outs: [{ view: { slot, dtype: "f32", offset: 0, strides: [1] }, value: 0 }],
    });
    of[name] = { slot, dtype: "f32", offset: view.offset - first, strides: view.strides };
  }
  return { copies, kernel: copies.length === 0 ? kernel : { ...kernel, ...of } };
}

interface Operand {
  readonly name: string;
  readonly view: View;
  /** The sizes that its strides are for. */
  readonly shape: readonly number[];
}

/** Whole operands, not what a body loads. */
function operandsOf(kernel: Kernel): Operand[] {
  switch (kernel.op) {
    case "matmul": {
      const { a, b, batch, m, n, k } = kernel;
      return [{ name: "a", view: a, shape: [...batch, m, k] }, { name: "b", view: b, shape: [...batch, k, n] }];
    }
    case "conv": {
      const { a, b, groups, m, k, n } = kernel;
      return [{ name: "a", view: a, shape: [groups, m, ...k] }, { name: "b", view: b, shape: [groups, ...k, ...n] }];
    }
    case "scatterAdd":
      return [{ name: "src", view: kernel.src, shape: [kernel.outer, kernel.n, kernel.inner] }];
    case "attention":
    case "attentionGrad":
      return attentionLoads(kernel).map(({ what, view, shape }) => ({ name: what, view, shape }));
    default:
      return [];
  }
}

/** The elements from the first to the last that a view reaches, of the `size` that there are: windows reach beyond, guarded. */
function span({ offset, strides }: View, shape: readonly number[], size: number): { first: number; n: number } {
  let low = offset, high = offset;
  strides.forEach((stride, axis) => {
    const reach = stride * (shape[axis] - 1);
    if (reach < 0) low += reach;
    else high += reach;
  });
  const first = Math.max(0, low);
  return { first, n: Math.max(1, Math.min(high, size - 1) - first + 1) };
}
