/**
 * Models for other programs, and weights from them.
 *
 * @module
 */
export { exportOnnx, type OnnxModel, type OnnxOptions } from "../interop/mod.ts";
