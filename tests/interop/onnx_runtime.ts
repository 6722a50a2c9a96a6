/**
 * Files of ONNX, run by ONNX's own runtime, beside the model that they were made of.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import ort from "onnxruntime-node";
import { type nn, noGrad, readAll, Tensor } from "../../mod.ts";
import { exportOnnx, type OnnxModel, type OnnxOptions } from "../../src/interop/mod.ts";
import { type Case, inputsOf } from "./onnx_models.ts";

const TYPES = { f32: "float32", i32: "int32", u32: "uint32", u8: "uint8", bool: "bool" } as const;

/** What the runtime makes of inputs. */
export async function runOnnx(
  model: OnnxModel | string,
  inputs: readonly Tensor[],
): Promise<{ readonly data: number[]; readonly dims: readonly number[]; readonly type: string }[]> {
  const from = typeof model === "string" ? model : await model.bytes();
  const session = await ort.InferenceSession.create(from as string, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const feeds: Record<string, ort.Tensor> = {};
  for (const [i, x] of inputs.entries()) {
    feeds[session.inputNames[i]] = new ort.Tensor(TYPES[x.dtype], await x.data() as Float32Array, [...x.shape]);
  }
  const results = await session.run(feeds);
  const out = session.outputNames.map((name) => {
    const { data, dims, type } = results[name];
    return { data: Array.from(data as Float32Array, Number), dims, type: String(type) };
  });
  await session.release();
  return out;
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
