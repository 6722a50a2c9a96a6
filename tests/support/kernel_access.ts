/**
 * What a kernel of a program works on, and what it reads and writes.
 *
 * @module
 */
import { attentionLoads, attentionSize } from "../../src/device/attention_kernel.ts";
import type { Inst, Kernel, Program, View } from "../../src/device/contract.ts";

/** What a kernel's body works on: its domain, and how many of the leading axes make up a row. */
export interface Domain {
  readonly shape: readonly number[];
  /** Axes before `rowAxes` are outer ones; equal to `shape.length` where rows mean nothing. */
  readonly rowAxes: number;
}

/** A view that a kernel touches, with the shape that its strides are for. */
export interface Access {
  readonly view: View;
  readonly shape: readonly number[];
  readonly what: string;
  /** Guarded and indexed loads may leave the slot where nothing is touched. */
  readonly conditional: boolean;
}

/** `program "step", kernel 3 (map)`, for messages. */
export function kernelName(program: Program, index: number): string {
  return `program "${program.label}", kernel ${index} (${program.kernels[index].op})`;
}

/** Throws an Error with place and reason. */
export function fail(where: string, message: string): never {
  throw new Error(`${where}: ${message}`);
}

/** The domain of a kernel's body. */
export function domainOf(kernel: Kernel): Domain {
  switch (kernel.op) {
    case "map":
      return { shape: kernel.shape, rowAxes: kernel.shape.length };
    case "reduce":
      return { shape: [...kernel.outer, ...kernel.inner], rowAxes: kernel.outer.length };
    case "matmul":
      return { shape: [...kernel.batch, kernel.m, kernel.n], rowAxes: kernel.batch.length + 2 };
    case "conv":
      return { shape: [kernel.groups, kernel.m, ...kernel.n], rowAxes: kernel.n.length + 2 };
    case "scatterAdd":
      return { shape: [kernel.outer, kernel.size, kernel.inner], rowAxes: 3 };
    case "segmentSum":
      return { shape: [kernel.n], rowAxes: 1 };
    case "attention":
    case "attentionGrad":
      return { shape: [attentionSize(kernel)], rowAxes: 1 };
  }
}

/** The instructions of a kernel; none for `scatterAdd` and attention. */
export function bodyOf(kernel: Kernel): readonly Inst[] {
  return "body" in kernel ? kernel.body : [];
}

/** Every view that a kernel reads. */
export function loadsOf(kernel: Kernel): Access[] {
  const { shape } = domainOf(kernel);
  const loads: Access[] = [];
  bodyOf(kernel).forEach((inst, i) => {
    if (inst.k !== "load") return;
    const conditional = inst.index !== undefined || (inst.guards?.length ?? 0) > 0;
    loads.push({ view: inst.view, shape, what: `instruction ${i} (load)`, conditional });
  });
  if (kernel.op === "matmul") {
    const { batch, m, n, k } = kernel;
    loads.push({ view: kernel.a, shape: [...batch, m, k], what: "operand a", conditional: false });
    loads.push({ view: kernel.b, shape: [...batch, k, n], what: "operand b", conditional: false });
  }
  if (kernel.op === "conv") {
    const { groups, m, k, n, guards } = kernel;
    loads.push({ view: kernel.a, shape: [groups, m, ...k], what: "operand a", conditional: false });
    const conditional = guards.length > 0;
    loads.push({ view: kernel.b, shape: [groups, ...k, ...n], what: "operand b", conditional });
  }
  if (kernel.op === "scatterAdd") {
    const source = [kernel.outer, kernel.n, kernel.inner];
    loads.push({ view: kernel.src, shape: source, what: "src", conditional: false });
    loads.push({ view: kernel.index, shape: source, what: "index", conditional: false });
    if (kernel.init) loads.push({ view: kernel.init, shape, what: "init", conditional: false });
  }
  if (kernel.op === "attention" || kernel.op === "attentionGrad") {
    loads.push(...attentionLoads(kernel).map((load) => ({ ...load, conditional: false })));
  }
  return loads;
}

/** Every view that a kernel stores to. */
export function storesOf(kernel: Kernel): Access[] {
  const { shape } = domainOf(kernel);
  if (!("outs" in kernel)) return [{ view: kernel.out, shape, what: "out", conditional: false }];
  const domain = kernel.op === "segmentSum" ? [kernel.starts.length] : shape;
  return kernel.outs.map(({ view }, i) => ({ view, shape: domain, what: `out ${i}`, conditional: false }));
}
