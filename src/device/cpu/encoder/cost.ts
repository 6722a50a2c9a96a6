/**
 * Estimates of time on one thread, in nanoseconds: they decide whether threads are worth waking, never what is computed.
 *
 * @module
 */
import type { Inst, MatmulKernel } from "../../contract.ts";

const HEAVY: ReadonlySet<string> = new Set(["exp", "log", "log1p", "sin", "cos", "tanh", "erf"]);

/** Per element of an element-wise body. */
export function bodyCost(body: readonly Inst[]): number {
  let ns = 0.1;
  for (const inst of body) {
    if (inst.k === "random") ns += 4;
    else if (inst.k === "unary" && HEAVY.has(inst.op)) ns += 1.5;
    else if (inst.k === "binary" && inst.op === "pow") ns += 15;
    else if (inst.k === "load") ns += inst.index !== undefined || (inst.guards ?? []).length > 0 ? 0.5 : 0.12;
    else if (inst.k !== "const" && inst.k !== "scalar") ns += 0.08;
  }
  return ns;
}

/** Of an element-wise kernel. */
export function mapCost(shape: readonly number[], body: readonly Inst[]): number {
  return shape.reduce((a, b) => a * b, 1) * bodyCost(body);
}

/** Of a product with its epilogue. */
export function matmulCost({ batch, m, n, k, body }: MatmulKernel): number {
  const elements = batch.reduce((a, b) => a * b, m * n);
  return elements * (k * 0.04 + bodyCost(body));
}
