/**
 * Small parameters, and looking at them.
 *
 * @module
 */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import type { Optimizer } from "../../src/optim/mod.ts";
import { Parameter, readAll, type Tensor, tensor } from "../../src/tensor/mod.ts";

/** A parameter of one axis. */
export const param = (...values: number[]): Parameter => new Parameter(tensor(values));

/** Gives every parameter of `opt` its gradient, and steps. */
export function stepWith(opt: Optimizer, grads: readonly (readonly number[] | null)[]): void {
  opt.groups.flat().forEach((p, i) => {
    const g = grads[i];
    p.grad = g === null ? null : tensor(Float32Array.from(g), { shape: [...p.shape] });
  });
  opt.step();
}

/** Checks values of several tensors, element by element. */
export async function assertValues(
  tensors: readonly Tensor[],
  want: readonly (readonly number[])[],
  tolerance = 1e-6,
): Promise<void> {
  const got = await readAll(tensors);
  assertEquals(got.length, want.length);
  got.forEach((values, t) => {
    assertEquals(values.length, want[t].length, `elements of tensor ${t}`);
    want[t].forEach((w, i) => assertAlmostEquals(values[i], w, tolerance, `tensor ${t}, element ${i}`));
  });
}

/** Copies of the values, for comparisons bit for bit. */
export async function bits(tensors: readonly Tensor[]): Promise<number[][]> {
  return (await readAll(tensors)).map((v) => [...new Uint32Array(new Float32Array(v).buffer)]);
}
