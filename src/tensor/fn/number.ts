/**
 * Numbers as operands.
 *
 * @module
 */
import { type Dtype, isFloat } from "../../base/dtype.ts";
import { DtypeError } from "../../base/errors.ts";
import { cast, pow, reciprocal, sqrt, square } from "../../graph/elementwise.ts";
import { scalar } from "../../graph/leaves.ts";
import type { Node } from "../../graph/node.ts";

/**
 * A number that meets a tensor of type `dtype`. Its value is no part of the program, so changing it costs nothing.
 * Whole numbers keep integer tensors integer, other numbers turn them into f32.
 */
export function numberLike(value: number, dtype: Dtype): Node {
  if (isFloat(dtype) || !Number.isInteger(value)) return scalar(value);
  const type = dtype === "u32" ? "u32" : "i32", [low, high] = WHOLE[type];
  if (value >= low && value <= high) return scalar(value, type);
  const rule = value < 0 && type === "u32"
    ? "it has no negative numbers, cast it to i32 first"
    : `whole numbers from ${low} to ${high} fit, cast it to f32 first`;
  throw new DtypeError(`Cannot combine a tensor of ${dtype} with ${value}: ${rule}`);
}

/** The smallest and the largest number of the types that have no fractions. */
export const WHOLE = { i32: [-(2 ** 31), 2 ** 31 - 1], u32: [0, 2 ** 32 - 1] } as const;

/** `x` to the power of a number, in f32; the exponents 2, 0.5 and -1 are operations of their own. */
export function powNumber(x: Node, exponent: number): Node {
  if (exponent === 2) return square(cast(x, "f32"));
  if (exponent === 0.5) return sqrt(x);
  if (exponent === -1) return reciprocal(x);
  return pow(x, scalar(exponent));
}
