/**
 * Nodes of the lazy graph. Building one costs no device work: a node says which operation, on which inputs, gives which
 * shape and type. Programs are keyed by this structure.
 *
 * @module
 */
import type { Dtype, HostArray } from "../base/dtype.ts";
import { bytesPerElement, isFloat } from "../base/dtype.ts";
import { type Shape, sizeOf } from "../base/shape.ts";
import type { Emitter } from "./emitter.ts";
import type { Storage } from "./storage.ts";

/** How the lowering treats an operation. */
export type OpKind = "leaf" | "elementwise" | "view" | "reduce" | "gather" | "opaque" | "assign";

/** One operation: everything that the graph knows about it, in one entry of the table. */
export interface OpDef {
  readonly name: string;
  readonly id: number;
  readonly kind: OpKind;
  /** Element-wise operations: the instructions that compute the result from the operands' values. */
  readonly emit?: (e: Emitter, args: readonly number[], node: Node) => number;
  /**
   * Gradients with respect to each input, given the gradient of the output; null where there is none. Builds nodes only.
   * A gradient may have the broadcast shape: the caller sums it to the input's.
   */
  readonly vjp?: (dy: Node, node: Node) => readonly (Node | null)[];
  /** How many of the inputs the value is computed from; the rest are there for the gradient. All if left out. */
  readonly operands?: number;
  /** Rough cost of one element in instructions; decides between computing twice and storing. */
  readonly cost: number;
}

const NO_ATTR: readonly number[] = [];
const NO_INPUTS: readonly Node[] = [];

/** Nodes of this many operations on top of each other are looked at when a step ends; see `Session.endStep`. */
export const DEEP = 512;

/** Called for nodes whose depth passes a multiple of {@link DEEP}; the session sets it. */
export const growth: { notify: (node: Node) => void } = { notify: () => {} };

/** One operation on some inputs: an expression that has a shape, a type and, once realized, a place in memory. */
export class Node {
  readonly op: OpDef;
  inputs: readonly Node[];
  readonly shape: Shape;
  readonly dtype: Dtype;
  /** What the operation needs beside its inputs; part of the program key. */
  readonly attr: readonly number[];
  /** Value of a scalar leaf or of a constant. */
  value = 0;
  /** Values of an array leaf. */
  array: HostArray | null = null;
  /** Where the value lies, once it does; contiguous, `offset` elements from the storage's base. */
  storage: Storage | null = null;
  offset = 0;
  /** Version of `storage` that holds the value. */
  version = 0;
  /** Number of operations between this node and realized memory. */
  readonly depth: number;
  /** Numbers that no element is below and none above, where known for whole numbers: index checks need no read. */
  bounds: readonly [number, number] | null = null;
  /** Whether both bounds are elements: then one out of range is a fault, else it may be of an element left behind. */
  tight = false;
  /** The parameter that this leaf reads, for `backward`. */
  owner: object | null = null;
  /** Whether the value may depend on a parameter: such a node keeps its history until `backward` has seen it. */
  tracked: boolean;
  /** Whether `backward` has been through: history need not be kept beyond the next run. */
  released: boolean;
  /** How many tensors hold this node: the last one to be disposed frees the memory. */
  handles = 0;

  // scratch of walks: which walk saw it last, and its place there
  mark = 0;
  local = 0;

  constructor(op: OpDef, inputs: readonly Node[], shape: Shape, dtype: Dtype, attr: readonly number[] = NO_ATTR) {
    this.op = op;
    this.inputs = inputs;
    this.shape = shape;
    this.dtype = dtype;
    this.attr = attr;
    let depth = 0;
    let tracked = false, open = false;
    for (let i = 0; i < inputs.length; i++) {
      if (inputs[i].depth > depth) depth = inputs[i].depth;
      if (inputs[i].tracked) {
        tracked = true;
        if (!inputs[i].released) open = true;
      }
    }
    this.depth = depth + 1;
    this.tracked = tracked && isFloat(dtype); // no gradient flows through integers
    this.released = this.tracked && !open;
    if (this.depth % DEEP === 0) growth.notify(this);
  }

  /** The inputs that the value is computed from. */
  get operands(): readonly Node[] {
    const { op: { operands }, inputs } = this;
    return operands === undefined ? inputs : inputs.slice(0, operands);
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Bytes of the realized value. */
  get bytes(): number {
    return this.size * bytesPerElement(this.dtype);
  }

  /**
   * Says that the value now lies in `storage`. How it was computed is forgotten, unless gradients may still be asked for:
   * a value that depends on parameters may be read before `backward`.
   */
  materialize(storage: Storage, offset: number, version: number): void {
    this.storage = storage;
    this.offset = offset;
    this.version = version;
    if (!this.tracked || this.released || this.op.kind === "leaf" || this.op.kind === "assign") this.inputs = NO_INPUTS;
    (this as { depth: number }).depth = 0;
  }

  /** Says that `backward` has been through: how the value was computed need not be known beyond its next computation. */
  release(): void {
    if (this.op.kind === "leaf") return; // parameters go on
    this.released = true;
    if (this.storage !== null && this.op.kind !== "assign") this.inputs = NO_INPUTS;
  }

  /** Assignments to its memory that must run first: those recorded since the memory's last one that is over. */
  get pendingBefore(): number {
    const { storage } = this;
    return storage === null ? 0 : Math.max(0, this.version - storage.done);
  }

  /** Whether the memory was assigned to since: the value is gone. */
  get stale(): boolean {
    return this.storage !== null && this.version < this.storage.changed;
  }

  /** Whether the value depends on parameters and it was forgotten how: no gradient can flow through it. */
  get forgotten(): boolean {
    const { kind } = this.op;
    return this.tracked && this.storage !== null && this.inputs.length === 0 && kind !== "leaf" && kind !== "assign";
  }
}

/** Walks through the graph: a number that none before had says in `mark` what this one has seen. */
const walks = { count: 0 };

/** A number that no walk has used: nodes and storages with it in `mark` were seen by this walk. */
export function newWalk(): number {
  return ++walks.count;
}

/** How many walks there were: where it has grown, `local` of nodes may be another walk's. */
export function walkCount(): number {
  return walks.count;
}

/**
 * Nodes that `roots` are computed from, inputs first, each once. What lies in memory is where that ends, even if assignments
 * to it wait to be launched. Iterative: graphs may be 20,000 deep.
 */
export function topological(roots: readonly Node[]): Node[] {
  const walk = newWalk();
  const order: Node[] = [];
  const stack: Node[] = [];
  const next: number[] = [];
  for (const root of roots) {
    if (root.mark === walk) continue;
    root.mark = walk;
    stack.push(root);
    next.push(0);
    while (stack.length > 0) {
      const top = stack.length - 1;
      const node = stack[top];
      const i = next[top];
      if (i < node.inputs.length && node.op.kind !== "leaf") {
        next[top] = i + 1;
        const input = node.inputs[i];
        if (input.mark !== walk) {
          input.mark = walk;
          stack.push(input);
          next.push(0);
        }
      } else {
        order.push(node);
        stack.pop();
        next.pop();
      }
    }
  }
  return order;
}
