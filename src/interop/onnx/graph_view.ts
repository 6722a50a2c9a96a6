/**
 * Looking at a trace for patterns: operations without those that change nothing.
 *
 * @module
 */
import { type Dim, fixed, isFixed, type Op, sameDim, sameDims, type SymbolicTrace } from "./symbolic.ts";
import type { GraphWriter } from "./writer.ts";

/** How one value is written: from which others, and by what. */
export interface Written {
  /** Values that must be there first. */
  readonly inputs: readonly number[];
  /** Writes the operations, given the names of the inputs; gives the name of the result. */
  readonly write: (names: readonly string[], w: GraphWriter) => string;
}

/** Operations whose result is their first operand's value. */
const SAME = new Set(["retainGrad", "inverseDeviation"]);

/** A trace, and what rules ask of it. */
export class GraphView {
  readonly #ops: readonly Op[];
  readonly #same: readonly number[];

  /**
   * Takes a trace.
   *
   * @param opset Version of ONNX's operators that is written.
   */
  constructor(trace: SymbolicTrace, readonly opset: number) {
    this.#ops = trace.ops;
    const same: number[] = [];
    trace.ops.forEach((op, i) => {
      const from = op.source === null ? op.inputs[0] : undefined;
      const kept = from !== undefined &&
        (SAME.has(op.op) || ((op.op === "expand" || op.op === "reshape") && sameDims(op.dims, trace.ops[from].dims)));
      same.push(kept ? same[from] : i);
    });
    this.#same = same;
  }

  /** The operation that gives the value of `id`, past those that change nothing. */
  id(id: number): number {
    return this.#same[id];
  }

  /** The operation at {@link id}. */
  op(id: number): Op {
    return this.#ops[this.#same[id]];
  }

  /** The operands of an operation of this name; null where it is another. */
  operands(id: number, name: string): readonly number[] | null {
    const op = this.op(id);
    return op.op === name && op.source === null ? op.inputs : null;
  }

  /** The one number that a value is, whatever its shape; null where it is no such. */
  number(id: number): number | null {
    const op = this.op(id);
    if (op.fill !== null) return op.fill;
    if (op.source === null && (op.op === "expand" || op.op === "reshape" || op.op === "slice")) {
      return this.number(op.inputs[0]);
    }
    return (op.op === "const" || op.op === "scalar") && isFixed(op.value) ? op.value.rest : null;
  }

  /** Whether a value is the same in every run: it depends on no input, and its shape not on the batch. */
  constant(id: number): boolean {
    const op = this.op(id);
    return !op.live && op.dims.every(isFixed);
  }

  /** Whether a value is the same in every run, and of this shape. */
  constantOf(id: number, dims: readonly Dim[]): boolean {
    return this.constant(id) && sameDims(this.op(id).dims, dims);
  }

  /** What a value is a reshaped view of, where that has the shape `dims`; null where it is no such view. */
  reshaped(id: number, dims: readonly Dim[]): number | null {
    const op = this.op(id);
    if (sameDims(op.dims, dims)) return this.id(id);
    const from = this.operands(id, "reshape")?.[0];
    return from !== undefined && sameDims(this.op(from).dims, dims) ? this.id(from) : null;
  }
}

/** The shape that operands broadcast to by NumPy's rule; null where they do not. */
export function broadcastDims(shapes: readonly (readonly Dim[])[]): Dim[] | null {
  const one = fixed(1), rank = Math.max(...shapes.map((s) => s.length));
  const out: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    let size = one;
    for (const shape of shapes) {
      const d = shape[i - rank + shape.length];
      if (d === undefined || sameDim(d, one)) continue;
      if (sameDim(size, one)) size = d;
      else if (!sameDim(size, d)) return null;
    }
    out.push(size);
  }
  return out;
}
