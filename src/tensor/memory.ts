/**
 * What layers above tensors keep on a device for themselves, such as arenas, statistics and histories: memory, what is
 * assigned to it, and the end of a step. The only way from there to the graph.
 *
 * @module
 */
import type { HostArray } from "../base/dtype.ts";
import type { Shape } from "../base/shape.ts";
import type { Device } from "../device/contract.ts";
import { reader as readerNode } from "../graph/assign.ts";
import { LEAF, leaf, scalar } from "../graph/leaves.ts";
import type { Node } from "../graph/node.ts";
import { session } from "../graph/session.ts";
import { Storage } from "../graph/storage.ts";
import { Tensor } from "./tensor.ts";

export { beforeWrite, type HostRange, type PendingWrite, withHostMemory } from "../graph/host_memory.ts";

/** Memory on a device; on the host until a program first needs it. */
export type Memory = Storage;

/** An assignment that was recorded: what reads the memory after it has to know. */
export type Assigned = Node;

/** Memory for `n` elements of 4 bytes: zeros, or these numbers, which are kept, not copied. */
export function memory(content: number | HostArray): Memory {
  return typeof content === "number" ? new Storage(content * 4) : new Storage(content.byteLength, content);
}

/** Where a {@link viewOf} memory starts, and what must have been assigned before. */
export interface ViewOptions {
  /** First element; 0 if left out. */
  readonly offset?: number;
  /** Assignments that must be carried out first; those that were launched already may be left out. */
  readonly after?: readonly Assigned[];
}

/** The elements of `memory` as they are now, f32. */
export function viewOf(memory: Memory, shape: Shape, { offset = 0, after = [] }: ViewOptions = {}): Tensor {
  return new Tensor(leaf(memory, shape, "f32", { offset, after }));
}

/** Elements of a tensor's own memory, beginning with its `from`-th. */
export function partOf({ node }: Tensor, from: number, n: number): Tensor {
  return new Tensor(leaf(node.storage!, [n], node.dtype, { offset: node.offset + from }));
}

/** What lies in `memory` after the assignments `after`, in the shape of `like`. */
export function rereadAs(memory: Memory, like: Tensor, offset: number, after: readonly Assigned[]): Tensor {
  return new Tensor(readerNode(memory, like.node, offset, after));
}

/**
 * One assignment of a group: `value` is stored from element `offset` on, plus `at` elements, a number that travels with the
 * launch: others need no other program.
 */
export interface MemoryWrite {
  readonly memory: Memory;
  readonly value: Tensor;
  readonly offset?: number;
  readonly at?: number;
}

/**
 * Records assignments that happen together: each sees the memory as it was before the group. Ranges must not overlap. They
 * are carried out with the next launch.
 */
export function assign(group: readonly MemoryWrite[]): Assigned[] {
  return session.record(group.map(({ memory, value, offset = 0, at }) => ({
    storage: memory,
    value: value.node,
    offset,
    at: at === undefined ? undefined : scalar(at, "u32"),
  })));
}

/** Assignments that the value of a parameter, a buffer or a view waits for. */
export function pendingOf({ node }: Tensor): readonly Assigned[] {
  return node.op === LEAF ? node.inputs : [];
}

/** Whether a tensor is what lies in `memory` from element `offset` on, as of its last assignment. */
export function liesIn({ node }: Tensor, memory: Memory, offset: number): boolean {
  return node.storage === memory && node.offset === offset && node.version === memory.version;
}

/** Whether a tensor is memory, or an assignment to it, and no expression that still has to be computed. */
export function isMemory({ node }: Tensor): boolean {
  return node.op === LEAF;
}

/** Whether the value of a tensor has been launched, so that it takes memory of its own. */
export function isLaunched({ node }: Tensor): boolean {
  return node.storage !== null;
}

/** Where the one number of a launched tensor lies. */
export function placeOf({ node }: Tensor): { readonly storage: Memory; readonly offset: number; readonly n: number } {
  return { storage: node.storage!, offset: node.offset, n: 1 };
}

/** Launches everything that was recorded. */
export function flush(): void {
  session.flush();
}

/** The end of a step by hand, or of anything that later steps shall not share a program with: launches it. */
export function endStep(): void {
  session.endStep();
}

/** Forgets what was recorded and not launched: memory, versions and results are those of the last launch. */
export function abandon(): void {
  session.abandon();
}

/** Calls `undo` if what is recorded is abandoned, and never if it is launched: for what the host counts along. */
export function onAbandon(undo: () => void): void {
  session.onAbandon(undo);
}

/** Opens the default device if none is open. */
export async function ready(): Promise<void> {
  await session.ready();
}

/** The default device; null before one is open. */
export function currentDevice(): Device | null {
  return session.device;
}
