/**
 * Traces of one function with several batch sizes as one trace, whose sizes may depend on the number of items.
 *
 * @module
 */
import type { Dtype } from "../../base/dtype.ts";
import { ConfigError } from "../../base/errors.ts";
import type { CompositeAttrs, Tensor, Trace, TracedOp, TracedSource } from "../../tensor/mod.ts";

/**
 * `items n + length t + both n t + rest`, n the number of items of a batch and t their length, where that may differ, too:
 * a size, or another whole number.
 */
export interface Dim {
  readonly items: number;
  readonly length: number;
  readonly both: number;
  readonly rest: number;
}

/** A number that is the same whatever the batch. */
export function fixed(rest: number): Dim {
  return { items: 0, length: 0, both: 0, rest };
}

/** The number of items. */
export const ITEMS: Dim = { ...fixed(0), items: 1 };
/** The length of items. */
export const LENGTH: Dim = { ...fixed(0), length: 1 };

/** Whether a number is the same whatever the batch. */
export function isFixed(d: Dim): boolean {
  return d.items === 0 && d.length === 0 && d.both === 0;
}

/** Whether two numbers are the same for every batch. */
export function sameDim(a: Dim, b: Dim): boolean {
  return a.items === b.items && a.length === b.length && a.both === b.both && a.rest === b.rest;
}

/** `a + k b` */
export function plus(a: Dim, b: Dim, k = 1): Dim {
  return {
    items: a.items + k * b.items,
    length: a.length + k * b.length,
    both: a.both + k * b.both,
    rest: a.rest + k * b.rest,
  };
}

/** `a b`; null where that has squares. */
export function times(a: Dim, b: Dim): Dim | null {
  if (a.items * b.items !== 0 || a.length * b.length !== 0) return null;
  if (a.both !== 0 && !isFixed(b) || b.both !== 0 && !isFixed(a)) return null;
  return {
    items: a.items * b.rest + b.items * a.rest,
    length: a.length * b.rest + b.length * a.rest,
    both: a.both * b.rest + b.both * a.rest + a.items * b.length + a.length * b.items,
    rest: a.rest * b.rest,
  };
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
  /** Where it is a constant that counts up to a number that depends on the batch: from where, in which steps; else null. */
  readonly range: { readonly start: number; readonly step: number } | null;
  /** Whether it depends on an input. */
  readonly live: boolean;
  /** Whether it depends on a parameter or buffer. */
  readonly trained: boolean;
}

/** A batch that a function was traced with. */
export interface Batch {
  /** Number of items. */
  readonly items: number;
  /** Size of the axis of lengths. */
  readonly length: number;
}

/** One trace of a function for all batches. */
export interface SymbolicTrace {
  readonly ops: readonly Op[];
  readonly outputs: readonly number[];
}

/**
 * Puts traces together.
 *
 * @param batches The batch of each trace: all alike, and the result is for such batches alone; or of other numbers of items,
 * and if the length is free, of other lengths in the last three of five.
 * @throws ConfigError naming what depends on the number of items in a way that cannot be written down.
 */
