/**
 * Models and weights for other programs, and from them; the code comes with the first export.
 *
 * @module
 */
import type { AnyModule } from "../nn/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { OnnxModel, OnnxOptions } from "./onnx/export.ts";

export type { OnnxModel, OnnxOptions };

/**
 * A model as ONNX: what it computes in evaluation mode, with its weights. Nothing is computed for it but what is the same in
 * every run; the operations are found by running `forward` on examples, whatever classes the model consists of. A `forward`
 * that decides by numbers of its input is written as it decides for the example; state that an encoder of texts carries from
 * batch to batch is forgotten.
 *
 * @param model A module, whose `forward` takes the examples and gives tensors: one, an array or an object of them.
 * @param example One input, or all of them in order, each with its items along the first axis.
 * @throws ConfigError naming what ONNX has no operator for, or what depends on the number of items in a way that it cannot
 * express.
 * @example
 * ```ts ignore
 * const onnx = await exportOnnx(resnet18(), zeros([1, 3, 224, 224]));
 * await onnx.save("resnet18.onnx");
 * ```
 */
export async function exportOnnx(
  model: AnyModule,
  example: Tensor | readonly Tensor[],
  options: OnnxOptions = {},
): Promise<OnnxModel> {
  const { exportOnnx } = await import("./onnx/export.ts");
  return await exportOnnx(model, example, options);
}
