/**
 * Traces of one function with several batch sizes as one trace, whose sizes may depend on the number of items.
 *
 * @module
 */
import type { Dtype } from "../../base/dtype.ts";
import { ConfigError } from "../../base/errors.ts";
import type { CompositeAttrs, Tensor, Trace, TracedOp, TracedSource } from "../../tensor/mod.ts";

/** `items * n + rest`, n the number of items of a batch: a size, or another whole number. */
export interface Dim {
  readonly items: number;
  readonly rest: number;
}

/** A number that is the same whatever the batch. */
export function fixed(rest: number): Dim {
  return { items: 0, rest };
}

/** Whether two numbers are the same for every batch. */
export function sameDim(a: Dim, b: Dim): boolean {
  return a.items === b.items && a.rest === b.rest;
}

/** Whether two shapes are the same for every batch. */
export function sameDims(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((d, i) => sameDim(d, b[i]));
}

/** An operation with sizes that may depend on the batch. */
export interface Op {
  readonly op: string;
  readonly inputs: readonly number[];
  readonly dims: readonly Dim[];
  readonly dtype: Dtype;
  readonly attr: readonly Dim[];
  readonly value: Dim;
  readonly source: TracedSource | null;
  readonly composite:
    | { readonly kind: string; readonly inputs: readonly number[]; readonly attrs: CompositeAttrs }
    | null;
  /** Its value with the first of the batches; of no use where it depends on the batch. */
  readonly tensor: Tensor;
  /** The number that all its elements are, where it is a constant whose size depends on the batch; else null. */
  readonly fill: number | null;
  /** Whether it depends on an input. */
  readonly live: boolean;
  /** Whether it depends on a parameter or buffer. */
  readonly trained: boolean;
}

/** One trace of a function for all batches. */
export interface SymbolicTrace {
  readonly ops: readonly Op[];
  readonly outputs: readonly number[];
}

/**
 * Puts traces together.
 *
 * @param sizes Number of items of each trace's batch; where all are equal, the result is for batches of that size.
 * @throws ConfigError naming what depends on the number of items in a way that cannot be written down.
 */
export async function merge(what: string, traces: readonly Trace[], sizes: readonly number[]): Promise<SymbolicTrace> {
  const [first, ...others] = traces;
  const refuse = (why: string) =>
    dynamic
      ? new ConfigError(`Cannot export ${what} for any number of items: ${why}; give { dynamicBatch: false }`)
      : new ConfigError(`Cannot export ${what} to ONNX: ${why.replace(OTHER_BATCHES, "another time")}`);
  const dynamic = sizes.some((n) => n !== sizes[0]);
  for (const other of others) {
    const at = first.ops.findIndex((op, i) => !alike(op, other.ops[i]));
    if (at >= 0 || other.ops.length !== first.ops.length) {
      const where = at < 0 ? "" : `, from its operation ${at} (${first.ops[at].op}) on`;
      throw refuse(
        `it computes something else for ${
          dynamic ? `${sizes[traces.indexOf(other)]} items than for ${sizes[0]}` : OTHER_BATCHES
        }${where}`,
      );
    }
  }
  if (first.ops.some((op, i) => op.op === "random" && others.some((t) => t.ops[i].tensor.node !== op.tensor.node))) {
    throw new ConfigError(`Cannot export ${what} to ONNX: it draws random numbers, also in evaluation mode`);
  }
  if (first.ops.some((op) => op.source?.kind === "assigned")) {
    throw new ConfigError(
      `Cannot export ${what} to ONNX: it reads a buffer that its forward has assigned to; read it first`,
    );
  }
  const fills = await checkConstants(traces, refuse);
  const dim = (pick: (t: Trace) => number, about: () => string): Dim => {
    const found = affine(traces.map(pick), sizes);
    if (found === null) throw refuse(`${about()} depends on the number of items`);
    return found;
  };
  const ops: Op[] = [];
  first.ops.forEach((op, i) => {
    const below = op.inputs.map((k) => ops[k]);
    const same = others.every((t) => sameAttrs(t.ops[i].composite?.attrs, op.composite?.attrs));
    const value = Number.isNaN(op.value)
      ? fixed(NaN)
      : dim((t) => t.ops[i].value, () => `a number of its operation ${i} (${op.op})`);
    ops.push({
      op: op.op,
      inputs: op.inputs,
      dtype: op.dtype,
      dims: op.shape.map((_, a) => dim((t) => t.ops[i].shape[a], () => `axis ${a} of the result of its ${op.op}`)),
      attr: op.attr.map((_, a) => dim((t) => t.ops[i].attr[a], () => `what its operation ${i} (${op.op}) takes`)),
      value,
      source: op.source,
      composite: same ? op.composite : null,
      tensor: op.tensor,
      fill: fills.get(i) ?? null,
      live: op.source?.kind === "input" || below.some((x) => x.live),
      trained: op.source?.kind === "variable" || below.some((x) => x.trained),
    });
  });
  return { ops, outputs: first.outputs };
}

const OTHER_BATCHES = "other batches";

/** Whether two operations are the same but for sizes and numbers. */
function alike(a: TracedOp, b: TracedOp | undefined): boolean {
  return b !== undefined && a.op === b.op && a.dtype === b.dtype && a.shape.length === b.shape.length &&
    a.attr.length === b.attr.length && a.inputs.length === b.inputs.length &&
    a.inputs.every((x, i) => x === b.inputs[i]) && JSON.stringify(a.source) === JSON.stringify(b.source);
}

function sameAttrs(a: CompositeAttrs | undefined, b: CompositeAttrs | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** `items` and `rest` with `values[i] = items * sizes[i] + rest`; null if there are none. */
function affine(values: readonly number[], sizes: readonly number[]): Dim | null {
  if (values.every((v) => Object.is(v, values[0]))) return fixed(values[0]);
  const items = (values[1] - values[0]) / (sizes[1] - sizes[0]), rest = values[0] - items * sizes[0];
  return Number.isInteger(items) && Number.isInteger(rest) && values.every((v, i) => v === items * sizes[i] + rest)
    ? { items, rest }
    : null;
}

/**
 * Numbers that were there before the trace, or that it brought along, must be the same for all batches; or one number all,
 * such as the zeros of a first state.
 *
 * @returns That number, where there are as many as the batch asks for.
 */
async function checkConstants(
  traces: readonly Trace[],
  refuse: (why: string) => ConfigError,
): Promise<Map<number, number>> {
  const [first, ...others] = traces, fills = new Map<number, number>();
  for (const [i, op] of first.ops.entries()) {
    if (op.source?.kind !== "constant") continue;
    for (const other of others) {
      const mine = op.tensor, its = other.ops[i].tensor;
      if (mine.node === its.node) continue;
      const shapes = mine.shape.every((n, a) => n === its.shape[a]);
      const a = await mine.data(), b = await its.data();
      if (!shapes && a.length > 0 && [...a, ...b].every((v) => Object.is(v, a[0]))) fills.set(i, a[0]);
      else if (!shapes || a.some((v, k) => !Object.is(v, b[k]))) {
        throw refuse(
          `numbers of shape [${mine.shape.join(", ")}] that it brings along are others for ${OTHER_BATCHES}`,
        );
      }
    }
  }
  return fills;
}
