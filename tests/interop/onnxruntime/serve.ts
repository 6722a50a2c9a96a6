/**
 * ONNX's own runtime: answers a line of JSON with a line of JSON, until its input ends. A process of its own, with a deno.json of
 * its own, because the package takes 288 MB, which nobody should have to download who only wants to train.
 *
 *     deno run -A --config tests/interop/onnxruntime/deno.json tests/interop/onnxruntime/serve.ts
 *
 * @module
 */
// @ts-ignore: the deno.json of this folder, not the module's, knows this package
import ort from "onnxruntime-node";
import type { Answer, Request } from "./protocol.ts";

async function answer({ path, inputs }: Request): Promise<Answer> {
  const session = await ort.InferenceSession.create(path, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const inputNames = [...session.inputNames];
    if (inputs === undefined) return { inputNames, outputs: [] };
    const feeds = Object.fromEntries(inputs.map(({ type, data, dims }, i) => {
      const { buffer } = Uint8Array.fromBase64(data);
      const array = type === "float32"
        ? new Float32Array(buffer)
        : type === "int32"
        ? new Int32Array(buffer)
        : type === "uint32"
        ? new Uint32Array(buffer)
        : new Uint8Array(buffer);
      return [inputNames[i], new ort.Tensor(type, array, dims)];
    }));
    const results = await session.run(feeds);
    const outputs = session.outputNames.map((name: string) => {
      const { data, dims, type } = results[name];
      // text, as JSON has no NaN and no infinities
      return { data: Array.from(data, String), dims: [...dims], type: String(type) };
    });
    return { inputNames, outputs };
  } finally {
    await session.release();
  }
}

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
let rest = "";
for await (const text of lines) {
  const parts = (rest + text).split("\n");
  rest = parts.pop()!;
  for (const line of parts) {
    const found = await answer(JSON.parse(line)).catch((error: Error) => ({ error: error.message }));
    console.log(JSON.stringify(found));
  }
}
