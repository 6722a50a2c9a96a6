/**
 * Looking rows up, for loaders; and what is known of indices before they are used.
 *
 * @module
 */
import { allBelow as nodeAllBelow, unanswered } from "../graph/known.ts";
import type { HostArray, StoredArray } from "../base/dtype.ts";
import { halfToFloat } from "../base/half.ts";
import { fromHost } from "../graph/leaves.ts";
import { gather } from "../graph/products.ts";
import { session } from "../graph/session.ts";
import { reshape } from "../graph/views.ts";
import { noGrad } from "./gradient.ts";
import { Tensor } from "./tensor.ts";

/** Rows of `x` `[n, ...]` by `index` `[m]`, which is not checked: `[m, ...]`. */
export function takeRows({ node }: Tensor, index: Tensor): Tensor {
  const [m] = index.shape;
  const shape = [m, ...node.shape.slice(1)];
  const at = shape.length === 1 ? index.node : reshape(index.node, shape.map((_, i) => i === 0 ? m : 1));
  return new Tensor(gather(node, at, 0, shape));
}

/**
 * Rows of an array that has more bytes than the device allocates at once, and so stays on the host, cut out there; null for
 * others.
 */
export function rowsOnHost({ node: { storage, shape, size, offset, dtype } }: Tensor, rows: Int32Array): Tensor | null {
  const limit = session.device?.profile.maxBufferBytes ?? Infinity;
  if (storage === null || storage.host === null || storage.buffer !== null || storage.bytes <= limit) return null;
  const { host } = storage, width = size / shape[0];
  const data = new (host.constructor as new (n: number) => StoredArray)(rows.length * width);
  rows.forEach((r, i) =>
    data.set(host.subarray(offset + r * width, offset + (r + 1) * width) as Float32Array, i * width)
  );
  return new Tensor(fromHost(data, [rows.length, ...shape.slice(1)], dtype));
}

/** The numbers of a tensor that are on the host still, as reading gives them; null where they are on the device. */
export function numbersOnHost({ node: { storage, offset, dtype } }: Tensor, from: number, n: number): HostArray | null {
  const part = storage?.host?.subarray(offset + from, offset + from + n) ?? null;
  if (part instanceof Uint16Array) return halfToFloat(part);
  return part !== null && dtype === "bool" ? Uint8Array.from(part) : part;
}

/**
 * Whether all elements of whole numbers are in `[0, size)`, or `except`: true, or one that is not; null where only the
 * device can tell.
 */
export function allBelow(t: Tensor, size: number, except: number | null = null): true | { bad: number } | null {
  return nodeAllBelow(t.node, size, except);
}

/** Indices or labels that only the device knows: nobody could refuse those outside of `[0, size)`, or `except`. */
export interface UncheckedIndex {
  readonly index: Tensor;
  readonly size: number;
  readonly except: number | null;
}

/**
 * The indices and labels in what `body` records that only the device knows, in their order. Nothing is launched but what was
 * recorded before, and what `body` assigns is not carried out.
 *
 * @param body May ask how many were found so far.
 */
export function uncheckedIndices(body: (found: () => number) => void): UncheckedIndex[] {
  session.flush(); // what others assigned is
  const before = unanswered.list, list: typeof unanswered.list = unanswered.list = [];
  try {
    noGrad(() => body(() => list.length));
  } finally {
    unanswered.list = before;
    if (session.pending.length > 0) session.abandon();
  }
  return list.map(({ node, size, except }) => ({ index: new Tensor(node), size, except }));
}
