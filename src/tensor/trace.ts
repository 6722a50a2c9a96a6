/**
 * Expressions as plain data, for those who write them down in another form: which operations, on what, with which results.
 *
 * @module
 */
import type { Dtype } from "../base/dtype.ts";
import type { Shape } from "../base/shape.ts";
import { type Node, topological } from "../graph/node.ts";
import { session } from "../graph/session.ts";
import type { Storage } from "../graph/storage.ts";
import { type Composite, composite, type CompositeAttrs, composites } from "./fn/composite.ts";
import { noGrad } from "./gradient.ts";
import { Tensor } from "./tensor.ts";

export type { CompositeAttrs };

/** Where a value comes from that no operation of the trace computes. */
export type TracedSource =
  /** One of the inputs, by its place. */
  | { readonly kind: "input"; readonly index: number }
  /** One of the named tensors: a parameter or a buffer. */
  | { readonly kind: "variable"; readonly name: string }
  /** Numbers that were there before, or that the function brought along. */
  | { readonly kind: "constant" }
  /** A parameter or buffer that the function has assigned to before it reads it. */
  | { readonly kind: "assigned" };

/** One operation of a trace. */
export interface TracedOp {
  /** Name of the operation in the graph's table. */
  readonly op: string;
  /** Its operands, by their places in the trace. */
  readonly inputs: readonly number[];
  readonly shape: Shape;
  readonly dtype: Dtype;
  /** What the operation needs beside its operands. */
  readonly attr: readonly number[];
  /** The number that a `scalar` or `const` is. */
  readonly value: number;
  /** Where the value comes from; null where the operation computes it. */
  readonly source: TracedSource | null;
  /** The operation made of simpler ones whose result this is; null where it is none, or the last of its parts. */
  readonly composite:
    | { readonly kind: string; readonly inputs: readonly number[]; readonly attrs: CompositeAttrs }
    | null;
  /** The value, for reading. */
  readonly tensor: Tensor;
}

/** What a function computes. */
export interface Trace {
  /** Operations, operands first. */
  readonly ops: readonly TracedOp[];
  /** The results, by their places in {@link Trace.ops}. */
  readonly outputs: readonly number[];
}

/**
 * What `body` computes from `inputs`, without computing it. Gradients do not flow through it, and what it assigns to
 * variables is not carried out.
 *
 * @param inputs Tensors in memory of their own, as `tensor()` makes them.
 * @param named Parameters and buffers by name.
 */
export function trace(
  inputs: readonly Tensor[],
  named: ReadonlyMap<string, Tensor>,
  body: () => readonly Tensor[],
): Trace {
  session.flush(); // what others assigned is
  try {
    return traced(inputs, named, body);
  } finally {
    if (session.pending.length > 0) session.abandon();
  }
}

function traced(
  inputs: readonly Tensor[],
  named: ReadonlyMap<string, Tensor>,
  body: () => readonly Tensor[],
): Trace {
  const places = new Map<Storage, number>(), names = new Map<Node, string>();
  inputs.forEach((t, i) => places.set(t.node.storage!, i));
  for (const [name, t] of named) names.set(t.node, name);
  const before = composites.found;
  const found = composites.found = new Map<Node, Composite>();
  let roots: Node[];
  try {
    roots = noGrad(() => body().map((t) => t.node)); // their nodes are asked for inside, so that nothing is detached
  } finally {
    composites.found = before;
  }
  const order = topological(roots), at = new Map(order.map((node, i) => [node, i]));
  const ops = order.map((node): TracedOp => {
    const made = found.get(node);
    const operands = made?.inputs.map((x) => at.get(x) ?? -1) ?? [];
    return {
      op: node.op.name,
      inputs: isLeaf(node) ? [] : node.inputs.map((x) => at.get(x)!),
      shape: node.shape,
      dtype: node.dtype,
      attr: node.attr,
      value: node.value,
      source: sourceOf(node, places, names),
      composite: made === undefined || operands.includes(-1)
        ? null
        : { kind: made.kind, inputs: operands, attrs: made.attrs },
      tensor: new Tensor(node),
    };
  });
  return { ops, outputs: roots.map((node) => at.get(node)!) };
}

/** Says that `y` is the result of an operation on `inputs`, for those who trace; see `fn/composite.ts`. */
export function asComposite(y: Tensor, kind: string, inputs: readonly Tensor[], attrs: CompositeAttrs = {}): void {
  if (composites.found !== null) composite(y.node, kind, inputs.map((t) => t.node), attrs);
}

function isLeaf(node: Node): boolean {
  return node.op.kind === "leaf" || node.storage !== null && node.inputs.length === 0;
}

function sourceOf(
  node: Node,
  inputs: ReadonlyMap<Storage, number>,
  names: ReadonlyMap<Node, string>,
): TracedSource | null {
  if (!isLeaf(node)) return null;
  const name = names.get(node);
  if (name !== undefined) return { kind: "variable", name };
  if (node.pendingBefore > 0) return { kind: "assigned" }; // what waited for a launch before the trace is over
  const index = node.storage === null ? undefined : inputs.get(node.storage);
  if (index !== undefined) return { kind: "input", index };
  return node.storage !== null || node.array !== null ? { kind: "constant" } : null;
}
