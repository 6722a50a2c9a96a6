/**
 * The collected graph in the form that the lowering works on: equal nodes merged, uses counted.
 *
 * @module
 */
import type { Dtype } from "../../base/dtype.ts";
import { type Shape, sizeOf } from "../../base/shape.ts";
import type { Collected } from "../collect.ts";
import { ARRAY, CONST, LEAF, SCALAR } from "../leaves.ts";
import type { Node, OpDef } from "../node.ts";
import { CAST, isWidening } from "../elementwise.ts";
import { CAT, GATHER, SEGMENT_SUM } from "../products.ts";
import { EXPAND, PAD } from "../views.ts";
import { SHEAR, WINDOWS } from "../windows.ts";

/** A node of the lowering. */
export interface Item {
  readonly id: number;
  readonly node: Node;
  readonly op: OpDef;
  readonly shape: Shape;
  readonly dtype: Dtype;
  readonly inputs: readonly Item[];
  /** Where a leaf lies, or an assignment goes: index among the collected storages; -1 elsewhere. */
  readonly storage: number;
  /** Versions of that storage that lie between the state before the program and this node. */
  readonly ahead: number;
  /** Edges that lead here, roots not counted. */
  uses: number;
  root: boolean;
  /** Computed by a kernel of its own or as a named value in one, rather than again wherever it is used. */
  stored: boolean;
}

/** Everything about the graph that the other stages ask for. */
export interface Graph {
  readonly items: readonly Item[];
  readonly roots: readonly Item[];
  readonly assigns: readonly Item[];
}

/** Element-wise values used twice are stored when computing them costs more than this many instructions. */
const RECOMPUTE_COST = 6;

/** Expressions of more operations on top of each other are cut: bodies are written by recursion. */
const MAX_INLINE = 200;

/** Whether a view holds zeros beside the elements of its input: it has no strides. */
export function isFilled(op: OpDef): boolean {
  return op === PAD || op === WINDOWS || op === SHEAR;
}

/** Whether the node is memory to be read, whatever made it. */
export function isLeaf(node: Node): boolean {
  return node.storage !== null && node.op.kind !== "assign";
}

/**
 * Builds the graph: merges equal nodes and decides which values are stored.
 *
 * @param alsoStored Items that an earlier attempt found must be stored.
 * @param maxReads Most places in memory that one expression may read.
 */
export function buildGraph(c: Collected, alsoStored: ReadonlySet<number>, maxReads: number): Graph {
  const items: Item[] = [];
  const of = new Array<Item>(c.order.length);
  const known = new Map<string, Item>();
  c.order.forEach((node, index) => {
    const lies = isLeaf(node);
    const inputs = lies && node.op !== LEAF ? [] : node.operands.map((input) => of[input.local]);
    const op = lies ? LEAF : node.op;
    const storage = node.storage === null ? -1 : node.storage.local;
    const ahead = node.pendingBefore;
    const own = op === SCALAR || op === ARRAY || op.kind === "assign";
    const key = own
      ? `own ${index}`
      : `${op.id} ${node.dtype} ${node.shape} ${lies ? `${storage} ${node.offset} ${ahead}` : node.attr} ${
        op === CONST ? Object.is(node.value, -0) ? "-0" : node.value : ""
      } ${inputs.map((i) => i.id)}`;
    let item = known.get(key);
    if (item === undefined) {
      item = {
        id: items.length,
        node,
        op,
        shape: node.shape,
        dtype: node.dtype,
        inputs,
        storage,
        ahead,
        uses: 0,
        root: false,
        stored: false,
      };
      items.push(item);
      known.set(key, item);
      for (const input of inputs) input.uses++;
    }
    of[index] = item;
  });
  const roots = c.roots.map((n) => of[n.local]);
  const assigns = c.assigns.map((n) => of[n.local]);
  for (const root of roots) root.root = true;
  decideStored(items, roots, assigns, alsoStored, maxReads);
  return { items, roots, assigns };
}

