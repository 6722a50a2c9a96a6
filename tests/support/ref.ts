/**
 * Plain float64 references of the tensor operations, losses and norms, written for reading: the oracle of the tests.
 *
 * @module
 */
export * from "./ref_conv.ts";
export * from "./ref_core.ts";
export * from "./ref_elementwise.ts";
export * from "./ref_grad.ts";
export * from "./ref_index.ts";
export * from "./ref_loss.ts";
export * from "./ref_norm.ts";
export * from "./ref_reduce.ts";
export * from "./ref_sample.ts";
export * from "./ref_shape.ts";
