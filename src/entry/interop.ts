/**
 * Models for other programs, and weights from them.
 *
 * @module
 */
export { loadTorch, type TorchOptions } from "../io/load_torch.ts";
export { exportOnnx, type OnnxModel, type OnnxOptions } from "../interop/mod.ts";
