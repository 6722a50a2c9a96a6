/**
 * The values that a program has to compute, before they are assigned to kernels: one unit per stored value, per assignment,
 * and per part of a concatenation; and the dependencies between them, from which their topological order follows.
 *
 * @module
 */
import { type Shape, sizeOf } from "../../base/shape.ts";
import { ATTENTION, ATTENTION_GRAD } from "../attention.ts";
import { CONV, CONV_WEIGHT } from "../conv.ts";
import { LEAF } from "../leaves.ts";
import { CAT, MATMUL, SCATTER_ADD, SEGMENT_SUM } from "../products.ts";
import type { Graph, Item } from "./graph.ts";

/** How a unit is computed. */
export type UnitKind =
  | "map"
  | "reduce"
  | "matmul"
  | "conv"
  | "scatterAdd"
  | "segmentSum"
  | "attention"
  | "assign"
  | "part"
  | "cat";

/** One value to compute. */
export interface Unit {
  readonly id: number;
  readonly kind: UnitKind;
  /** The stored item, or the assignment; for a part, the concatenation. */
  readonly item: Item;
  /** The expression that is stored. */
  readonly value: Item;
  /** Where a part lies along the axis of the concatenation. */
  readonly start: number;
  readonly deps: Set<Unit>;
  /** Leaves that it reads. */
  readonly leaves: Set<Item>;
  /** Units that read what this assignment overwrites, and so precede it. */
  readonly after: Set<Unit>;
  /** Number of the kernel that computes it; -1 before it is scheduled. */
  kernel: number;
}

/** A cycle: a unit reads memory as it was before an assignment, and depends on that assignment as well. */
export class WriteCycle extends Error {
  /** @param leaves Leaves to copy first. */
  constructor(readonly leaves: readonly Item[]) {
    super("a leaf must be copied");
  }
}

/** Shape over which a unit's value is computed. */
export function unitShape(unit: Unit): Shape {
  return unit.value.shape;
}

const KIND_OF = new Map(
  [
    [MATMUL, "matmul"],
    [CONV, "conv"],
    [CONV_WEIGHT, "conv"],
    [SCATTER_ADD, "scatterAdd"],
    [SEGMENT_SUM, "segmentSum"],
    [ATTENTION, "attention"],
    [ATTENTION_GRAD, "attention"],
    [CAT, "cat"],
  ] as const,
);

/** All units in topological order. */
export function buildUnits(graph: Graph): Unit[] {
  const units: Unit[] = [];
  const ofItem = new Map<Item, Unit>();
  const make = (kind: UnitKind, item: Item, value: Item, start = 0): Unit => {
    const unit: Unit = {
      id: units.length,
      kind,
      item,
      value,
      start,
      deps: new Set(),
      leaves: new Set(),
      after: new Set(),
      kernel: -1,
    };
    units.push(unit);
    return unit;
  };
  const reach = (unit: Unit, from: readonly Item[]): void => {
    const stack = [...from];
    const seen = new Set<Item>(stack);
    while (stack.length > 0) {
      const item = stack.pop()!;
      if (item.stored && item !== unit.item) {
        unit.deps.add(ofItem.get(item)!);
        continue;
      }
      if (item.op === LEAF) {
        unit.leaves.add(item);
        for (const assign of item.inputs) if (item.ahead > 0) unit.deps.add(ofItem.get(assign)!);
        continue;
      }
      for (const input of item.inputs) {
        if (!seen.has(input)) {
          seen.add(input);
          stack.push(input);
        }
      }
    }
  };
  for (const item of graph.items) {
    if (item.op.kind === "assign") {
      const unit = make("assign", item, item.inputs[0]);
      ofItem.set(item, unit);
      reach(unit, [item.inputs[0]]);
    } else if (item.stored) {
      const kind = item.op.kind === "reduce" ? "reduce" : KIND_OF.get(item.op) ?? "map";
      if (kind === "cat") {
        let start = 0;
        const parts = item.inputs.map((input) => {
          const part = make("part", item, input, start);
          start += input.shape[item.node.attr[0]];
          reach(part, [input]);
          return part;
        });
        const unit = make("cat", item, item);
        parts.forEach((p) => unit.deps.add(p));
        ofItem.set(item, unit);
      } else {
        const unit = make(kind, item, item);
        ofItem.set(item, unit);
        reach(unit, item.op === LEAF ? [item] : item.inputs);
      }
    }
  }
  orderWrites(units);
  return sorted(units);
}

/** Write-after-read dependencies: whatever reads memory comes before the assignment that overwrites it. */
function orderWrites(units: readonly Unit[]): void {
  const readers = new Map<number, { unit: Unit; leaf: Item }[]>();
  for (const unit of units) {
    for (const leaf of unit.leaves) {
      const list = readers.get(leaf.storage);
      if (list === undefined) readers.set(leaf.storage, [{ unit, leaf }]);
      else list.push({ unit, leaf });
    }
  }
  for (const unit of units) {
    if (unit.kind !== "assign") continue;
    const { item } = unit;
    const start = item.node.offset, end = item.inputs.length > 1 ? Infinity : start + sizeOf(item.shape);
    for (const { unit: other, leaf } of readers.get(item.storage) ?? []) {
      if (other === unit || leaf.ahead >= item.ahead) continue;
      const low = item.inputs.length > 1 ? -Infinity : start;
      if (leaf.node.offset < end && leaf.node.offset + sizeOf(leaf.shape) > low) unit.after.add(other);
    }
  }
  // write-after-write dependencies: assignments to the same memory keep their order
  const writes = units.filter((u) => u.kind === "assign");
  for (const later of writes) {
    for (const earlier of writes) {
      if (earlier.item.storage === later.item.storage && earlier.item.ahead < later.item.ahead) later.deps.add(earlier);
    }
  }
}

/** Kahn's algorithm, smallest number first. */
function sorted(units: readonly Unit[]): Unit[] {
  const waits = new Map<Unit, number>();
  const frees = new Map<Unit, Unit[]>();
  for (const unit of units) {
    const before = new Set([...unit.deps, ...unit.after]);
    waits.set(unit, before.size);
    for (const b of before) {
      const list = frees.get(b);
      if (list === undefined) frees.set(b, [unit]);
      else list.push(unit);
    }
  }
  const order: Unit[] = [];
  const free: Unit[] = []; // descending by number: the next one is the last
  const release = (unit: Unit): void => {
    let low = 0, high = free.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (free[mid].id > unit.id) low = mid + 1;
      else high = mid;
    }
    free.splice(low, 0, unit);
  };
  for (const unit of units) if (waits.get(unit) === 0) release(unit);
  while (free.length > 0) {
    const unit = free.pop()!;
    order.push(unit);
    for (const next of frees.get(unit) ?? []) {
      const left = waits.get(next)! - 1;
      waits.set(next, left);
      if (left === 0) release(next);
    }
  }
  if (order.length < units.length) {
    // a unit that reads the old values also depends on the new ones: the old ones must be copied first
    const leaves = new Set<Item>();
    for (const unit of units) {
      if (unit.kind !== "assign" || waits.get(unit) === 0) continue;
      for (const reader of unit.after) {
        if (waits.get(reader) === 0) continue;
        for (const leaf of reader.leaves) {
          if (leaf.storage === unit.item.storage && leaf.ahead < unit.item.ahead && !leaf.stored) leaves.add(leaf);
        }
      }
    }
    throw new WriteCycle([...leaves]);
  }
  return order;
}
