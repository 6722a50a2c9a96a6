/**
 * The operations of tensors as free functions: `ops.softmax(x)` is `x.softmax()`. Functions of two operands also take a
 * number first: `ops.sub(1, x)`.
 *
 * @module
 */
export { cat, oneHot, stack, where } from "./create.ts";
export type { Operand } from "./operand.ts";
export { type AttentionOptions, rotary, type RotaryOptions, scaledDotProductAttention } from "./ops/attention.ts";
export * from "./ops/elementwise.ts";
export * from "./ops/image.ts";
export * from "./ops/reduce.ts";
export * from "./ops/shape.ts";
