/**
 * Models and weights for other programs, and from them.
 *
 * @module
 */
export { exportOnnx, ONNX, type OnnxModel, onnxOf, type OnnxOptions } from "./onnx/export.ts";
