/**
 * Models for other programs, and weights from them.
 *
 * @module
 */
export { loadTorch, type TorchOptions } from "../io/weights.ts";
export { exportOnnx, type OnnxModel, type OnnxOptions } from "../interop/mod.ts";
