/**
 * The recorded operations of `tests/golden/ops.json`: their inputs as tensors, and how to compare with them.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { grad, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { fill } from "../support/fill.ts";

/** One input of a recorded case. */
export interface GoldenInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly seed?: number;
  readonly scale?: number;
  readonly offset?: number;
  readonly values?: readonly (number | boolean)[];
  readonly dtype?: string;
}

interface GoldenTensor {
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly dtype?: string;
}

/** One recorded case. */
export interface GoldenCase {
  readonly op: string;
  // deno-lint-ignore no-explicit-any -- PyTorch's keyword arguments, of any kind
  readonly attrs: Record<string, any>;
  readonly inputs: readonly GoldenInput[];
  readonly output: GoldenTensor;
  readonly gradOut?: { readonly seed: number; readonly scale: number };
  readonly grads?: Record<string, readonly number[]>;
  readonly extra?: Record<string, GoldenTensor>;
}

/** Every recorded case, in order. */
export function goldenCases(): GoldenCase[] {
  const text = Deno.readTextFileSync(new URL("../golden/ops.json", import.meta.url));
  return JSON.parse(text).cases;
}

/** The input's tensor; 64-bit integers become i32. */
export function inputTensor({ shape, seed, scale, offset = 0, values, dtype }: GoldenInput): Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  if (values === undefined) return tensor(fill(seed!, n, scale).map((v) => v + offset), { shape });
  const kind = dtype === "i64" ? "i32" : dtype === "bool" ? "bool" : "f32";
  return tensor(Float64Array.from(values, Number), { shape, dtype: kind });
}

/** Throws unless every element is within 1e-5 of the recording's largest magnitude, or of `least` if that is larger. */
export function assertClose(got: ArrayLike<number>, want: ArrayLike<number>, what: string, least = 0): void {
  assertEquals(got.length, want.length, `${what}: number of elements`);
  let largest = least;
  for (let i = 0; i < want.length; i++) if (Number.isFinite(want[i])) largest = Math.max(largest, Math.abs(want[i]));
  for (let i = 0; i < want.length; i++) {
    const same = Object.is(got[i], want[i]) || Math.abs(got[i] - want[i]) <= 1e-5 * largest;
    if (!same) throw new Error(`${what}: element ${i} is ${got[i]}, recorded ${want[i]} (largest ${largest})`);
  }
}

/** Runs one case, forward and backward, and compares both. */
export async function checkGolden(c: GoldenCase, run: (c: GoldenCase, ...inputs: Tensor[]) => Tensor): Promise<void> {
  // inputs near 1000: the gradient of a saturated softmax, 1e-14, is a difference of equal numbers of size 1
  const least = c.inputs[0].scale === 1000 ? 1 : 0;
  const inputs = c.inputs.map(inputTensor);
  const y = run(c, ...inputs);
  const what = `${c.op} ${JSON.stringify(c.attrs)}`;
  assertEquals(y.shape, c.output.shape, `${what}: shape`);
  if (c.gradOut !== undefined && c.grads !== undefined) {
    const n = y.shape.reduce((a, b) => a * b, 1);
    const seed = tensor(fill(c.gradOut.seed, n, c.gradOut.scale), { shape: y.shape });
    const names = Object.keys(c.grads);
    const xs = names.map((name) => inputs[c.inputs.findIndex((i) => i.name === name)]);
    const grads = grad(y.mul(seed).sum(), xs);
    for (let i = 0; i < names.length; i++) {
      assertClose(await grads[i].data(), c.grads[names[i]], `${what}: gradient of ${names[i]}`, least);
    }
  }
  assertClose(await y.data(), c.output.values, `${what}: output`);
}
