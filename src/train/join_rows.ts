/**
 * Batches put together again.
 *
 * @module
 */
import { ShapeError } from "../base/errors.ts";
import { fmtShape, sameShape, sizeOf } from "../base/shape.ts";
import { readAll, type Tensor, tensor } from "../tensor/mod.ts";
import type { Peers } from "./peers.ts";

/**
 * Tensors after each other along axis 0, by way of the host: their number and sizes change from set to set, and no
 * program is worth compiling for it. Scalars become the items of a vector.
 *
 * @param order Where each row goes: row `i` of the joined batches becomes row `order[i]`.
 */
export async function joinRows(parts: readonly Tensor[], order?: ArrayLike<number>): Promise<Tensor> {
  const inner = parts[0].shape.slice(1), odd = parts.find(({ shape }) => !sameShape(shape.slice(1), inner));
  if (odd !== undefined) {
    throw new ShapeError(
      `Cannot put batches of ${fmtShape(parts[0].shape)} and ${fmtShape(odd.shape)} together: their items have other ` +
        "shapes, as those of a stream whose last batch is shorter; go through the loader batch by batch",
    );
  }
  const values = await readAll(parts);
  const width = sizeOf(inner);
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

/** The rows of all processes of a run, in the order of the set: see {@link Peers.interleave}. The first axis counts rows. */
export async function gatherRows(peers: Peers, parts: readonly Tensor[]): Promise<Tensor> {
  const whole = await joinRows(parts);
  const [values] = await readAll([whole]);
  const { dtype, shape: [, ...inner] } = whole;
  const width = sizeOf(inner);
  const rows = await peers.interleave(peers.idle ? values.subarray(0, 0) : values, width);
  return tensor(rows, { shape: [rows.length / Math.max(1, width), ...inner], dtype });
}

function sameKind<T extends Float32Array | Int32Array | Uint32Array | Uint8Array>(like: T, length: number): T {
  return new (like.constructor as new (length: number) => T)(length);
}
