/**
 * Batches put together again.
 *
 * @module
 */
import { readAll, type Tensor, tensor } from "../tensor/mod.ts";

/**
 * Tensors after each other along axis 0, by way of the host: their number and sizes change from set to set, and no
 * program is worth compiling for it. Scalars become the items of a vector.
 *
 * @param order Where each row goes: row `i` of the joined batches becomes row `order[i]`.
 */
export async function joinRows(parts: readonly Tensor[], order?: readonly number[]): Promise<Tensor> {
  const values = await readAll(parts);
  const inner = parts[0].shape.slice(1);
  const width = inner.reduce((a, b) => a * b, 1);
  const rows = values.reduce((n, v) => n + v.length / Math.max(1, width), 0);
  const joined = sameKind(values[0], rows * width);
  let row = 0;
  for (const part of values) {
    for (let at = 0; at < part.length; at += width) {
      joined.set(part.subarray(at, at + width), (order?.[row] ?? row) * width);
      row++;
    }
  }
  return tensor(joined, { shape: [rows, ...inner], dtype: parts[0].dtype });
}

function sameKind<T extends Float32Array | Int32Array | Uint32Array | Uint8Array>(like: T, length: number): T {
  return new (like.constructor as new (length: number) => T)(length);
}
