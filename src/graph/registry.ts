/**
 * The table of operations. Every operation of the graph is registered here once, by the file that defines it.
 *
 * @module
 */
import type { OpDef } from "./node.ts";

const table = new Map<string, OpDef>();

/** Adds an operation to the table and gives it its number. */
export function defineOp(op: Omit<OpDef, "id">): OpDef {
  if (table.has(op.name)) throw new Error(`The operation ${op.name} is defined twice`);
  const entry: OpDef = { ...op, id: table.size + 1 };
  table.set(op.name, entry);
  return entry;
}

/** Gives an operation its derivative, where that needs operations that are defined on top of it. */
export function deriveBy(op: OpDef, vjp: NonNullable<OpDef["vjp"]>): void {
  if (op.vjp !== undefined) throw new Error(`The derivative of ${op.name} is defined twice`);
  Object.assign(op, { vjp });
}

/** All operations by name, for tests that go through every one. */
export function opTable(): ReadonlyMap<string, OpDef> {
  return table;
}
