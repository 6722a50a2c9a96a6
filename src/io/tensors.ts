/**
 * Tensors to safetensors files and back.
 *
 * @module
 */
import { readAll, type Tensor, tensor, type TensorData } from "../tensor/mod.ts";
import type { OutTensor, SafetensorsFile } from "./safetensors.ts";

/** A tensor with its elements on the host, of a type that files have: u32 is written as i32 with the same bits. */
export function hostTensor({ shape, dtype }: Tensor, data: TensorData): OutTensor {
  if (dtype === "bool") return { dtype, shape, data: Uint32Array.from(data) };
  if (dtype === "u32") return { dtype: "i32", shape, data: new Int32Array(data.buffer, data.byteOffset, data.length) };
  if (dtype === "f16") return { dtype: "f32", shape, data, as: "F16" };
  return { dtype, shape, data };
}

/** Reads tensors from the device, all in one round trip, for a file. */
export async function hostTensors(named: ReadonlyMap<string, Tensor>): Promise<Map<string, OutTensor>> {
  const values = await readAll([...named.values()]);
  return new Map([...named].map(([name, t], i) => [name, hostTensor(t, values[i])]));
}

/** A tensor of a file. */
export async function readTensor(file: SafetensorsFile, name: string): Promise<Tensor> {
  const { data, shape, dtype } = await file.tensor(name);
  return tensor(data, { shape: [...shape], dtype });
}

/** Tensors of a file by name; all of them if `names` is left out. */
export async function readTensors(
  file: SafetensorsFile,
  names: readonly string[] = file.names,
): Promise<Map<string, Tensor>> {
  const out = new Map<string, Tensor>();
  for (const name of names) out.set(name, await readTensor(file, name));
  return out;
}