export async function merge(
  what: string,
  all: readonly Trace[],
  batches: readonly Batch[],
): Promise<SymbolicTrace> {
  const traces = all.map(withoutParts), [first, ...others] = traces;
  const dynamic = batches.some((x) => x.items !== batches[0].items),
    free = batches.some((x) => x.length !== batches[0].length);
  const anyBatch = free ? "batches of any size and length" : "any number of items";
  const refuse = (why: string) =>
    dynamic
      ? new ConfigError(
        `Cannot export ${what} for ${anyBatch}: ${why}; give ${
          free ? "no { lengthAxis }, or " : ""
        }{ dynamicBatch: false }`,
      )
      : new ConfigError(`Cannot export ${what} to ONNX: ${why.replace(OTHER_BATCHES, "another time")}`);
  const told = (x: Batch) => `${x.items} items${free ? ` of length ${x.length}` : ""}`;
  for (const other of others) {
    const at = first.ops.findIndex((op, i) => !alike(op, other.ops[i]));
    if (at >= 0 || other.ops.length !== first.ops.length) {
      const where = at < 0 ? "" : `, from its operation ${at} (${first.ops[at].op}) on`;
      throw refuse(
        `it computes something else for ${
          dynamic ? `${told(batches[traces.indexOf(other)])} than for ${told(batches[0])}` : OTHER_BATCHES
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
  const { fills, ranges } = await checkConstants(traces, refuse);
  const dim = (pick: (t: Trace) => number, about: () => string): Dim => {
    const found = fit(traces.map(pick), batches);
    if (found === null) {
      throw refuse(`${about()} depends on ${free ? "their number and length" : "the number of items"}`);
    }
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
      range: ranges.get(i) ?? null,
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

/** The number that has these values for these batches; null where there is none of this form. */
function fit(values: readonly number[], batches: readonly Batch[]): Dim | null {
  if (values.every((v) => Object.is(v, values[0]))) return fixed(values[0]);
  const [b0, b1, b2] = batches, n = b1.items - b0.items;
  const t = (b2 ?? b0).length - b0.length;
  const both = t === 0 ? 0 : (values[3] - values[2] - values[1] + values[0]) / (n * t);
  const items = (values[1] - values[0]) / n - both * b0.length;
  const length = t === 0 ? 0 : (values[2] - values[0]) / t - both * b0.items;
  const rest = values[0] - items * b0.items - length * b0.length - both * b0.items * b0.length;
  const found = { items, length, both, rest };
  const at = (x: Batch) => items * x.items + length * x.length + both * x.items * x.length + rest;
  return Object.values(found).every(Number.isInteger) && values.every((v, i) => v === at(batches[i])) ? found : null;
}

/** Operations that are always written as one: of their parts, which may be more for longer items, nothing is needed. */
const WHOLE = new Set(["recurrent", "cumsum"]);

/** A trace without what only the parts of {@link WHOLE} operations need. */
function withoutParts({ ops, outputs }: Trace): Trace {
  const of = (op: TracedOp) => WHOLE.has(op.composite?.kind ?? "") ? op.composite!.inputs : op.inputs;
  const needed = new Set<number>(), open = [...outputs];
  while (open.length > 0) {
    const id = open.pop()!;
    if (needed.has(id)) continue;
    needed.add(id);
    const op = ops[id];
    open.push(...of(op), ...op.composite?.inputs ?? []);
  }
  const order = [...needed].sort((a, b) => a - b), places = new Map(order.map((id, i) => [id, i]));
  const moved = (ids: readonly number[]) => ids.map((id) => places.get(id)!);
  return {
    outputs: moved(outputs),
    ops: order.map((id) => {
      const op = ops[id], { composite } = op, whole = WHOLE.has(composite?.kind ?? "");
      return {
        ...op,
        // what is computed from its operands, whatever by
        ...(whole ? { op: composite!.kind, attr: [], source: null } : {}),
        inputs: moved(of(op)),
        composite: composite === null ? null : { ...composite, inputs: moved(composite.inputs) },
      };
    }),
  };
}

/** Constants whose size depends on the batch, by their places. */
interface Sized {
  readonly fills: ReadonlyMap<number, number>;
  readonly ranges: ReadonlyMap<number, { readonly start: number; readonly step: number }>;
}

/**
 * Numbers that were there before the trace, or that it brought along, must be the same for all batches; or one number all,
 * such as the zeros of a first state; or count from a number on in even steps, such as positions.
 */
async function checkConstants(traces: readonly Trace[], refuse: (why: string) => ConfigError): Promise<Sized> {
  const [first, ...others] = traces;
  const fills = new Map<number, number>(), ranges = new Map<number, { start: number; step: number }>();
  for (const [i, op] of first.ops.entries()) {
    if (op.source?.kind !== "constant") continue;
    const mine = op.tensor, its = others.map((t) => t.ops[i].tensor);
    if (its.every((t) => t.node === mine.node)) continue;
    const all = [Array.from(await mine.data())];
    for (const t of its) all.push(Array.from(await t.data()));
    if (its.every((t) => t.shape.every((n, a) => n === mine.shape[a]))) {
      if (all.every((v) => v.every((x, k) => Object.is(x, all[0][k])))) continue;
    } else if (all[0].length > 0 && all.every((v) => v.every((x) => Object.is(x, all[0][0])))) {
      fills.set(i, all[0][0]);
      continue;
    } else if (mine.shape.length === 1 && all[0].length > 1) {
      const start = all[0][0], step = all[0][1] - start;
      if (all.every((v) => v.every((x, k) => x === start + k * step))) {
        ranges.set(i, { start, step });
        continue;
      }
    }
    throw refuse(`numbers of shape [${mine.shape.join(", ")}] that it brings along are others for ${OTHER_BATCHES}`);
  }
  return { fills, ranges };
}