function decideStored(
  items: readonly Item[],
  roots: readonly Item[],
  assigns: readonly Item[],
  alsoStored: ReadonlySet<number>,
  maxReads: number,
): void {
  for (const root of roots) root.stored = root.op.kind !== "assign";
  for (const assign of assigns) {
    const value = assign.inputs[0];
    if (value.uses > 1 && value.op.kind !== "leaf" && value.op.kind !== "view") halfOf(value).stored = true;
  }
  const cost = new Array<number>(items.length).fill(0);
  const depth = new Array<number>(items.length).fill(0);
  const memory = new Array<ReadonlySet<number>>(items.length); // what the inlined expression reads
  const made = new Array<boolean>(items.length).fill(false); // whether it is of the result of a product
  for (const item of items) {
    const { op } = item;
    if (op.kind === "reduce" || op.kind === "opaque") item.stored = true;
    if (alsoStored.has(item.id)) item.stored = true;
    // what kernels take as memory rather than as a value
    if (op.kind === "opaque" && op !== CAT && op !== SEGMENT_SUM) {
      item.inputs.filter(({ op }) => op !== SCALAR && op !== CONST).forEach(storeBase);
    }
    if (op === GATHER) storeBase(item.inputs[0]);
    if (op.kind === "elementwise" || op.kind === "gather" || op.kind === "view") {
      const reads = () => {
        const all = new Set<number>();
        for (const input of item.inputs) {
          if (input.stored || input.op === LEAF) all.add(input.id);
          else memory[input.id].forEach((m) => all.add(m));
        }
        return all;
      };
      let mine = reads();
      while (mine.size > maxReads) {
        const widest = item.inputs.filter((i) =>
          !i.stored && i.op !== LEAF
        ).sort((x, y) => memory[y.id].size - memory[x.id].size)[0];
        if (widest === undefined) {
          break;
        }
        widest.stored = true;
        mine = reads();
      }
      memory[item.id] = mine;
    } else memory[item.id] = new Set();
    if (op === EXPAND) storeRepeated(item, cost);
    let own = op.cost;
    let deep = 0;
    for (const input of item.inputs) {
      if (input.stored) continue;
      own += cost[input.id];
      deep = Math.max(deep, depth[input.id] + 1);
    }
    cost[item.id] = own;
    depth[item.id] = deep;
    if (op.kind === "elementwise" || op.kind === "gather") {
      const half = halfOf(item);
      if ((item.uses > 1 && own > RECOMPUTE_COST) || deep >= MAX_INLINE) {
        half.stored = true;
        if (half !== item) cost[item.id] = depth[item.id] = 0;
      }
      made[item.id] = item.inputs.some((input) => input.op.kind === "opaque" || (!input.stored && made[input.id]));
      // rounded to f16 to lie in memory so
      if (op === CAST && item.dtype === "f16" && (item.inputs[0].stored || made[item.id])) item.stored = true;
    }
  }
}

/** Values of this many elements and more are not computed again for each of many elements that they are repeated for. */
const REPEATED_SIZE = 4096, REPEATED_TIMES = 4;

/** Stores what an expansion repeats, where computing it each time costs more than a kernel that stores it. */
function storeRepeated(item: Item, cost: number[]): void {
  const size = sizeOf(item.inputs[0].shape);
  if (size < REPEATED_SIZE || sizeOf(item.shape) < size * REPEATED_TIMES) return;
  const views: Item[] = [];
  let [at] = item.inputs;
  for (; at.op.kind === "view" && !at.stored; [at] = at.inputs) views.push(at);
  if (isWidening(at.op, at) && !at.stored) [at] = at.inputs;
  if (at.stored || at.op.kind !== "elementwise" || cost[at.id] <= RECOMPUTE_COST) return;
  at.stored = true;
  for (const view of views) cost[view.id] = view.op.cost;
}

/** What is to be stored for `item`: what is f16 anyway is stored as that. */
function halfOf(item: Item): Item {
  return isWidening(item.op, item) && !item.root && item.inputs[0].op.kind !== "leaf" ? item.inputs[0] : item;
}

/** Stores the value under a chain of views, unless it lies in memory already. */
function storeBase(item: Item): void {
  let at = item;
  while (!at.stored && ((at.op.kind === "view" && !isFilled(at.op)) || isWidening(at.op, at))) at = at.inputs[0];
  if (at.op !== LEAF && at.op !== ARRAY) at.stored = true;
}
