/**
 * Assignments to memory: recorded as nodes, run at the next boundary.
 *
 * @module
 */
import { ShapeError } from "../base/errors.ts";
import { fmtShape } from "../base/shape.ts";
import { leaf } from "./leaves.ts";
import { Node } from "./node.ts";
import { defineOp } from "./registry.ts";
import type { Storage } from "./storage.ts";

/**
 * Stores the input from element `offset` of `storage` on; with a second input (a u32 scalar leaf), that many elements
 * further. `version` is the storage's version afterwards.
 */
export const ASSIGN = defineOp({ name: "assign", kind: "assign", cost: 0 });

/** One assignment of a group: `value` is stored contiguously from element `offset` on, plus `at` elements (u32 scalar leaf). */
export interface Assignment {
  readonly storage: Storage;
  readonly value: Node;
  readonly offset?: number;
  readonly at?: Node;
}

let pending: Node[] = [];

/**
 * Records assignments that happen together: each sees the memory as it was before the group. Ranges must not overlap.
 * Returns their nodes, for {@link reader}.
 */
export function assignAll(group: readonly Assignment[]): Node[] {
  const bumped = new Set<Storage>();
  const nodes = group.map(({ storage, value, offset = 0, at }) => {
    if (!bumped.has(storage)) {
      storage.version++;
      bumped.add(storage);
    }
    const node = new Node(ASSIGN, at ? [value, at] : [value], value.shape, value.dtype);
    if ((offset + value.size) * 4 > storage.bytes) {
      throw new ShapeError(
        `Cannot assign ${fmtShape(value.shape)} at element ${offset}: the memory has ${storage.bytes / 4}`,
      );
    }
    node.storage = storage;
    node.offset = offset;
    node.version = storage.version;
    return node;
  });
  for (const node of nodes) if (node.size > 0) pending.push(node);
  return nodes;
}

/** The value of `storage` after the recorded assignments `after`: a leaf that a later expression reads. */
export function reader(storage: Storage, like: Node, offset: number, after: readonly Node[]): Node {
  return leaf(storage, like.shape, like.dtype, { offset, version: storage.version, after });
}

/** The assignments recorded and not yet handed to a device, oldest first. */
export function pendingAssigns(): readonly Node[] {
  return pending;
}

/** Takes the recorded assignments: whoever calls hands them to a device. */
export function takePending(): Node[] {
  const taken = pending;
  pending = [];
  return taken;
}

/** Gives assignments up that can never be computed: the memory stays as it is, and is what later expressions read. */
export function abandonAssigns(nodes: readonly Node[]): void {
  for (const node of nodes) {
    const storage = node.storage!;
    if (node.version > storage.done) storage.done = node.version;
    node.settle(storage, node.offset, node.version);
  }
}

/** Puts assignments back that could not be handed over. */
export function restorePending(nodes: readonly Node[]): void {
  pending = [...nodes, ...pending];
}
