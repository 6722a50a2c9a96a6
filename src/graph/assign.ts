/**
 * Assignments to memory, as nodes: a session carries them out with its next launch.
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
  readonly at?: Node | undefined;
}

/**
 * The nodes of assignments that happen together: each sees the memory as it was before the group. Ranges must not overlap.
 * The memory's versions are those after them.
 */
export function assignNodes(group: readonly Assignment[]): Node[] {
  for (const { storage, value, offset = 0 } of group) {
    if ((offset + value.size) * 4 > storage.bytes) {
      throw new ShapeError(
        `Cannot assign ${fmtShape(value.shape)} at element ${offset}: the memory has ${storage.bytes / 4}`,
      );
    }
  }
  const bumped = group.length > 1 ? new Set<Storage>() : null;
  return group.map(({ storage, value, offset = 0, at }) => {
    if (bumped === null || !bumped.has(storage)) {
      storage.version++;
      bumped?.add(storage);
    }
    const node = new Node(ASSIGN, at ? [value, at] : [value], value.shape, value.dtype);
    node.storage = storage;
    node.offset = offset;
    node.version = storage.version;
    return node;
  });
}

/** The value of `storage` after the recorded assignments `after`: a leaf that a later expression reads. */
export function reader(storage: Storage, like: Node, offset: number, after: readonly Node[]): Node {
  return leaf(storage, like.shape, like.dtype, { offset, version: storage.version, after });
}

/** After a launch that carried assignments out: their values lie in memory. */
export function commitAssigns(nodes: readonly Node[]): void {
  for (const assign of nodes) {
    const storage = assign.storage!;
    const value = assign.inputs[0];
    if (assign.version > storage.done) storage.done = assign.version;
    if (assign.version > storage.changed) storage.changed = assign.version;
    // the value can be read where it was assigned, until the next assignment
    if (assign.inputs.length === 1 && value.storage === null && value.op.kind !== "leaf") {
      value.materialize(storage, assign.offset, assign.version);
    }
    assign.materialize(storage, assign.offset, assign.version);
  }
}

/** Gives assignments up: the memory stays as it is, and is what later expressions read. */
export function abandonAssigns(nodes: readonly Node[]): void {
  for (const node of nodes) {
    const storage = node.storage!;
    if (node.version > storage.done) storage.done = node.version;
    node.materialize(storage, node.offset, node.version);
  }
}
