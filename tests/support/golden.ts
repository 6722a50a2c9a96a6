/**
 * Recordings in `tests/golden`, and comparison with them.
 *
 * @module
 */
import { fill } from "./fill.ts";

/** What JSON can hold, after the strings for NaN and infinities have become numbers. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** An input of a recorded operation: `values`, or `fill(seed, n, scale) + offset`. */
export interface RecordedInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype?: "i64" | "bool";
  readonly seed?: number;
  readonly scale?: number;
  readonly offset?: number;
  readonly values?: readonly (number | boolean)[];
}

/** A recorded result. */
export interface RecordedTensor {
  readonly shape: readonly number[];
  readonly values: readonly (number | boolean)[];
  readonly dtype?: "i64" | "bool";
}

/** One case of `ops.json`. `attrs` use PyTorch's keyword names. */
export interface RecordedOp {
  readonly op: string;
  readonly attrs: { readonly [name: string]: Json };
  readonly inputs: readonly RecordedInput[];
  readonly output: RecordedTensor;
  /** `grads` are those of `sum(output * fill(gradOut.seed, n, gradOut.scale))`. */
  readonly gradOut?: { readonly seed: number; readonly scale: number };
  readonly grads?: { readonly [name: string]: readonly number[] };
  readonly extra?: { readonly [name: string]: RecordedTensor };
  readonly note?: string;
}

/** Elements of an input of a recorded operation, row-major. */
export interface InputData {
  readonly shape: readonly number[];
  readonly dtype: "f32" | "i32" | "bool";
  readonly data: Float64Array;
}

const NUMBERS: Readonly<Record<string, number>> = { NaN: NaN, Infinity: Infinity, "-Infinity": -Infinity };

/**
 * Reads a recording; the strings `"NaN"`, `"Infinity"` and `"-Infinity"` become numbers.
 *
 * @param name File name in `tests/golden`, such as `ops.json`. The caller names the type that the file has.
 */
export function loadGolden<T = Json>(name: string): T {
  const text = Deno.readTextFileSync(new URL(`../golden/${name}`, import.meta.url));
  return JSON.parse(text, (_, value) => typeof value === "string" ? NUMBERS[value] ?? value : value) as T;
}

/** The cases of `ops.json`, in order. */
export function recordedOps(): readonly RecordedOp[] {
  return loadGolden<{ cases: readonly RecordedOp[] }>("ops.json").cases;
}

/** `cross_entropy {"reduction":"mean"} x [6, 5], target [6]`, for failures and test names. */
export function nameOfCase({ op, attrs, inputs }: RecordedOp): string {
  const shapes = inputs.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join(", ");
  return Object.keys(attrs).length > 0 ? `${op} ${JSON.stringify(attrs)} ${shapes}` : `${op} ${shapes}`;
}

/** Makes an input's elements; i64 becomes i32, bool is 0 and 1. */
export function inputData(input: RecordedInput): InputData {
  const { shape, dtype, seed, scale = 1, offset = 0, values } = input;
  const n = shape.reduce((a, b) => a * b, 1);
  const type = dtype === "i64" ? "i32" : dtype ?? "f32";
  if (values !== undefined) return { shape, dtype: type, data: Float64Array.from(values, Number) };
  if (seed === undefined) throw new Error(`input ${input.name} has neither values nor a seed`);
  return { shape, dtype: type, data: fill(seed, n, scale).map((v) => v + offset) };
}

/** The gradient that flows into a case's output, or undefined where none was recorded. */
export function gradOutData({ gradOut, output }: RecordedOp): Float64Array | undefined {
  return gradOut && fill(gradOut.seed, output.values.length, gradOut.scale);
}

/** How near is near. */
export interface CloseOptions {
  /** Allowed distance relative to the largest finite magnitude that is wanted. Default 1e-5. */
  readonly rel?: number;
  /** Allowed distance where that magnitude is smaller. Default 0. */
  readonly abs?: number;
}

/**
 * Compares with a recording: NaN equals NaN, infinities themselves, and every other element may be off by
 * `max(abs, rel * largest)`, `largest` being the largest finite magnitude in `want`.
 *
 * @param what Names the case in the failure.
 * @throws Error naming the case, the worst element, and both values.
 */
export function assertGolden(
  got: ArrayLike<number>,
  want: ArrayLike<number | boolean>,
  what: string,
  options: CloseOptions = {},
): void {
  const { rel = 1e-5, abs = 0 } = options;
  if (got.length !== want.length) throw new Error(`${what}: got ${got.length} elements, want ${want.length}`);
  const wanted = Float64Array.from(want, Number);
  const largest = wanted.reduce((most, v) => Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most, 0);
  const allowed = Math.max(abs, rel * largest);
  let [worst, distance] = [-1, 0];
  for (let i = 0; i < wanted.length; i++) {
    const off = elementDistance(got[i], wanted[i]);
    if (off > allowed && off > distance) [worst, distance] = [i, off];
  }
  if (worst < 0) return;
  throw new Error(
    `${what}: element ${worst} of ${wanted.length} is ${got[worst]}, recorded ${wanted[worst]}; ` +
      `off by ${distance}, allowed ${allowed} (largest ${largest})`,
  );
}

function elementDistance(got: number, want: number): number {
  if (got === want || (Number.isNaN(got) && Number.isNaN(want))) return 0;
  const off = Math.abs(got - want);
  return Number.isNaN(off) ? Infinity : off;
}
