/**
 * Reading several tensors at once.
 *
 * @module
 */
import { session } from "../graph/session.ts";
import type { Tensor, TensorData } from "./tensor.ts";

/** The elements of several tensors in one round trip, as `data()` gives them. */
export async function readAll(tensors: readonly Tensor[]): Promise<TensorData[]> {
  return bytesOfBools(tensors, await session.read(tensors.map((t) => t.node)));
}

/** The same without giving up the thread; null where no device is open or it cannot. */
export function readAllSync(tensors: readonly Tensor[]): TensorData[] | null {
  const values = session.readSync(tensors.map((t) => t.node));
  return values === null ? null : bytesOfBools(tensors, values);
}

function bytesOfBools(tensors: readonly Tensor[], values: readonly TensorData[]): TensorData[] {
  return values.map((v, i) => tensors[i].dtype === "bool" ? Uint8Array.from(v) : v);
}
