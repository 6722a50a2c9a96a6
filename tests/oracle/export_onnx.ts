/**
 * Writes models as ONNX into a folder, for `check_onnx.py`.
 *
 * @module
 */
import { join } from "@std/path";
import { init, type nn } from "../../mod.ts";
import { exportOnnx } from "../../src/interop/mod.ts";
import { architectures, inputsOf } from "../interop/onnx_models.ts";
import { operations } from "../interop/onnx_operations.ts";

const [folder] = Deno.args;
await init({ device: "cpu", threads: 1 });
for (const [name, make] of Object.entries({ ...architectures(), ...operations() })) {
  const one = make();
  for (const opset of [17, 18, 19, 20, 21, 22]) {
    const model = await exportOnnx(one.model as unknown as nn.AnyModule, inputsOf(one, 1), { opset });
    await model.save(join(folder, `${name.replaceAll(" ", "_")}.${opset}.onnx`));
  }
}
for (
  const name of ["layers of transformers", "encoders of texts", "layers of recurrent nets"]
) {
  const one = operations()[name]();
  const model = await exportOnnx(one.model as unknown as nn.AnyModule, inputsOf(one, 1), { lengthAxis: 1 });
  await model.save(join(folder, `${name.replaceAll(" ", "_")}.length.onnx`));
}
Deno.exit(0);
