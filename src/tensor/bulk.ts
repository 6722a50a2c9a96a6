/**
 * Copying and reading many tensors at once: one copy or one read for each memory that they share.
 *
 * @module
 */
import type { Assignment } from "../graph/assign.ts";
import { LEAF, leaf } from "../graph/leaves.ts";
import type { Node } from "../graph/node.ts";
import { session } from "../graph/session.ts";
import { Storage } from "../graph/storage.ts";
import type { TensorData } from "./handle.ts";
import { snapshots } from "./parameter.ts";
import { Tensor } from "./tensor.ts";

/** The part of one memory that some tensors lie in, in elements. */
interface Stretch {
  readonly storage: Storage;
  readonly members: { readonly node: Node; readonly at: number }[];
  start: number;
  end: number;
}

/** Copies of tensors, which later assignments leave alone. */
export interface Copies {
  /** In the order of the originals. */
  readonly tensors: readonly Tensor[];
  /** Gives the copies' memory back. */
  dispose(): void;
}

/** Copies tensors on the device, as they are now; those of one arena by one kernel. Nothing is waited for. */
export function snapshotAll(tensors: readonly Tensor[]): Copies {
  const out: (Tensor | null)[] = tensors.map(() => null);
  const { stretches, rest } = stretchesOf(tensors);
  const group: Assignment[] = stretches.map(({ storage, members, start, end }) => {
    const { dtype } = members[0].node;
    const after = [...new Set(members.flatMap((m) => m.node.inputs))];
    return {
      storage: new Storage((end - start) * 4),
      value: leaf(storage, [end - start], dtype, { offset: start, after }),
    };
  });
  const done = session.record(group);
  stretches.forEach(({ members, start }, i) => {
    const { storage } = group[i];
    for (const { node, at } of members) {
      const copy = leaf(storage, node.shape, node.dtype, { offset: node.offset - start, after: [done[i]] });
      out[at] = new Tensor(copy);
    }
  });
  if (group.length > 0) session.flush();
  const single = snapshots(rest.map((i) => tensors[i]));
  rest.forEach((i, k) => out[i] = single[k]);
  return {
    tensors: out.map((t) => t!),
    dispose: () => {
      for (const { storage } of group) storage.dispose();
      for (const t of single) t.dispose();
    },
  };
}

/**
 * The elements of several tensors in one round trip, as `data()` gives them: one read for each memory. Arrays of one memory
 * may share a buffer.
 */
export async function readAll(tensors: readonly Tensor[]): Promise<TensorData[]> {
  session.flush(tensors.map((t) => t.node).filter((n) => n.size > 0));
  const { stretches, rest } = stretchesOf(tensors);
  const nodes = stretches.map(({ storage, members, start, end }) => {
    const { dtype, version } = members[0].node;
    return leaf(storage, [end - start], dtype, { offset: start, version });
  });
  const values = await session.read([...nodes, ...rest.map((i) => tensors[i].node)]);
  const out: TensorData[] = new Array(tensors.length);
  stretches.forEach(({ members, start }, i) => {
    for (const { node, at } of members) {
      const first = node.offset - start;
      out[at] = values[i].subarray(first, first + node.size);
    }
  });
  rest.forEach((i, k) => out[i] = values[stretches.length + k]);
  return bytesOfBools(tensors, out);
}

/** The same without giving up the thread; null where no device is open or it cannot. */
export function readAllSync(tensors: readonly Tensor[]): TensorData[] | null {
  const values = session.readSync(tensors.map((t) => t.node));
  return values === null ? null : bytesOfBools(tensors, values);
}

function bytesOfBools(tensors: readonly Tensor[], values: readonly TensorData[]): TensorData[] {
  return values.map((v, i) => tensors[i].dtype === "bool" ? Uint8Array.from(v) : v);
}

/** Tensors that lie in memory, by memory; numbers of the others are in `rest`. */
function stretchesOf(tensors: readonly Tensor[]): { stretches: Stretch[]; rest: number[] } {
  const found = new Map<string, Stretch>();
  const rest: number[] = [];
  tensors.forEach(({ node }, at) => {
    const { storage, offset, size } = node;
    // u8 cannot be computed, so not copied by a kernel; what is empty has no memory
    if (storage === null || node.op !== LEAF || node.dtype === "u8" || size === 0) {
      rest.push(at);
      return;
    }
    const key = `${storage.id} ${node.dtype} ${node.version}`;
    const stretch = found.get(key);
    if (stretch === undefined) {
      found.set(key, { storage, members: [{ node, at }], start: offset, end: offset + size });
    } else {
      stretch.members.push({ node, at });
      stretch.start = Math.min(stretch.start, offset);
      stretch.end = Math.max(stretch.end, offset + size);
    }
  });
  return { stretches: [...found.values()], rest };
}
