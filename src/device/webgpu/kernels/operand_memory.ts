/**
 * How kernels read operands where they lie: the elements of a slot by their number, as f32, which has every number of f16.
 *
 * @module
 */
import type { Dtype } from "../../../base/dtype.ts";

/** An operand's memory. */
export interface OperandMemory {
  /** What its functions are called by: `<name>_element(i)`, and of vectors `<name>_vector(i)`, elements 4 i to 4 i + 3. */
  readonly name: string;
  readonly binding: number;
  /** f32 or f16. */
  readonly dtype: Dtype;
  /** Whether f16 is a type of the adapter's; else two numbers of it lie in a word. */
  readonly halves: boolean;
  /** Whether elements are vectors of four. */
  readonly vectors?: boolean;
}

/** What an element of memory is, and WGSL text of element `i` and of vector `i`. */
interface Reading {
  readonly type: string;
  readonly element: string;
  readonly vector?: string;
}

const SINGLE: Record<"f32" | "own" | "words", Reading> = {
  f32: { type: "f32", element: "x_data[i]" },
  own: { type: "f16", element: "f32(x_data[i])" },
  words: { type: "u32", element: "half_at(x_data[i / 2u], i)" },
};

const VECTORS: typeof SINGLE = {
  f32: { type: "vec4f", element: "x_data[i / 4u][i % 4u]", vector: "x_data[i]" },
  own: { type: "vec4<f16>", element: "f32(x_data[i / 4u][i % 4u])", vector: "vec4f(x_data[i])" },
  words: { type: "vec2u", element: "half_at(x_data[i / 4u][(i / 2u) % 2u], i)", vector: "half_four(x_data[i])" },
};

/** Declares an operand, with the functions that read it; they may call some of `math.wgsl` (see `withHalves`). */
export function memoryText({ name, binding, dtype, halves, vectors = false }: OperandMemory): string {
  const kind = dtype !== "f16" ? "f32" : halves ? "own" : "words";
  const { type, element, vector } = (vectors ? VECTORS : SINGLE)[kind];
  const lines = [
    `@group(0) @binding(${binding}) var<storage, read> x_data: array<${type}>;`,
    "fn x_element(i: u32) -> f32 {",
    `  return ${element};`,
    "}",
    ...(vector === undefined ? [] : ["fn x_vector(i: u32) -> vec4f {", `  return ${vector};`, "}"]),
  ];
  return lines.join("\n").replace(/\bx_(\w+)/g, `${name}_$1`);
}
