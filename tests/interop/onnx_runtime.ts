/**
 * Files of ONNX, run by ONNX's own runtime, beside the model that they were made of.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type nn, noGrad, readAll, Tensor } from "../../mod.ts";
import { exportOnnx, type OnnxModel, type OnnxOptions } from "../../src/interop/mod.ts";
import { type Case, inputsOf } from "./onnx_models.ts";
import type { Answer, Request } from "./onnxruntime/protocol.ts";

const TYPES = { f32: "float32", i32: "int32", u32: "uint32", u8: "uint8", bool: "bool", f16: "float16" } as const;

const folder = new URL("onnxruntime/", import.meta.url).pathname;
/** Started with this file, before any test, and ended with it: it reads until its input ends. */
const runtime = new Deno.Command(Deno.execPath(), {
  args: ["run", "-A", "--quiet", "--no-check", "--config", `${folder}deno.json`, `${folder}serve.ts`],
  stdin: "piped",
  stdout: "piped",
}).spawn();
const writer = runtime.stdin.getWriter(), reader = runtime.stdout.getReader();
globalThis.addEventListener("unload", () => runtime.kill());

/** The answer of the process to a line: one at a time. */
async function ask(request: Request): Promise<Exclude<Answer, { error: string }>> {
  await writer.write(new TextEncoder().encode(JSON.stringify(request) + "\n"));
  const decoder = new TextDecoder();
  let line = "";
  while (!line.endsWith("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error("ONNX's runtime ended: see above");
    line += decoder.decode(value, { stream: true });
  }
  const answer: Answer = JSON.parse(line);
  if ("error" in answer) throw new Error(answer.error);
  return answer;
}

/** Asks about a file; a model that is none yet is one as long as it takes. */
async function askOf(model: OnnxModel | string, rest: Omit<Request, "path"> = {}): ReturnType<typeof ask> {
  if (typeof model === "string") return await ask({ path: model, ...rest });
  const path = await Deno.makeTempFile({ suffix: ".onnx" });
  try {
    await Deno.writeFile(path, await model.bytes());
    return await ask({ path, ...rest });
  } finally {
    await Deno.remove(path);
  }
}

/** Names of a file's inputs, in order. */
export async function inputNamesOf(path: string): Promise<readonly string[]> {
  return (await askOf(path)).inputNames;
}

/** What the runtime makes of inputs. */
export async function runOnnx(
  model: OnnxModel | string,
  inputs: readonly Tensor[],
): Promise<{ readonly data: number[]; readonly dims: readonly number[]; readonly type: string }[]> {
  const arrays = await Promise.all(inputs.map((x) => x.data()));
  const { outputs } = await askOf(model, {
    inputs: inputs.map((x, i) => {
      const { buffer, byteOffset, byteLength } = arrays[i];
      return {
        type: TYPES[x.dtype],
        data: new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength).toBase64(),
        dims: x.shape,
      };
    }),
  });
  return outputs.map(({ data, dims, type }) => ({
    data: data.map((v) => v === "true" ? 1 : v === "false" ? 0 : Number(v)),
    dims,
    type,
  }));
}

/** Tensors of a result, in order. */
export function tensorsOf(result: unknown): Tensor[] {
  if (result instanceof Tensor) return [result];
  return Object.values(result as object).flatMap(tensorsOf);
}

/** Throws unless the runtime computes what the model does, to 1e-5 of the largest number and no less than 1e-5. */
export async function assertSame(
  model: OnnxModel | string,
  forward: (...x: Tensor[]) => unknown,
  inputs: readonly Tensor[],
  what: string,
): Promise<void> {
  const wanted = noGrad(() => tensorsOf(forward(...inputs)));
  const numbers = await readAll(wanted);
  const found = await runOnnx(model, inputs);
  assertEquals(found.length, wanted.length, what);
  for (const [i, t] of wanted.entries()) {
    assertEquals(found[i].dims, [...t.shape], `${what}: shape`);
    assertEquals(found[i].type, TYPES[t.dtype], `${what}: type`);
    const data = Array.from(numbers[i]);
    const largest = data.reduce((m, v) => Math.max(m, Math.abs(v)), 1);
    const worst = data.reduce(
      (m, v, k) => Math.max(m, Object.is(v, found[i].data[k]) ? 0 : Math.abs(v - found[i].data[k])),
      0,
    );
    assert(worst <= 1e-5 * largest, `${what}: differs by ${worst}, of numbers up to ${largest}`);
  }
}

/** Exports a case and compares it for 1 and 7 items. */
export async function check(one: Case, what: string, options: OnnxOptions = {}): Promise<OnnxModel> {
  const model = one.model as unknown as nn.AnyModule;
  const onnx = await exportOnnx(model, inputsOf(one, 1, 4), options);
  model.eval();
  for (const n of [1, 7]) {
    await assertSame(
      onnx,
      (...x) => model.forward(...x),
      inputsOf(one, n),
      `${what}, ${n} items`,
    );
  }
  const has = new Set(onnx.operators);
  assertEquals(one.operators.filter((name) => !has.has(name)), [], `${what}: operators that are missing`);
  if (one.only === true) {
    const extra = [...has].filter((name) =>
      !one.operators.includes(name) && !["Relu", "Add", "Flatten"].includes(name)
    );
    assertEquals(extra, [], `${what}: operators too many`);
  }
  return onnx;
}
