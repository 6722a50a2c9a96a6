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
  if (dtype !== "u32") return scalar(value, "i32");
  if (value < 0) {
    throw new DtypeError(`Cannot combine a u32 tensor with ${value}: it has no negative numbers, cast it to i32 first`);
  }
  return scalar(value, "u32");
}

/** `x` to the power of a number, in f32; the exponents 2, 0.5 and -1 are operations of their own. */
export function powNumber(x: Node, exponent: number): Node {
  if (exponent === 2) return square(cast(x, "f32"));
  if (exponent === 0.5) return sqrt(x);
  if (exponent === -1) return reciprocal(x);
  return pow(x, scalar(exponent));
}
