/**
 * Changes to kernels as data: views replaced, instructions put in and left out.
 *
 * @module
 */
import type { AttentionGradKernel, AttentionKernel } from "../../attention_kernel.ts";
import type { Inst, Kernel, Store, View } from "../../contract.ts";
import { closure } from "../../data_flow.ts";

/** Kernels that are planned as they are. */
export type PlainKernel = Exclude<Kernel, AttentionKernel | AttentionGradKernel>;

/** `kernel` with every view replaced. */
export function mapViews<T extends PlainKernel>(kernel: T, f: (view: View) => View): T;
export function mapViews(kernel: PlainKernel, f: (view: View) => View): PlainKernel {
  if (kernel.op === "scatterAdd") {
    const { src, index, init, out } = kernel;
    return { ...kernel, src: f(src), index: f(index), out: f(out), ...(init === undefined ? {} : { init: f(init) }) };
  }
  const body = kernel.body.map((inst) => inst.k === "load" ? { ...inst, view: f(inst.view) } : inst);
  if (kernel.op === "reduce") {
    return { ...kernel, body, outs: kernel.outs.map((out) => ({ ...out, view: f(out.view) })) };
  }
  const outs = kernel.outs.map((out) => ({ ...out, view: f(out.view) }));
  if (kernel.op === "matmul" || kernel.op === "conv") {
    return { ...kernel, a: f(kernel.a), b: f(kernel.b), body, outs };
  }
  return { ...kernel, body, outs };
}

/** `inst` with its operands renamed. */
function renamed(inst: Inst, name: (a: number) => number): Inst {
  switch (inst.k) {
    case "load":
      return inst.index === undefined ? inst : { ...inst, index: { ...inst.index, value: name(inst.index.value) } };
    case "random":
      return { ...inst, index: name(inst.index) };
    case "cast":
    case "unary":
    case "reduce":
      return { ...inst, a: name(inst.a) };
    case "binary":
      return { ...inst, a: name(inst.a), b: name(inst.b) };
    case "select":
      return { ...inst, cond: name(inst.cond), a: name(inst.a), b: name(inst.b) };
    default:
      return inst;
  }
}

/** Appends an instruction, and gives its number. */
export type Append = (inst: Inst) => number;

/**
 * A body written anew, from `start` on: `emit` is given each instruction, with its operands' new numbers, and gives that of what
 * stands for it; by default it is appended.
 */
export function rewrite(
  body: readonly Inst[],
  emit: (inst: Inst, append: Append, i: number) => number,
  start: readonly Inst[] = [],
): { body: Inst[]; at: number[] } {
  const out = [...start], at: number[] = [];
  const append: Append = (inst) => out.push(inst) - 1;
  body.forEach((inst, i) => at.push(emit(renamed(inst, (a) => at[a]), append, i)));
  return { body: out, at };
}

/** `body` without what no output needs. */
export function pruned<T extends Store>(
  body: readonly Inst[],
  outs: readonly T[],
): { body: Inst[]; outs: T[] } {
  const needed = new Set(closure(body, outs.map((out) => out.value)));
  // what is left out is named by nobody
  const { body: kept, at } = rewrite(body, (inst, append, i) => needed.has(i) ? append(inst) : -1);
  return { body: kept, outs: outs.map((out) => ({ ...out, value: at[out.value] })) };
}
