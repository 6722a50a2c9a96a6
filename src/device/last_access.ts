/**
 * Which memory the kernels of a program touch.
 *
 * @module
 */
import { attentionLoads, attentionSize } from "./attention_kernel.ts";
import type { Kernel, Program, View } from "./contract.ts";

/** Views that a kernel stores to. */
export function storesOf(kernel: Kernel): View[] {
  return "outs" in kernel ? kernel.outs.map(({ view }) => view) : [kernel.out];
}

/** Views that a kernel loads from. */
export function loadsOf(kernel: Kernel): View[] {
  const views: View[] = "body" in kernel ? kernel.body.flatMap((inst) => inst.k === "load" ? [inst.view] : []) : [];
  if (kernel.op === "matmul" || kernel.op === "conv") views.push(kernel.a, kernel.b);
  if (kernel.op === "scatterAdd") {
    views.push(kernel.src, kernel.index, ...(kernel.init === undefined ? [] : [kernel.init]));
  }
  if (kernel.op === "attention" || kernel.op === "attentionGrad") {
    views.push(...attentionLoads(kernel).map(({ view }) => view));
  }
  return views;
}

/** Slots that a kernel touches. */
export function slotsOf(kernel: Kernel): Set<number> {
  return new Set([...loadsOf(kernel), ...storesOf(kernel)].map(({ slot }) => slot));
}

/** Some elements of a slot, and the number of kernels until one of them has been touched there. */
interface Touch {
  readonly first: number;
  readonly end: number;
  readonly after: number;
}

/** For one slot of a program: when which part of it is touched for the last time. */
export class LastAccess {
  readonly #list: readonly Touch[];

  /** Looks through `program`. What is loaded counts as all of the slot, unless a kernel stores to the very elements it loads. */
  constructor({ kernels }: Program, slot: number) {
    this.#list = kernels.flatMap((kernel, i) => {
      const stores = storesOf(kernel).filter((view) => view.slot === slot);
      const touches = stores.map((view): Touch => ({ ...extentOf(view, domainOf(kernel)), after: i + 1 }));
      const elsewhere = loadsOf(kernel).some((view) => view.slot === slot && !stores.some((s) => sameView(s, view)));
      if (elsewhere) touches.push({ first: 0, end: Infinity, after: i + 1 });
      return touches;
    });
  }

  /** The number of kernels after which elements `first` to `end` are left alone. */
  last(first: number, end: number): number {
    let last = 0;
    for (const t of this.#list) if (t.first < end && first < t.end) last = Math.max(last, t.after);
    return last;
  }
}

/** The axes that a kernel's stores run over. */
function domainOf(kernel: Kernel): readonly number[] {
  switch (kernel.op) {
    case "map":
      return kernel.shape;
    case "reduce":
      return [...kernel.outer, ...kernel.inner];
    case "matmul":
      return [...kernel.batch, kernel.m, kernel.n];
    case "conv":
      return [kernel.groups, kernel.m, ...kernel.n];
    case "scatterAdd":
      return [kernel.outer, kernel.size, kernel.inner];
    case "segmentSum":
      return [kernel.starts.length];
    case "attention":
    case "attentionGrad":
      return [attentionSize(kernel)];
  }
}

function extentOf({ offset, strides, dyn }: View, domain: readonly number[]): { first: number; end: number } {
  if (dyn !== undefined) return { first: 0, end: Infinity };
  let first = offset, last = offset;
  strides.forEach((stride, i) => {
    const reach = stride * (domain[i] - 1);
    if (reach < 0) first += reach;
    else last += reach;
  });
  return { first, end: last + 1 };
}

function sameView(a: View, b: View): boolean {
  return a.offset === b.offset && a.dyn === b.dyn && a.strides.length === b.strides.length &&
    a.strides.every((s, i) => s === b.strides[i]);
}
