/**
 * What operations take: tensors, and numbers beside them.
 *
 * @module
 */
import { DtypeError } from "../base/errors.ts";
import { type OptionKind, other, shown } from "../base/options.ts";
import type { Node } from "../graph/node.ts";
import { numberLike } from "./fn/number.ts";
import { TensorHandle } from "./handle.ts";
import type { Tensor } from "./tensor.ts";

/** A tensor, or a number that takes the type of the tensor it meets. */
export type Operand = Tensor | number;

/** A tensor as an option. */
export const aTensor: OptionKind<Tensor> = other("a tensor", (v) => v instanceof TensorHandle);

/** The node of an operand; numbers take the type of the tensor they meet. */
export function operand(value: Operand, other: Node): Node {
  return typeof value === "number" ? numberLike(value, other.dtype) : nodeOf(value);
}

/** The node of a tensor. */
export function nodeOf(value: Tensor): Node {
  return value instanceof TensorHandle ? value.node : refuseOperand(value);
}

/** Refuses what is neither a tensor nor a number. */
export function refuseOperand(value: unknown): never {
  throw new DtypeError(
    `Cannot compute with ${shown(value)}: operands are tensors and numbers, tensor(…) makes one of numbers and arrays`,
  );
}
