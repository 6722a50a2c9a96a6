/**
 * Data flow in the body of a kernel: what a value depends on, and how reductions are nested.
 *
 * @module
 */
import type { Inst } from "./contract.ts";
import { operandsOf } from "./instructions.ts";

/**
 * How many reductions are nested in each instruction, itself included: a kernel passes over a row once for each depth, and
 * values of depth `d` are known after `d` passes.
 */
export function reduceDepths(body: readonly Inst[]): number[] {
  const depth: number[] = [];
  for (const inst of body) {
    const below = operandsOf(inst).reduce((most, a) => Math.max(most, depth[a]), 0);
    depth.push(inst.k === "reduce" ? below + 1 : below);
  }
  return depth;
}

/** `targets` and all that they depend on, ascending: the transitive closure of the operands, but for what `stop` says is known. */
export function closure(
  body: readonly Inst[],
  targets: Iterable<number>,
  stop: (i: number) => boolean = () => false,
): number[] {
  return [...reach(body, targets, { stop })].sort((a, b) => a - b);
}

/** Whether an instruction is needed for `roots` in one pass: these and all that they depend on, up to finished reductions. */
export function neededInPass(body: readonly Inst[], roots: readonly number[]): (i: number) => boolean {
  const needed = reach(body, roots, { leaf: (i) => body[i].k === "reduce" });
  return (i) => needed.has(i);
}

/** Depth-first search along the operands; `stop` leaves an instruction out, `leaf` only what is below it. */
function reach(
  body: readonly Inst[],
  from: Iterable<number>,
  { stop = () => false, leaf = () => false }: {
    readonly stop?: (i: number) => boolean;
    readonly leaf?: (i: number) => boolean;
  },
): Set<number> {
  const seen = new Set<number>();
  const stack = [...from];
  while (stack.length > 0) {
    const i = stack.pop()!;
    if (seen.has(i) || stop(i)) continue;
    seen.add(i);
    if (!leaf(i)) stack.push(...operandsOf(body[i]));
  }
  return seen;
}
