/**
 * Operations that the graph has no node for, such as a softmax, which is made of simpler ones: while an expression is traced,
 * it is remembered which node is the result of which. Exporters then write the operation, and not its parts.
 *
 * @module
 */
import type { Node } from "../../graph/node.ts";

/** What an operation was told beside its operands. */
export type CompositeAttrs = Readonly<Record<string, number | string | readonly number[]>>;

/** An operation made of others. */
export interface Composite {
  /** Its name. */
  readonly kind: string;
  /** Its operands. */
  readonly inputs: readonly Node[];
  /** What else it was told. */
  readonly attrs: CompositeAttrs;
}

/** Where operations are remembered; null while nothing is traced. */
export const composites: { found: Map<Node, Composite> | null } = { found: null };

/** `y`, which is the result of an operation on `inputs`. */
export function composite(y: Node, kind: string, inputs: readonly Node[], attrs: CompositeAttrs = {}): Node {
  if (composites.found !== null && !inputs.includes(y)) composites.found.set(y, { kind, inputs, attrs });
  return y;
}
