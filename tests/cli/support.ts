/**
 * A small data set as files, and a recipe of it.
 *
 * @module
 */
import { join } from "@std/path";
import { writeSafetensors } from "../../src/io/safetensors.ts";
import { fillF32 } from "../support/fill.ts";
import { tempDir } from "../support/temp.ts";

/** The recipe that {@link smallData} is for. */
export const SMALL = `data:
  kind: arrays
  file: small.safetensors
  xValid: xValid
  yValid: yValid
  bs: 16
model:
  kind: mlp
  layers: [8]
loss: crossEntropy
metrics: [accuracy]
optimizer: { kind: adam, wd: 0.01 }
policy:
  kind: oneCycle
  epochs: 2
  lrMax: 1e-2
seed: 7
device: cpu
`;

/** 96 items to learn from and 32 to validate on, of 6 numbers and 2 classes. */
export function smallArrays(): {
  x: { data: Float32Array; shape: number[]; dtype: "f32" };
  y: { data: Int32Array; shape: number[]; dtype: "i32" };
  xValid: { data: Float32Array; shape: number[]; dtype: "f32" };
  yValid: { data: Int32Array; shape: number[]; dtype: "i32" };
} {
  const inputs = (seed: number, n: number) => ({ data: fillF32(seed, n * 6), shape: [n, 6], dtype: "f32" as const });
  const labels = ({ data }: { data: Float32Array }, n: number) => ({
    data: Int32Array.from({ length: n }, (_, i) => data[i * 6] > 0 ? 1 : 0),
    shape: [n],
    dtype: "i32" as const,
  });
  const x = inputs(1, 96), xValid = inputs(2, 32);
  return { x, y: labels(x, 96), xValid, yValid: labels(xValid, 32) };
}

/** Writes data and recipe into a new folder; gives the folder. */
export async function smallData(recipe: string = SMALL): Promise<string> {
  const folder = tempDir();
  await writeSafetensors(join(folder, "small.safetensors"), new Map(Object.entries(smallArrays())), {});
  await Deno.writeTextFile(join(folder, "small.yaml"), recipe);
  return folder;
}
